"""Similarity of frames by the time between them, and across the splits.

The distance of two frames is the root mean square difference of their scaled intensities. It grows
with the time between them until the Sun is another one, and falls again after each rotation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from heliosynth.arrays import DAY_S, SPLITS, Floats, Floats32, Integers, Seconds

ROTATION_DAYS = 27.2753
"""Synodic rotation period of the Sun (Carrington), days."""

ROTATION_LAGS_DAYS = (24.0, 31.0)
"""Times after which active regions of all latitudes face the Earth again, days."""

LAGS_DAYS = (
    *(0, 1 / 8, 1 / 4, 1 / 2, 1, 2, 3, 4, 5, 7, 10),
    *np.arange(12, 4 * ROTATION_DAYS + 3, 2).tolist(),
)
"""Edges of the bins of lags: up to four rotations, days."""

ANCHORS = 200
"""Frames that are paired with one frame per bin."""
LARGEST_TRAINING, LARGEST_TEST = 4000, 1000
"""Largest numbers of training and test frames that are compared."""

SIZE_PX = 64
"""Largest width of the frames that are compared, pixels."""
SLAB = 256
"""Frames that are read at a time."""

Reader = Callable[[Integers], Floats32]
"""Function that returns frames by their rows in the index, (n, H, W), scaled to [−1, 1]."""


def measure_likeness(index: pd.DataFrame, read: Reader) -> dict[str, Any]:
    """Measure the similarity of frames against time, and that of test and training frames.

    The same frames give the same result: those that are compared are evenly spaced.

    Parameters
    ----------
    index
        The table of :mod:`heliosynth.catalogue.index`, in order of time.
    read
        Function that reads frames.

    Returns
    -------
    dict
        For JSON: ``lags``, one entry per bin of lags with pairs in it: ``from_days``, ``to_days``,
        ``lag_days`` (median), ``n``, and ``lower``, ``median`` and ``upper`` quartile of the
        distance; ``nearest_training_frame``, None without test or training frames: the share of
        test frames whose most similar training frame is one rotation away, by chance too, and
        the distribution of its lag.
    """
    good = np.flatnonzero(index["split"].isin([*SPLITS, "gap"]))
    time = index["time"].to_numpy("datetime64[s]").astype(np.int64)
    pairs = lagged_pairs(time[good])
    split = index["split"].to_numpy(object)
    train = _evenly(np.flatnonzero(split == "train"), LARGEST_TRAINING)
    test = _evenly(np.flatnonzero(split == "test"), LARGEST_TEST)
    rows = np.unique(np.concatenate([good[np.unique(pairs)], train, test]))
    images = read(rows)
    images = images.reshape(len(rows), math.prod(images.shape[1:]))
    first, second = (np.searchsorted(rows, good[pairs[:, n]]) for n in (0, 1))
    distances = _paired_distances(images, first, second)
    near = _nearest(
        images[np.searchsorted(rows, test)],
        images[np.searchsorted(rows, train)],
        np.abs(time[test][:, None] - time[train]) / DAY_S,
    )
    lags = np.abs(time[rows[first]] - time[rows[second]]) / DAY_S
    return {
        "distance": "root mean square difference of the scaled intensities",
        "frames": len(good),
        "lags": _by_lag(lags, distances),
        "nearest_training_frame": near,
    }


def lagged_pairs(time: Seconds) -> Integers:
    """Pair evenly spaced frames with one later frame per bin of lags.

    Parameters
    ----------
    time
        Times of the frames in ascending order, s (N,).

    Returns
    -------
    numpy.ndarray
        Rows of the two frames of each pair (P, 2). The partner is the frame nearest to a lag that
        goes through the bin from the first anchor to the last.
    """
    if len(time) < 2:
        return np.empty((0, 2), np.int64)
    anchors = _evenly(np.arange(len(time)), ANCHORS)
    # The golden ratio spreads the lags of neighbouring anchors over the bin.
    place = (np.arange(len(anchors)) * 0.618033988749895) % 1
    pairs = []
    for low, high in itertools.pairwise(LAGS_DAYS):
        target = time[anchors] + (low + (high - low) * place) * DAY_S
        after = np.clip(np.searchsorted(time, target), 1, len(time) - 1)
        before = after - 1
        partner = np.where(target - time[before] <= time[after] - target, before, after)
        lag = (time[partner] - time[anchors]) / DAY_S
        inside = (lag > 0) & (lag >= low) & (lag < high)
        pairs.append(np.stack([anchors[inside], partner[inside]], axis=1))
    return np.concatenate(pairs)


def _evenly(rows: Integers, largest: int) -> Integers:
    """Return at most ``largest`` of the rows, evenly spaced."""
    if len(rows) <= largest:
        return rows
    return rows[np.linspace(0, len(rows) - 1, largest).round().astype(np.int64)]


def _paired_distances(images: Floats32, first: Integers, second: Integers) -> Floats:
    distances = np.empty(len(first))
    for n, (one, other) in enumerate(zip(first, second, strict=True)):
        difference = images[one] - images[other]
        distances[n] = np.sqrt(np.mean(difference * difference, dtype=np.float64))
    return distances


def _by_lag(lags: Floats, distances: Floats) -> list[dict[str, float]]:
    number = np.searchsorted(LAGS_DAYS, lags, side="right") - 1
    entries = []
    for n in np.unique(number):
        inside = number == n
        lower, median, upper = np.quantile(distances[inside], [0.25, 0.5, 0.75])
        entries.append(
            {
                "from_days": float(LAGS_DAYS[n]),
                "to_days": float(LAGS_DAYS[n + 1]),
                "lag_days": round(float(np.median(lags[inside])), 4),
                "n": int(inside.sum()),
                "lower": round(float(lower), 6),
                "median": round(float(median), 6),
                "upper": round(float(upper), 6),
            }
        )
    return entries


def _nearest(test: Floats32, train: Floats32, lags: Floats) -> dict[str, Any] | None:
    """Return the lags (T, N) of the training frames that are most similar to the test frames."""
    if not len(test) or not len(train):
        return None
    # |a − b|² = |a|² + |b|² − 2 a·b, of which the first term is the same for all training frames.
    squares = np.einsum("nd,nd->n", train, train)[None] - 2 * test @ train.T
    nearest = lags[np.arange(len(test)), squares.argmin(axis=1)]
    low, high = ROTATION_LAGS_DAYS
    edges = np.array([*LAGS_DAYS, max(lags.max() + 1, LAGS_DAYS[-1] + 1)])
    found, by_chance = np.histogram(nearest, edges)[0], np.histogram(lags, edges)[0]
    return {
        "n_test": len(test),
        "n_training": len(train),
        "rotation_days": list(ROTATION_LAGS_DAYS),
        "share_one_rotation_away": round(float(((nearest >= low) & (nearest <= high)).mean()), 4),
        "share_by_chance": round(float(((lags >= low) & (lags <= high)).mean()), 4),
        "median_lag_days": round(float(np.median(nearest)), 3),
        "lags": [
            {
                "from_days": float(edges[n]),
                "to_days": float(edges[n + 1]),
                "n": int(found[n]),
                "share": round(float(found[n] / len(nearest)), 6),
                "share_by_chance": round(float(by_chance[n] / lags.size), 6),
            }
            for n in range(len(found))
        ],
    }


def reader(index: pd.DataFrame, by_year: Mapping[int, Reader]) -> Reader:
    """Return a function that reads frames of the index, reduced to at most :data:`SIZE_PX` pixels.

    Parameters
    ----------
    index
        The table of the index.
    by_year
        By year: the function that reads averaged frames by their ``image_row``, scaled.
    """
    year, image_row = index["year"].to_numpy(), index["image_row"].to_numpy()

    def read(rows: Integers) -> Floats32:
        parts = [_read_slab(rows[n : n + SLAB]) for n in range(0, len(rows), SLAB)]
        return np.concatenate(parts) if parts else np.empty((0, 1, 1), np.float32)

    def _read_slab(rows: Integers) -> Floats32:
        images: dict[int, Floats32] = {}
        for number in np.unique(year[rows]).tolist():
            of_year = np.flatnonzero(year[rows] == number)
            read_images = reduced(by_year[number](image_row[rows[of_year]]))
            images |= dict(zip(of_year.tolist(), read_images, strict=True))
        return np.stack([images[n] for n in range(len(rows))])

    return read


def reduced(images: Floats32) -> Floats32:
    """Average images (n, H, W) over squares, to at most :data:`SIZE_PX` pixels."""
    count, size = images.shape[:2]
    factor = next(f for f in range(math.ceil(size / SIZE_PX), size + 1) if size % f == 0)
    small = images.reshape(count, size // factor, factor, size // factor, factor)
    return np.asarray(small.mean(axis=(2, 4)), np.float32)
