"""Checks that labels select frames, and why they select none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from heliosynth.catalogue import schemas
from heliosynth.errors import InputError
from heliosynth.sources import quality_flags

ADVICE: Mapping[str, str] = {
    schemas.QUALITY_FLAG: "check the keyword QUALITY of the frames",
    schemas.NO_PEAK: "widen dataset.labels.window_minutes, set dataset.labels.without_flare to "
    "`background`, or add flare lists of the time of the frames",
    schemas.NO_FLUX: "add flare lists and light curves of the time of the frames",
    schemas.OTHER_CLASS: "add their classes to dataset.classes",
}
"""What to do if a reason leaves out all frames."""

REASONS = 4
"""Largest number of different reasons to name."""


def check_classes(labels: pd.DataFrame, classes: Sequence[str], require_all: bool) -> None:
    """Check that labels select frames, and optionally some of every class.

    Parameters
    ----------
    labels
        The result of :func:`heliosynth.catalogue.labels.label_frames`.
    classes
        The classes of the study.
    require_all
        Whether every class needs a frame.

    Raises
    ------
    InputError
        If no frame is selected, or if ``require_all`` and one of ``classes`` has none.
    """
    selected = labels.loc[labels["selected"], "goes_class"]
    if selected.empty:
        raise InputError(
            f"none of {len(labels)} frames is selected: {_counts(labels)}; {_advice(labels)}"
        )
    empty = [name for name in classes if not (selected == name).any()]
    if empty and require_all:
        lost = labels[labels["goes_class"].isin(empty)]
        why = f" ({_counts(lost)})" if len(lost) else ""
        raise InputError(
            f"class {', '.join(empty)} is empty after labelling {len(selected)} frames{why}: "
            "remove it from dataset.classes, use another rule or window in dataset.labels, or set "
            "dataset.scarce_classes to `report`"
        )


def _counts(labels: pd.DataFrame) -> str:
    """Return why frames are not selected, with counts, the most frequent reasons first."""
    details = labels["reason"].astype(object)
    flagged = details == schemas.QUALITY_FLAG
    other_class = details == schemas.OTHER_CLASS
    details[flagged] = labels.loc[flagged, "quality"].map(quality_flags.reason)
    details[other_class] += ": " + labels.loc[other_class, "goes_class"]
    counts = details.value_counts()
    shown = [f"{n} with the reason {reason!r}" for reason, n in counts[:REASONS].items()]
    if len(counts) > REASONS:
        shown.append(f"{counts[REASONS:].sum()} with others")
    return ", ".join(shown)


def _advice(labels: pd.DataFrame) -> str:
    return "; ".join(ADVICE[str(reason)] for reason in labels["reason"].value_counts().index)
