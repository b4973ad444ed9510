"""The index: every frame with its source, quality, flare, flux, label and split, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.catalogue import labels as labelling
from heliosynth.catalogue import schemas, splits
from heliosynth.config.dataset import DatasetConfig
from heliosynth.errors import InputError
from heliosynth.io import tables

Measures = Mapping[str, npt.NDArray[Any]]
"""What was measured of frames, (N,) each, by name."""
Rejections = Callable[[Measures], npt.NDArray[Any]]
"""Returns the reason to reject each frame (N,), empty for a good one."""

REFUSED = "refused"
"""The split of frames that a quality flag or their pixels rule out."""
NONE = "none"
"""The split of frames without a label, or of a class that is not of the study."""
NO_IMAGE = -1

SPLITS = (*splits.NAMES, splits.GAP, REFUSED, NONE)

REASONS = (
    labelling.NEAREST_PEAK,
    labelling.LARGEST_FLARE,
    labelling.BACKGROUND,
    labelling.NO_PEAK,
    labelling.NO_FLUX,
    labelling.OTHER_CLASS,
    labelling.QUALITY_FLAG,
)

SCHEMA = tables.table_schema(
    {
        **schemas.LABEL_COLUMNS,
        "reason": pa.Column(str, pa.Check.isin(REASONS)),
        "refused": pa.Column(str),
        "split": pa.Column(str, pa.Check.isin(SPLITS)),
        "image_row": pa.Column(np.int64, pa.Check.ge(NO_IMAGE)),
    },
    checks=[
        schemas.LABELLED,
        pa.Check(
            lambda t: (
                t["split"].isin([*splits.NAMES, splits.GAP])
                == (t["selected"] & (t["refused"] == ""))
            ),
            error="a frame is split if and only if it is selected and not refused",
        ),
        pa.Check(
            lambda t: (t["image_row"] >= 0) == t["selected"],
            error="a frame has an image if and only if it is selected",
        ),
    ],
    unique=["year", "store_row"],
)
"""``index.csv``."""


def build_index(
    labels: pd.DataFrame,
    store_rows: Mapping[int, npt.NDArray[np.int64]],
    measures: Mapping[int, Measures],
    settings: DatasetConfig,
    rejections: Rejections,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Refuse bad frames, split the others by time, and sum up.

    Parameters
    ----------
    labels
        As :func:`heliosynth.catalogue.labels.label_frames` gives them.
    store_rows, measures
        For every year, the rows in the raw store of the averaged frames, and what was
        measured of their quality.
    settings
        Classes, split and scarcity.
    rejections
        Rule that rejects frames by their measures, such as
        :func:`heliosynth.frames.quality.rejections`.

    Returns
    -------
    index
        The labels with ``refused`` (reason or empty), ``split`` and ``image_row`` (place in
        the year's averaged frames, −1 for none); see :data:`SCHEMA`.
    summary
        Counts, for JSON: no NaN in it.

    Raises
    ------
    InputError
        If averaged frames are missing, a split stays empty, or classes are scarce; see
        :func:`check_scarcity`.
    """
    index = _with_images(labels, store_rows, measures, rejections)
    usable = np.flatnonzero(index["selected"] & (index["refused"] == ""))
    if not usable.size:
        raise InputError(f"none of {len(index)} frames is selected and of good quality")
    number = {name: place for place, name in enumerate(goes_class.NAMES)}
    time = labelling.seconds(index["time"])[usable]
    split = splits.split_frames(
        time,
        np.array([number[name] for name in index["goes_class"].iloc[usable]], dtype=np.int8),
        settings.split,
        settings.minimum_frames,
    )
    index["split"] = np.where(index["refused"] != "", REFUSED, NONE).astype(object)
    index.loc[usable, "split"] = split.name
    index = index[list(SCHEMA.columns)]
    return index, _summary(index, _blocks(time, split), settings)


def check_scarcity(
    counts: Mapping[str, Mapping[str, int]], settings: DatasetConfig
) -> dict[str, int]:
    """Find the classes with too few training frames to learn from.

    Parameters
    ----------
    counts
        Frames by class and split.

    Returns
    -------
    dict
        Training frames of each scarce class.

    Raises
    ------
    InputError
        If there is a scarce class and ``scarce_classes`` is ``refuse``, or if fewer than two
        classes are left to train on.
    """
    minimum = settings.minimum_frames
    scarce = {name: n["train"] for name, n in counts.items() if n["train"] < minimum}
    listed = ", ".join(_scarcity(name, counts[name]) for name in scarce)
    if scarce and settings.scarce_classes == "refuse":
        raise InputError(
            f"class {listed}, fewer than dataset.minimum_frames = {minimum}: widen "
            "dataset.labels.window_minutes, add observations, take it out of dataset.classes, "
            "or set dataset.scarce_classes to `report`"
        )
    if len(counts) - len(scarce) < 2:
        raise InputError(
            f"fewer than two classes have dataset.minimum_frames = {minimum} training frames: "
            f"class {listed}; add observations, or lower dataset.minimum_frames"
        )
    return scarce


def _summary(
    index: pd.DataFrame, blocks: list[dict[str, Any]], settings: DatasetConfig
) -> dict[str, Any]:
    counts = _class_counts(index, settings)
    scarce = check_scarcity(counts, settings)
    return {
        "frames": len(index),
        "selected": int(index["selected"].sum()),
        "refused": _tally(index.loc[index["refused"] != "", "refused"]),
        "reasons": _tally(index["reason"]),
        "splits": {name: int((index["split"] == name).sum()) for name in SPLITS},
        "classes": counts,
        "trained_classes": [name for name in counts if name not in scarce],
        "scarce_classes": scarce,
        "minimum_frames": settings.minimum_frames,
        "split_blocks": blocks,
        "flares_in_train_and_held_out": _shared_flares(index),
        "label_rule": settings.labels.model_dump(),
        "disagreement": _disagreement(index),
    }


def _with_images(
    labels: pd.DataFrame,
    store_rows: Mapping[int, npt.NDArray[np.int64]],
    measures: Mapping[int, Measures],
    rejections: Rejections,
) -> pd.DataFrame:
    """Join the averaged frames to the labels, and refuse by flag and by pixels."""
    joined = labels.sort_values(["time", "store_row"], ignore_index=True)
    image_row = np.full(len(joined), NO_IMAGE, dtype=np.int64)
    refused = np.full(len(joined), "", dtype=object)
    chosen = joined["selected"].to_numpy(bool)
    for year in joined.loc[chosen, "year"].unique():
        if year not in store_rows:
            raise InputError(f"no averaged frames of {year} were given; build them again")
        here = np.flatnonzero(chosen & (joined["year"] == year).to_numpy())
        wanted = pd.Index(joined["store_row"].to_numpy()[here])
        place = pd.Index(store_rows[year]).get_indexer(wanted)
        if (place < 0).any():
            raise InputError(
                f"the averaged frames of {year} lack {np.count_nonzero(place < 0)} of "
                f"{len(here)} selected frames; build them again"
            )
        image_row[here] = place
        time = labelling.seconds(joined["time"].iloc[here])
        measured = {name: values[place] for name, values in measures[year].items()}
        refused[here] = rejections({**measured, "time": time})
    refused[(joined["reason"] == labelling.QUALITY_FLAG).to_numpy()] = labelling.QUALITY_FLAG
    return joined.assign(refused=refused, image_row=image_row)


def _class_counts(index: pd.DataFrame, settings: DatasetConfig) -> dict[str, dict[str, int]]:
    pairs = index.groupby(["goes_class", "split"]).size().to_dict()
    return {
        name: {split: int(pairs.get((name, split), 0)) for split in splits.NAMES}
        for name in goes_class.NAMES
        if name in settings.classes
    }


def _scarcity(name: str, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return f"{name} is empty after labelling"
    held_out = counts["val"] + counts["test"]
    return f"{name} has {counts['train']} training frames ({held_out} held out)"


def _tally(values: pd.Series[Any]) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


def _blocks(time: npt.NDArray[np.int64], split: splits.Splits) -> list[dict[str, Any]]:
    table = pd.DataFrame({"time": time, "split": split.name, "block": split.block})
    blocks = []
    for _, frames in table.groupby("block", sort=True):
        kept = frames[frames["split"] != splits.GAP]
        first, last = frames["time"].to_numpy("datetime64[s]")[[0, -1]]
        blocks.append(
            {
                "first": str(first),
                "last": str(last),
                "split": splits.GAP if kept.empty else str(kept["split"].iloc[0]),
                "frames": len(kept),
                "gap": len(frames) - len(kept),
            }
        )
    return blocks


def _shared_flares(index: pd.DataFrame) -> int:
    """Count the flares that label both training and held-out frames."""
    labelled = index[index["flare"] != ""]
    train = labelled.loc[labelled["split"] == "train", "flare"]
    held_out = labelled.loc[labelled["split"].isin(["val", "test"]), "flare"]
    return len(set(train) & set(held_out))


def _disagreement(index: pd.DataFrame) -> dict[str, int]:
    """Count the flares whose published class is not that of the flux measured during them."""
    flares = index[index["selected"] & (index["flare"] != "")].drop_duplicates("flare")
    measured = flares["flare_measured_log10_flux"].notna()
    flux = 10 ** flares.loc[measured, "flare_measured_log10_flux"].to_numpy(np.float64)
    seen = np.array(goes_class.NAMES, dtype=object)[goes_class.of_flux(flux)]
    return {
        "flares": len(flares),
        "measured": int(measured.sum()),
        "other_class_measured": int((seen != flares.loc[measured, "goes_class"].to_numpy()).sum()),
    }
