"""Quality of frames, measured on their pixels, and the reasons to reject them.

Lengths are in units of the width of a frame, so that they apply at every frame size.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Booleans, Floats, Images, Integers, Measures, Objects
from heliosynth.frames.borders import count_marks, cut_off
from heliosynth.frames.rolls import crosswise, rolled

INNER_RADIUS = 0.36
"""Radius within which every pixel is well inside the disk: 0.9 of the 0.40 of SDOMLv2."""

REDUCED_PX = 128
"""Width of frames that is enough to detect all faults."""

STATISTICS_PX, DIGEST_PX = 64, 32
"""Widths of the pixel grids from which statistics of the disk, and digests, are computed."""

LIMB_SEARCH = (0.30, 0.54)
"""Radii between which the limb is searched; SDOMLv2 has it at 0.40."""

LIMB_ANGLES = 72
LIMB_STEP = 0.003
EDGE_WIDTH = 8
"""Radial steps over which the brightness falls off at the limb."""

DARK_SHARE = 0.05
"""Pixels below this share of the disk's median are dark: lost blocks, or the Moon."""

CORONA = (1.0, 1.2)
"""The ring above the limb whose brightness by angle shows a roll, in radii of the limb."""

MISSING_LIMIT = 1e-3
DARK_LIMIT = 0.02
SATURATED_LIMIT = 0.05
BRIGHTNESS_LIMIT = 3.0
"""Largest ratio of the disk's median to the median of its year, and of the inverse."""
OFFSET_LIMIT = 0.02
RADIUS_LIMIT = 0.03
"""Largest difference of the limb's radius from the median of its year, relative."""
SCATTER_LIMIT = 0.025
CONTRAST_LIMIT = 0.1
"""Smallest difference of bright and faint pixels of a frame, relative to the bright ones."""
CENTRE_LIMIT = 0.003
"""Smallest excess of the disk over the sky, relative to that of the brightest pixels."""
EMPTY_LIMIT = 0.15
"""Largest share of the disk with exactly the faintest intensity of the frame."""
CUT_LIMIT = 0.96
"""Smallest distance of empty lines at the border from the disk's centre, radii of the limb."""
MARKS_LIMIT = 8
"""Number of sharp steps in the corners that make a label."""
CORONA_LIMIT = {"193A": -1.9, "211A": -1.9}
"""Smallest logarithm of the corona's intensity relative to the disk, of channels whose corona is
bright; that of chromospheric channels is darker."""

MISSING = "missing pixels"
BLANK = "blank frame"
DARK = "dark part of the disk"
SATURATED = "saturated frame"
DIM = "dim frame"
BRIGHT = "bright frame"
NO_LIMB = "no clear limb"
OFF_POINTING = "off-pointing"
CUT_OFF = "disk cut off by the edge of the field"
LABELLED = "label drawn into the frame"
OTHER_CHANNEL = "corona too dark for the channel"
DISK_SIZE = "wrong disk size"
ROLLED = "rolled frame"
REPEAT = "repeat of an earlier frame"


def measure(images: Images, measured: Images | None = None) -> Measures:
    """Measure the quality of frames.

    Parameters
    ----------
    images
        Frames in linear DN (N, H, W), H = W, NaN where missing. A width of
        :data:`REDUCED_PX` is enough; the time grows with the number of pixels.
    measured
        Share of each pixel that is not missing (N, H, W); None: 1 where finite, else 0.

    Returns
    -------
    dict
        Arrays (N,): ``missing_fraction`` of all pixels; ``dark_fraction`` and
        ``saturated_fraction`` of the disk's pixels; ``disk_median``, DN; ``limb_x`` and
        ``limb_y``, the disk's centre relative to that of the frame; ``limb_radius``;
        ``limb_scatter``, the median distance of the limb's points from the fitted circle;
        ``faint_dn`` and ``bright_dn``, the 1st and 99th percentile of the intensities, and
        ``brightest_dn``; ``empty_fraction``, the share of the disk with exactly the smallest
        intensity; ``cut_off`` and ``marks``, see :mod:`heliosynth.frames.borders`;
        ``corona`` (N, angles), the logarithm of the intensity above the limb; ``digest``, equal
        for equal frames.
    """
    finite = np.isfinite(images)
    filled = images if finite.all() else np.where(finite, images, np.float32(0))
    step, disk = _disk(images.shape[-1])
    # In single precision a single missing pixel would be lost in rounding.
    missing = 1 - (finite if measured is None else measured).mean(axis=(1, 2), dtype=np.float64)
    on_disk = filled[:, ::step, ::step][:, disk]
    is_finite = finite[:, ::step, ::step][:, disk]
    complete = filled is images
    median = _medians(on_disk if complete else np.where(is_finite, on_disk, np.float32(np.nan)))
    brightest, faintest = filled.max(axis=(1, 2)), filled.min(axis=(1, 2)).astype(np.float64)
    faint, bright = _percentiles(filled)
    limb = _limb(filled, median)
    circle = np.stack([limb["limb_radius"], limb["limb_x"], limb["limb_y"]], axis=1)
    return {
        "missing_fraction": missing,
        "dark_fraction": (on_disk < DARK_SHARE * np.nan_to_num(median)[:, None]).mean(axis=1),
        "saturated_fraction": (on_disk >= brightest[:, None]).mean(axis=1),
        "disk_median": median,
        "faint_dn": faint,
        "bright_dn": bright,
        "brightest_dn": brightest.astype(np.float64),
        "empty_fraction": _share_at(on_disk, faintest),
        **limb,
        "cut_off": cut_off(filled, faintest, median, circle),
        "marks": count_marks(filled, median),
        "digest": _digests(images),
    }


def rejections(measures: Mapping[str, npt.NDArray[Any]], channel: str = "") -> Objects:
    """Return for each frame of a year the reason to reject it, empty for a good one.

    The limits are wide: only frames that clearly do not show the whole Sun, or show it in the
    wrong place, are rejected. What is typical of a year is taken from its frames without an
    earlier fault, so that a few frames can be judged too.

    Parameters
    ----------
    measures
        The result of :func:`measure` for the frames of one year in order of time;
        ``lost_pixels``, the number of missing pixels of the averaged frame; and ``time``, s.
    channel
        AIA channel, for what is particular to it.

    Returns
    -------
    numpy.ndarray
        Reasons (N,).
    """
    reasons = np.full(len(measures["disk_median"]), "", dtype=object)
    # A frame gets the first reason that applies, so the most severe fault comes first.
    for name, applies in _faults(measures, channel, reasons):
        reasons[(reasons == "") & applies] = name
    return reasons


def _faults(
    measures: Mapping[str, npt.NDArray[Any]], channel: str, reasons: Objects
) -> Iterator[tuple[str, Booleans]]:
    """Yield each fault and which frames have it; ``reasons`` are those of the faults before."""
    median, faint, bright = (measures[name] for name in ("disk_median", "faint_dn", "bright_dn"))
    yield MISSING, (measures["missing_fraction"] > MISSING_LIMIT) | (measures["lost_pixels"] > 0)
    lit = np.isfinite(median) & (median > 0)
    flat = bright - faint <= CONTRAST_LIMIT * np.abs(bright)
    outside = median - faint < CENTRE_LIMIT * (bright - faint)
    yield BLANK, flat | (measures["saturated_fraction"] == 1) | (~lit & ~outside)
    yield OFF_POINTING, outside
    empty = measures["empty_fraction"] > EMPTY_LIMIT
    yield DARK, (measures["dark_fraction"] > DARK_LIMIT) | empty
    yield SATURATED, measures["saturated_fraction"] > SATURATED_LIMIT
    yield CUT_OFF, measures["cut_off"] < CUT_LIMIT
    labelled = measures["marks"] >= MARKS_LIMIT
    relative = median / _typical(median[(reasons == "") & ~labelled])
    yield DIM, relative < 1 / BRIGHTNESS_LIMIT
    yield BRIGHT, relative > BRIGHTNESS_LIMIT
    yield NO_LIMB, measures["limb_scatter"] > SCATTER_LIMIT
    yield LABELLED, labelled
    yield OFF_POINTING, np.hypot(measures["limb_x"], measures["limb_y"]) > OFFSET_LIMIT
    if channel in CORONA_LIMIT:
        corona = np.median(measures["corona"], axis=1) - np.log(np.where(lit, median, 1))
        yield OTHER_CHANNEL, corona < CORONA_LIMIT[channel]
    yield ROLLED, crosswise(measures["corona"])
    radius = measures["limb_radius"] / _typical(measures["limb_radius"][reasons == ""])
    yield DISK_SIZE, np.abs(radius - 1) > RADIUS_LIMIT
    yield ROLLED, rolled(measures["corona"], measures["time"])
    yield REPEAT, _is_repeat(measures["digest"])


def _is_repeat(digest: Integers) -> Booleans:
    """Return which frames equal an earlier one."""
    _, first = np.unique(digest, return_index=True)
    repeat = np.ones(len(digest), dtype=np.bool_)
    repeat[first] = False
    return repeat


def _medians(values: Images) -> Floats:
    """Return the median of the finite values of each row; NaN where there is none."""
    finite = np.isfinite(values)
    if finite.all():
        middle = values.shape[1] // 2
        # The upper of the two middle values is enough, and takes a third of the time.
        return np.partition(values, middle, axis=1)[:, middle].astype(np.float64)
    known = finite.any(axis=1)
    medians = np.full(len(values), np.nan)
    medians[known] = np.nanmedian(values[known], axis=1)
    return medians


def _typical(values: Floats) -> float:
    """Return the median; NaN, which no comparison exceeds, of no values."""
    return float(np.median(values)) if len(values) else float("nan")


def _percentiles(images: Images) -> tuple[Floats, Floats]:
    """Return the 1st and 99th percentile of each frame, without interpolation."""
    flat = images.reshape(len(images), images.shape[-1] ** 2)
    first = flat.shape[1] // 100
    last = flat.shape[1] - 1 - first
    ordered = np.partition(flat, (first, last), axis=1)
    return ordered[:, first].astype(np.float64), ordered[:, last].astype(np.float64)


def _share_at(values: Images, level: Floats) -> Floats:
    """Return the share of the values of each row that equal a level, but for rounding."""
    margin = 1e-3 * np.abs(level)
    return np.asarray((values <= (level + margin)[:, None]).mean(axis=1, dtype=np.float64))


def _limb(images: Images, median: Floats) -> dict[str, Floats]:
    """Fit r(θ) = R + x cos θ + y sin θ, robustly, to the steepest decrease of the brightness."""
    pixels, angles, radii = _polar(images.shape[-1])
    # Without the floor, noise of the dark sky would look like an edge.
    floor = np.maximum(DARK_SHARE * np.nan_to_num(median), 1e-6).astype(np.float32)
    polar = np.take(images.reshape(len(images), images.shape[-1] ** 2), pixels, axis=1)
    profiles = np.log(np.maximum(polar, floor[:, None, None]))
    fall = profiles[:, :, EDGE_WIDTH:] - profiles[:, :, :-EDGE_WIDTH]
    edge = radii[EDGE_WIDTH // 2 + fall.argmin(axis=2)]
    circle, scatter = _circle(edge, angles)
    ring = radii / circle[:, :1]
    above = ((ring > CORONA[0]) & (ring < CORONA[1])).astype(np.float32)
    above /= np.maximum(above.sum(axis=1, keepdims=True), 1)
    return {
        "limb_x": circle[:, 1],
        "limb_y": circle[:, 2],
        "limb_radius": circle[:, 0],
        "limb_scatter": scatter,
        "corona": (profiles @ above[:, :, None])[..., 0].astype(np.float64),
    }


def _circle(edge: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Fit (R, x, y) to points (N, angles) with small weights for outliers; return the scatter too.

    Iteratively reweighted least squares with weights 1 / max(1, distance / scatter).
    """
    terms = np.stack([np.ones_like(angles), np.cos(angles), np.sin(angles)], axis=1)
    products = (terms[:, :, None] * terms[:, None, :]).reshape(len(terms), -1)
    weight = np.ones_like(edge)
    for _ in range(5):
        normal = (weight @ products).reshape(-1, 3, 3)
        circle = np.linalg.solve(normal, ((weight * edge) @ terms)[..., None])[..., 0]
        distance = np.abs(edge - circle @ terms.T)
        scatter = np.median(distance, axis=1)
        weight = 1 / np.maximum(1, distance / (scatter[:, None] + LIMB_STEP))
    return circle, scatter


@functools.cache
def _disk(size: int) -> tuple[int, Booleans]:
    """Return the step of the pixel grid for statistics, and which of its pixels are on the disk."""
    step = max(1, size // STATISTICS_PX)
    offset = ((np.arange(size) + 0.5) / size - 0.5)[::step]
    return step, np.asarray(np.hypot(offset[:, None], offset[None, :]) < INNER_RADIUS)


@functools.cache
def _polar(size: int) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Return the pixels nearest to a polar grid (angles, radii), the angles and the radii."""
    angles = 2 * np.pi * np.arange(LIMB_ANGLES) / LIMB_ANGLES
    radii = np.arange(*LIMB_SEARCH, LIMB_STEP)
    rows = (0.5 + np.sin(angles)[:, None] * radii) * size
    columns = (0.5 + np.cos(angles)[:, None] * radii) * size
    # The last pixel is repeated beyond the border, so that the border is not an edge.
    rows, columns = (np.clip(axis, 0, size - 1).astype(np.intp) for axis in (rows, columns))
    return rows * size + columns, angles, radii


def _digests(images: Images) -> Integers:
    """Hash some pixels of each frame: two observations never have the same noise."""
    step = max(1, images.shape[-1] // DIGEST_PX)
    samples = np.ascontiguousarray(images[:, ::step, ::step])
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(frame.tobytes(), digest_size=8).digest(), signed=True)
            for frame in samples
        ],
        dtype=np.int64,
    )
