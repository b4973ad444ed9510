"""Sharing of time between light curves: each minute is taken from exactly one of them.

The order in which they are asked is: the light curve that covers most minutes first; of equal ones
that whose cadence is nearest to one minute, and then by the name of the satellite. What an earlier
one lacks is taken from the next, sample by sample: a sample counts as the minutes of its averaging
interval, and is taken only if none of them is taken already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from heliosynth.arrays import DAY_S, Booleans, Floats, Integers, Seconds
from heliosynth.sources.cadence import sample_cadence
from heliosynth.sources.goes_samples import LightCurve, Scale

MINUTE_S = 60
FINE_CADENCE_S = 30
"""Finer samples are averaged to minutes, like NOAA's product that flare classes refer to."""
LEAST_OF_MINUTE = 0.5
"""Share of a minute that must be measured for its average to count."""
LONGEST_INTERVAL_S = 7200
"""A sample stands for two hours at most, however far apart samples are."""
SAME_CADENCE = 1.5
"""Cadences of less than this ratio are one."""


@dataclass(frozen=True)
class Span:
    """What a light curve supplies without a gap of more than a day, at one cadence.

    Attributes
    ----------
    satellite, scale
        The satellite, and the scale of its flux in the files.
    cadence_s
        Time between samples, s.
    native_cadence_s
        The same in the files: finer if samples were averaged to minutes.
    first, last
        Times of the first and last valid sample, s since 1970 UTC.
    samples
        Number of valid samples.
    """

    satellite: str
    scale: Scale
    cadence_s: int
    native_cadence_s: int
    first: int
    last: int
    samples: int


def average_to_minutes(curve: LightCurve) -> LightCurve:
    """Average the stretches that are finer than :data:`FINE_CADENCE_S` to minutes.

    A minute of which less than :data:`LEAST_OF_MINUTE` was measured is missing.
    """
    cadence = sample_cadence(curve.time)
    fine = (cadence > 0) & (cadence < FINE_CADENCE_S)
    if not fine.any():
        return curve
    minutes, which = np.unique(curve.time[fine] // MINUTE_S, return_inverse=True)
    flux, weight = curve.xrsb[fine].astype(np.float64), cadence[fine].astype(np.float64)
    valid = np.isfinite(flux)
    count = np.bincount(which, weights=valid, minlength=len(minutes))
    measured_s = np.bincount(which, weights=np.where(valid, weight, 0), minlength=len(minutes))
    total = np.bincount(which, weights=np.where(valid, flux, 0), minlength=len(minutes))
    mean = np.full(len(minutes), np.nan)
    enough = measured_s >= LEAST_OF_MINUTE * MINUTE_S
    np.divide(total, count, out=mean, where=enough)
    time = np.concatenate([minutes * MINUTE_S, curve.time[~fine]])
    xrsb = np.concatenate([mean.astype(np.float32), curve.xrsb[~fine]])
    # A minute can be averaged and be a sample too, where a stretch ends.
    time, first = np.unique(time, return_index=True)
    return replace(curve, time=time, xrsb=xrsb[first])


def ranked(curves: list[LightCurve]) -> list[LightCurve]:
    """Return light curves in the order in which they are asked for minutes."""

    def key(curve: LightCurve) -> tuple[int, float, str]:
        begin, end = _minutes(curve)
        valid = np.isfinite(curve.xrsb)
        cadence = max(curve.native_cadence_s, 1)
        distance = float(abs(np.log(cadence / MINUTE_S)))
        return -int((end - begin)[valid].sum()), distance, curve.satellite

    return sorted(curves, key=key)


def share_minutes(curves: list[LightCurve]) -> list[Booleans]:
    """Return which samples of each light curve are taken.

    Missing samples are taken where no light curve has a valid one, so that the grid stays.

    Parameters
    ----------
    curves
        Light curves in the order in which they are asked.

    Returns
    -------
    list of numpy.ndarray
        For each light curve whether its samples are taken (N,).
    """
    minutes = [_minutes(curve) for curve in curves]
    first = min(int(begin.min()) for begin, _ in minutes if begin.size)
    last = max(int(end.max()) for _, end in minutes if end.size)
    # The light curve that has each minute, -1 for none.
    owner = np.full(last - first, -1, dtype=np.int16)
    taken = [np.zeros(len(curve.time), dtype=np.bool_) for curve in curves]
    for is_valid in (True, False):
        for number, curve in enumerate(curves):
            begin, end = (bound - first for bound in minutes[number])
            foreign = np.concatenate([[0], np.cumsum((owner != -1) & (owner != number))])
            rows = (np.isfinite(curve.xrsb) == is_valid) & (foreign[end] == foreign[begin])
            taken[number] |= rows
            for offset in range(int((end - begin).max(initial=0))):
                inside = rows & (begin + offset < end)
                owner[begin[inside] + offset] = number
    return taken


def spans(curve: LightCurve, taken: Booleans) -> list[Span]:
    """Return the spans of a light curve's valid samples that are taken."""
    cadence = sample_cadence(curve.time)
    # A single sample has no cadence; it can only stand for a minute.
    cadence[cadence == 0] = MINUTE_S
    rows = np.flatnonzero(taken & np.isfinite(curve.xrsb))
    if not rows.size:
        return []
    time, step = curve.time[rows], cadence[rows].astype(np.float64)
    ratio = np.maximum(step[1:], step[:-1]) / np.minimum(step[1:], step[:-1])
    ends = np.flatnonzero((np.diff(time) > DAY_S) | (ratio >= SAME_CADENCE)) + 1
    return [
        _span(curve, time[part], step[part])
        for part in (slice(a, b) for a, b in zip([0, *ends], [*ends, len(rows)], strict=True))
    ]


def _span(curve: LightCurve, time: Seconds, step: Floats) -> Span:
    cadence = int(np.median(step))
    averaged = cadence == MINUTE_S and 0 < curve.native_cadence_s < FINE_CADENCE_S
    return Span(
        satellite=curve.satellite,
        scale=curve.scale,
        cadence_s=cadence,
        native_cadence_s=curve.native_cadence_s if averaged else cadence,
        first=int(time[0]),
        last=int(time[-1]),
        samples=len(time),
    )


def _minutes(curve: LightCurve) -> tuple[Integers, Integers]:
    """Return the first minute of each sample's interval, and the one after its last (N,)."""
    cadence = np.minimum(sample_cadence(curve.time), LONGEST_INTERVAL_S)
    begin = (curve.time + MINUTE_S // 2) // MINUTE_S
    return begin, begin + np.maximum(np.rint(cadence / MINUTE_S).astype(np.int64), 1)
