"""Index of all frames: source, quality, flare, flux, label, split, and the reasons for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.arrays import SPLITS, Integers, Measures, Objects, Seconds
from heliosynth.catalogue import schemas, splits
from heliosynth.catalogue.labels import seconds
from heliosynth.config.dataset import DatasetConfig
from heliosynth.errors import InputError
from heliosynth.io import tables
from heliosynth.sources import quality_flags

Rejections = Callable[[Measures], Objects]
"""Function that returns the reason to reject each frame (N,), empty for a good one."""

REFUSED = "refused"
"""Value of ``split`` for frames that are rejected for a quality flag or their pixels."""
NONE = "none"
"""Value of ``split`` for frames without a label, or of a class outside the study."""
NO_IMAGE = -1

SPLIT_VALUES = (*SPLITS, splits.GAP, REFUSED, NONE)
"""Values of the column ``split``."""

SCHEMA = tables.table_schema(
    {
        **schemas.LABEL_COLUMNS,
        "refused": pa.Column(str),
        "split": pa.Column(
            str, pa.Check.isin(SPLIT_VALUES, error=f"one of {', '.join(SPLIT_VALUES)}")
        ),
        "image_row": pa.Column(np.int64, pa.Check.ge(NO_IMAGE, error=f"{NO_IMAGE} or more")),
    },
    checks=[
        schemas.LABELLED,
        pa.Check(
            lambda t: (
                t["split"].isin([*SPLITS, splits.GAP]) == (t["selected"] & (t["refused"] == ""))
            ),
            error="a frame has a `split` if and only if it is `selected` and not `refused`",
        ),
        pa.Check(
            lambda t: (t["image_row"] >= 0) == t["selected"],
            error="a frame has an `image_row` if and only if it is `selected`",
        ),
    ],
    unique=["year", "store_row"],
)
"""``index.csv``."""


def build_index(
    labels: pd.DataFrame,
    store_rows: Mapping[int, Integers],
    measures: Mapping[int, Measures],
    settings: DatasetConfig,
    rejections: Rejections,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Reject bad frames, split the others by time, and count them.

    Parameters
    ----------
    labels
        The result of :func:`heliosynth.catalogue.labels.label_frames`.
    store_rows, measures
        By year: the rows of the averaged frames in the raw store, and their quality measures.
    settings
        Section ``dataset``.
    rejections
        Function that rejects frames by their measures, such as
        :func:`heliosynth.frames.quality.rejections`.

    Returns
    -------
    index
        The labels with ``refused`` (reason or empty), ``split`` and ``image_row`` (row among
        the year's averaged frames, −1 for none); see :data:`SCHEMA`.
    summary
        Counts, for JSON, without NaN.

    Raises
    ------
    InputError
        If averaged frames are missing, a split is empty, or classes are scarce; see
        :func:`check_scarcity`.
    """
    index = _with_images(labels, store_rows, measures, rejections)
    usable = np.flatnonzero(index["selected"] & (index["refused"] == ""))
    if not usable.size:
        raise InputError(
            f"none of {len(index)} frames can be used: {_unused(index)}; see "
            "docs/data.md for the reasons, and check the images, or add observations"
        )
    number = {name: n for n, name in enumerate(goes_class.NAMES)}
    time = seconds(index["time"])[usable]
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
    """Find the classes with fewer than ``minimum_frames`` training frames.

    Parameters
    ----------
    counts
        Numbers of frames by class and split.
    settings
        Section ``dataset``.

    Returns
    -------
    dict
        Number of training frames of each scarce class.

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
            "dataset.labels.window_minutes, add observations, remove it from dataset.classes, "
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
        "splits": {name: int((index["split"] == name).sum()) for name in SPLIT_VALUES},
        "classes": counts,
        "flares_by_class": _distinct(index, settings, index["flare"]),
        "days_by_class": _distinct(index, settings, index["time"].dt.strftime("%Y-%m-%d")),
        "trained_classes": [name for name in counts if name not in scarce],
        "scarce_classes": scarce,
        "minimum_frames": settings.minimum_frames,
        "gap_hours": settings.split.gap_hours,
        "split_blocks": blocks,
        "flares_in_train_and_held_out": _shared_flares(index),
        "label_rule": settings.labels.model_dump(),
        "disagreement": _disagreement(index),
    }


def _with_images(
    labels: pd.DataFrame,
    store_rows: Mapping[int, Integers],
    measures: Mapping[int, Measures],
    rejections: Rejections,
) -> pd.DataFrame:
    """Join the averaged frames to the labels, and reject frames by flag and by pixels."""
    joined = labels.sort_values(["time", "store_row"], ignore_index=True)
    image_row = np.full(len(joined), NO_IMAGE, dtype=np.int64)
    refused = np.full(len(joined), "", dtype=object)
    selected = joined["selected"].to_numpy(bool)
    for year in joined.loc[selected, "year"].unique():
        if year not in store_rows:
            raise InputError(f"averaged frames of {year} not found; rebuild them")
        rows = np.flatnonzero(selected & (joined["year"] == year).to_numpy())
        expected = pd.Index(joined["store_row"].to_numpy()[rows])
        position = pd.Index(store_rows[year]).get_indexer(expected)
        if (position < 0).any():
            raise InputError(
                f"the averaged frames of {year} lack {np.count_nonzero(position < 0)} of "
                f"{len(rows)} selected frames; rebuild them"
            )
        image_row[rows] = position
        time = seconds(joined["time"].iloc[rows])
        of_year = {name: values[position] for name, values in measures[year].items()}
        refused[rows] = rejections({**of_year, "time": time})
    flagged = (joined["reason"] == schemas.QUALITY_FLAG).to_numpy()
    refused[flagged] = [quality_flags.reason(word) for word in joined["quality"][flagged]]
    return joined.assign(refused=refused, image_row=image_row)


def _class_counts(index: pd.DataFrame, settings: DatasetConfig) -> dict[str, dict[str, int]]:
    pairs = index.groupby(["goes_class", "split"]).size().to_dict()
    return _by_class_and_split(pairs, settings)


def _distinct(
    index: pd.DataFrame, settings: DatasetConfig, values: pd.Series[Any]
) -> dict[str, dict[str, int]]:
    """Count the distinct values, but the empty one, of the frames of each class and split."""
    pairs = values[values != ""].groupby([index["goes_class"], index["split"]]).nunique().to_dict()
    return _by_class_and_split(pairs, settings)


def _by_class_and_split(
    pairs: Mapping[Any, int], settings: DatasetConfig
) -> dict[str, dict[str, int]]:
    return {
        name: {split: int(pairs.get((name, split), 0)) for split in SPLITS}
        for name in goes_class.NAMES
        if name in settings.classes
    }


def _unused(index: pd.DataFrame) -> str:
    """Return why frames are not used, with counts, the most frequent reason first."""
    reasons = index["refused"].where(index["refused"] != "", index["reason"])
    return ", ".join(f"{count} {reason}" for reason, count in _tally(reasons).items())


def _scarcity(name: str, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return f"{name} is empty after labelling"
    held_out = counts["val"] + counts["test"]
    return f"{name} has {counts['train']} training frames ({held_out} held out)"


def _tally(values: pd.Series[Any]) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


def _blocks(time: Seconds, split: splits.Splits) -> list[dict[str, Any]]:
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
    """Count the flares that label both training frames and validation or test frames."""
    labelled = index[index["flare"] != ""]
    train = labelled.loc[labelled["split"] == "train", "flare"]
    held_out = labelled.loc[labelled["split"].isin(["val", "test"]), "flare"]
    return len(set(train) & set(held_out))


def _disagreement(index: pd.DataFrame) -> dict[str, int]:
    """Count the flares whose published class differs from that of their measured peak flux."""
    flares = index[index["selected"] & (index["flare"] != "")].drop_duplicates("flare")
    measured = flares["flare_measured_log10_flux"].notna()
    flux = 10 ** flares.loc[measured, "flare_measured_log10_flux"].to_numpy(np.float64)
    measured_class = np.array(goes_class.NAMES, dtype=object)[goes_class.of_flux(flux)]
    published = flares.loc[measured, "goes_class"].to_numpy()
    return {
        "flares": len(flares),
        "measured": int(measured.sum()),
        "other_class_measured": int((measured_class != published).sum()),
    }
