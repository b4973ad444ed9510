"""Cross-check of the labels: what flare list and light curve know of each other.

The list gives most labels, the light curve measures what they should be. An incomplete list, one
of another year, another flux scale or another time zone gives wrong labels that no later stage can
see, so each is counted here, and beyond the limits of ``dataset.cross_check`` the run stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Floats, Seconds
from heliosynth.catalogue.flare_detection import Flares, detect_flares
from heliosynth.catalogue.labels import seconds
from heliosynth.catalogue.light_curve import largest_during, nearest_sample
from heliosynth.sources.cadence import sample_cadence

if TYPE_CHECKING:
    from heliosynth.sources.goes import XrsSeries

SMALLEST = goes_class.LOWER_FLUX[goes_class.NAMES.index("C")]
"""Flares from here on are compared, W m⁻²: lists of smaller ones are far from complete."""

A_CLASS = 10.0
"""Ratio of fluxes that are a class apart."""

TOLERANCE_S = 600
"""Largest time between the listed and the measured peak of a flare, at least two samples, s."""

LONGEST_CADENCE_S = 600
"""A light curve of a longer cadence does not show every flare at its peak, s."""

SHIFTS_S = np.arange(-26 * 3600, 26 * 3600 + 1, 900)
"""Shifts in time that are tried: all time zones, and a day, s."""

FEWEST = 5
"""Flares from which a shift in time or a ratio of fluxes is taken."""


@dataclass(frozen=True)
class Comparison:
    """Frames, light curve and flare list, each compared with another one.

    Attributes
    ----------
    window_minutes
        The window of the labelling rule: flares further from every frame are not compared.
    time, label_flux, measured_flux
        The selected frames at which the flux was measured, s and W m⁻² (N,).
    above
        Which of them have a measured flux a class or more above their label (N,).
    detected
        Flares of at least C1 in the light curve near a frame (K,).
    unlisted
        Which of them the list lacks (K,).
    peak, listed_flux
        Listed flares of at least C1 near a frame, s and W m⁻² (F,).
    covered
        Which of them the light curve covers in samples short enough to show them (F,).
    outside
        Which of them are where nothing was measured (F,).
    largest
        Largest flux measured around their peak, W m⁻², NaN if not covered (F,).
    flux_ratio
        Listed over measured peak flux of the flares that are in both, median; NaN if few.
    compared
        Number of these flares.
    shift_s
        Time by which the light curve is later than the list, s; 0 if the two agree best so.
    """

    window_minutes: float
    time: Seconds
    label_flux: Floats
    measured_flux: Floats
    above: Booleans
    detected: Flares
    unlisted: Booleans
    peak: Seconds
    listed_flux: Floats
    covered: Booleans
    outside: Booleans
    largest: Floats
    flux_ratio: float
    compared: int
    shift_s: int

    @property
    def not_measured(self) -> Booleans:
        """Which listed flares the light curve covers, but does not show (F,)."""
        return self.covered & ~(self.largest * A_CLASS > self.listed_flux)


def compare(
    labels: pd.DataFrame, xrs: XrsSeries, flares: pd.DataFrame, window_minutes: float
) -> Comparison:
    """Compare labels, light curve and flare list.

    Parameters
    ----------
    labels
        The result of :func:`heliosynth.catalogue.labels.label_frames`.
    xrs
        The light curve, on either scale.
    flares
        The flare list.
    window_minutes
        The window of the labelling rule. Flares that are further from every frame are not
        compared.
    """
    series = xrs.to_operational()
    flux = series.xrsb.astype(np.float64)
    selected = labels[labels["selected"] & labels["measured_log10_flux"].notna()]
    label_flux, measured_flux = (
        10 ** selected[name].to_numpy(np.float64) for name in ("log10_flux", "measured_log10_flux")
    )
    frames, window = np.sort(seconds(labels["time"])), round(window_minutes * 60)
    detected = detect_flares(series.time, flux, SMALLEST)
    listed = flares.sort_values(["peak", "peak_flux"])
    peak, listed_flux = seconds(listed["peak"]), listed["peak_flux"].to_numpy(np.float64)
    ratios = _flux_ratios(detected, peak, listed_flux)
    shift_s = _time_shift(detected, peak, listed_flux)
    detected = detected.take(_is_near(detected.peak, frames, window))
    unlisted = ~_is_listed(detected, peak, listed_flux, 0)
    compared = _is_near(peak, frames, window) & (listed_flux >= SMALLEST)
    peak, listed_flux = peak[compared], listed_flux[compared]
    measured = np.isfinite(flux)
    tolerance = _tolerance(peak, series.time)
    largest = largest_during(peak - tolerance, peak + tolerance, series.time, flux)
    covered = _is_covered(peak, series.time[measured])
    return Comparison(
        window_minutes=window_minutes,
        time=seconds(selected["time"]),
        label_flux=label_flux,
        measured_flux=measured_flux,
        above=goes_class.of_flux(measured_flux) > goes_class.of_flux(label_flux),
        detected=detected,
        unlisted=unlisted,
        peak=peak,
        listed_flux=listed_flux,
        covered=covered,
        outside=~np.isfinite(largest),
        largest=np.where(covered, largest, np.nan),
        flux_ratio=float(np.median(ratios)) if len(ratios) >= FEWEST else float("nan"),
        compared=len(ratios),
        shift_s=shift_s,
    )


def spans(labels: pd.DataFrame, xrs: XrsSeries, flares: pd.DataFrame) -> dict[str, Any]:
    """Return the span that each source covers, for JSON: first and last time, number, gaps."""
    measured = xrs.time[np.isfinite(xrs.xrsb)]
    cadences, counts = np.unique(sample_cadence(measured), return_counts=True)
    # The intervals of a gap belong to the samples on both sides of it.
    gaps = np.flatnonzero(np.diff(measured) > 3 * sample_cadence(measured)[1:])
    lengths = np.diff(measured)[gaps]
    common = np.argsort(-counts, kind="stable")[:FEWEST]
    frames, peak = seconds(labels["time"]), seconds(flares["peak"])
    inside = (frames >= peak.min()) & (frames <= peak.max()) if len(peak) else np.zeros(1)
    return {
        "frames": _span(frames),
        "light_curve": {
            **_span(measured),
            "cadences_s": {str(cadences[n]): int(counts[n]) for n in common},
            "gaps": len(gaps),
            "hours_in_gaps": round(float(lengths.sum()) / 3600, 1),
            "longest_gap": _span(measured[gaps[lengths.argmax()] + [0, 1]]) if len(gaps) else None,
        },
        "flares": _span(peak),
        "frames_in_time_of_flares": round(float(inside.mean()), 4),
    }


def _span(time: Seconds) -> dict[str, Any]:
    if not len(time):
        return {"n": 0, "first": None, "last": None}
    return {"n": len(time), "first": iso(time.min()), "last": iso(time.max())}


def iso(time: np.int64 | int) -> str:
    """Return a time in seconds as ``2012-07-12T16:49:00``."""
    return str(np.datetime64(int(time), "s"))


def _is_near(time: Seconds, others: Seconds, tolerance: int) -> Booleans:
    """Return which times have one of the others, in ascending order, within a tolerance."""
    first = np.searchsorted(others, time - tolerance, side="left")
    return np.asarray(np.searchsorted(others, time + tolerance, side="right") > first)


def _is_listed(detected: Flares, peak: Seconds, listed_flux: Floats, shift_s: int) -> Booleans:
    """Return which flares the list has near their time, less than a class smaller (K,)."""
    tolerance = np.maximum(TOLERANCE_S, 2 * detected.cadence)
    time = detected.peak - shift_s
    largest = largest_during(time - tolerance, time + tolerance, peak, listed_flux)
    return np.asarray(largest * A_CLASS > detected.flux)


def _tolerance(peak: Seconds, xrs_time: Seconds) -> Seconds:
    if len(xrs_time) < 2:
        return np.full(len(peak), TOLERANCE_S)
    cadence = sample_cadence(xrs_time)[nearest_sample(peak, xrs_time)]
    return np.asarray(np.maximum(TOLERANCE_S, 2 * cadence))


def _is_covered(peak: Seconds, measured: Seconds) -> Booleans:
    """Return which flares have measured samples at, before and after their peak (F,)."""
    if len(measured) < 2:
        return np.zeros(len(peak), dtype=bool)
    nearest = nearest_sample(peak, measured)
    cadence = sample_cadence(measured)[nearest]
    covered = (cadence <= LONGEST_CADENCE_S) & (np.abs(measured[nearest] - peak) <= cadence)
    for side in (-1, 1):
        covered &= _is_near(peak + side * TOLERANCE_S, measured, TOLERANCE_S)
    return np.asarray(covered)


def _can_be_listed(detected: Flares, peak: Seconds) -> Booleans:
    """Return which flares are in the time of the list, at a cadence that shows their peak (K,)."""
    inside = _is_near(detected.peak, peak, int(SHIFTS_S[-1]))
    return inside & (detected.cadence <= LONGEST_CADENCE_S)


def _flux_ratios(detected: Flares, peak: Seconds, listed_flux: Floats) -> Floats:
    """Return listed over measured flux of the flares that are in both, if these are most."""
    short = _can_be_listed(detected, peak)
    both = short & _is_listed(detected, peak, listed_flux, 0)
    if not both.any() or both.sum() < short.sum() / 2:
        return np.empty(0)
    time = detected.peak[both]
    largest = largest_during(time - TOLERANCE_S, time + TOLERANCE_S, peak, listed_flux)
    known = np.isfinite(largest)
    return np.asarray(largest[known] / detected.flux[both][known])


def _time_shift(detected: Flares, peak: Seconds, listed_flux: Floats) -> int:
    """Return the time by which the light curve is later than the list, s, 0 if none is clear."""
    flares = detected.take(_can_be_listed(detected, peak))
    if len(flares.peak) < FEWEST:
        return 0
    listed = [_is_listed(flares, peak, listed_flux, int(shift)).sum() for shift in SHIFTS_S]
    now = int(listed[len(SHIFTS_S) // 2])
    best = int(np.argmax(listed))
    clear = listed[best] >= max(FEWEST, 2 * now, len(flares.peak) / 2)
    return int(SHIFTS_S[best]) if clear else 0
