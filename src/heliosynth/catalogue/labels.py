"""Labels of frames: GOES class, flux, and the reason for them.

All fluxes are on SWPC's operational scale, that of the published flare classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import Floats, Integers, Seconds
from heliosynth.catalogue import light_curve, schemas
from heliosynth.config.dataset import MaxWithinConfig, NearestPeakConfig
from heliosynth.errors import InputError
from heliosynth.io import tables
from heliosynth.sources import quality_flags

if TYPE_CHECKING:
    from heliosynth.sources.goes import XrsSeries

LabelRule = NearestPeakConfig | MaxWithinConfig


def label_frames(
    frames: pd.DataFrame,
    xrs: XrsSeries,
    flares: pd.DataFrame,
    rule: LabelRule,
    classes: Sequence[str] = goes_class.NAMES,
) -> pd.DataFrame:
    """Label every frame with a GOES class and a flux, or with the reason why it has none.

    A frame with a flare peak in its window takes the flare's published class and peak flux. A
    frame without one takes the background flux, unless the rule leaves it out: the median
    XRS-B flux of the whole window, which is robust to short unlisted flares and calibration
    dips, provided that half of the window was measured.

    Parameters
    ----------
    frames
        ``time``, ``year``, ``store_row``, ``exposure_s``, ``quality``; one row per frame.
    xrs
        The XRS-B flux, on either scale.
    flares
        ``start``, ``peak``, ``end``, ``peak_flux`` (W m⁻²), ``identifier``; one row per flare.
    rule
        The labelling rule.
    classes
        The classes of the study; frames of other classes are not selected.

    Returns
    -------
    pandas.DataFrame
        The frames in order of time, with ``goes_class`` (letter or empty), ``log10_flux``,
        ``flare`` (identifier or empty), ``flare_peak``, ``measured_log10_flux`` (XRS at the
        frame), ``flare_measured_log10_flux`` (largest XRS during the flare), ``selected``
        and ``reason``.
    """
    labels = frames.sort_values(["time", "store_row"], ignore_index=True)
    flares = flares.sort_values(["peak", "peak_flux"], ignore_index=True)
    time, xrs_time = seconds(labels["time"]), xrs.time
    flux = xrs.to_operational().xrsb.astype(np.float64)
    peak, peak_flux = seconds(flares["peak"]), flares["peak_flux"].to_numpy(np.float64)
    window = round(rule.window_minutes * 60)

    label_flux = np.full(len(time), np.nan)
    if isinstance(rule, NearestPeakConfig):
        flare = nearest_peak(time, peak, peak_flux, window)
    else:
        flare = largest_within(time, peak, peak_flux, window)
    if rule.without_flare == "background":
        label_flux[flare < 0] = light_curve.background(time[flare < 0], xrs_time, flux, window)
    label_flux[flare >= 0] = peak_flux[flare[flare >= 0]]
    known = np.isfinite(label_flux)
    letters = np.full(len(time), "", dtype=object)
    letters[known] = np.array(goes_class.NAMES)[goes_class.of_flux(label_flux[known])]

    labels["goes_class"] = letters
    labels["log10_flux"] = _log10(label_flux)
    labels["flare"] = _of_flare(flares["identifier"].to_numpy(object), flare, "")
    labels["flare_peak"] = _of_flare(
        flares["peak"].to_numpy("datetime64[s]"), flare, np.datetime64("NaT", "s")
    )
    labels["measured_log10_flux"] = _log10(light_curve.flux_at(time, xrs_time, flux))
    during = _flux_during(flares, xrs_time, flux)
    labels["flare_measured_log10_flux"] = _of_flare(_log10(during), flare, np.nan)
    reason = _reasons(labels, rule, classes)
    return labels.assign(selected=np.isin(reason, schemas.SELECTED), reason=reason)


def nearest_peak(time: Seconds, peak: Seconds, peak_flux: Floats, window: int) -> Integers:
    """Find the flare whose peak is nearest to each frame, at most ``window`` seconds away.

    Of two peaks at the same distance, the larger one counts.

    Parameters
    ----------
    time
        Times of the frames, s (N,).
    peak, peak_flux
        Flares in order of peak, then of flux, s and W m⁻² (F,).
    window
        Largest distance, s.

    Returns
    -------
    numpy.ndarray
        Rows of the flares, −1 where none is near enough (N,).
    """
    if len(peak) == 0:
        return np.full(len(time), -1)
    # Of several flares with one peak time, take the last, which is the largest.
    before = np.searchsorted(peak, time, side="right") - 1
    after = np.minimum(before + 1, len(peak) - 1)
    after = np.searchsorted(peak, peak[after], side="right") - 1
    before = np.maximum(before, 0)
    to_before, to_after = np.abs(time - peak[before]), np.abs(peak[after] - time)
    later = (to_after < to_before) | (
        (to_after == to_before) & (peak_flux[after] > peak_flux[before])
    )
    nearest = np.where(later, after, before)
    return np.where(np.minimum(to_before, to_after) <= window, nearest, -1)


def largest_within(time: Seconds, peak: Seconds, peak_flux: Floats, window: int) -> Integers:
    """Find the largest flare whose peak is within ``window`` seconds of each frame.

    Parameters
    ----------
    time
        Times of the frames in ascending order, s (N,).
    peak, peak_flux
        Flares, s and W m⁻² (F,).
    window
        Largest distance, s.

    Returns
    -------
    numpy.ndarray
        Rows of the flares, −1 where there is none (N,).
    """
    largest = np.full(len(time), -1)
    first = np.searchsorted(time, peak - window, side="left")
    last = np.searchsorted(time, peak + window, side="right")
    # From the smallest flare to the largest, so that the largest is assigned last.
    for flare in np.argsort(peak_flux, kind="stable"):
        largest[first[flare] : last[flare]] = flare
    return largest


def read_frames(files: Sequence[Path | str]) -> pd.DataFrame:
    """Read the tables of frames of several years into one.

    Raises
    ------
    InputError
        If a table cannot be read, or there are no frames.
    """
    # A year can have no frames of the channel.
    years = [tables.read(path, schemas.FRAMES, allow_empty=True) for path in files]
    frames = pd.concat([year for year in years if not year.empty] or years, ignore_index=True)
    if frames.empty:
        raise InputError(f"{', '.join(map(str, files))}: no frames; check the store")
    return frames


def seconds(times: pd.Series[Any]) -> Seconds:
    """Return times as whole seconds UTC."""
    return times.to_numpy("datetime64[s]").astype(np.int64)


def _reasons(labels: pd.DataFrame, rule: LabelRule, classes: Sequence[str]) -> npt.NDArray[np.str_]:
    by_flare, known = labels["flare"] != "", labels["goes_class"] != ""
    nearest = isinstance(rule, NearestPeakConfig)
    # The first condition that is true counts.
    return np.select(
        [
            quality_flags.is_bad(labels["quality"]),
            known & ~labels["goes_class"].isin(list(classes)),
            by_flare,
            known,
        ],
        [
            schemas.QUALITY_FLAG,
            schemas.OTHER_CLASS,
            schemas.NEAREST_PEAK if nearest else schemas.LARGEST_FLARE,
            schemas.BACKGROUND,
        ],
        schemas.NO_FLUX if rule.without_flare == "background" else schemas.NO_PEAK,
    )


def _flux_during(flares: pd.DataFrame, xrs_time: Seconds, flux: Floats) -> Floats:
    # In some lists, flares across midnight start after their peak or end before it.
    peak = seconds(flares["peak"])
    start, end = (seconds(flares[bound].fillna(flares["peak"])) for bound in ("start", "end"))
    return light_curve.largest_during(
        np.minimum(start, peak), np.maximum(end, peak), xrs_time, flux
    )


def _log10(flux: Floats) -> Floats:
    return np.log10(flux, out=np.full(flux.shape, np.nan), where=np.isfinite(flux) & (flux > 0))


def _of_flare(values: npt.NDArray[Any], flare: Integers, none: Any) -> npt.NDArray[Any]:
    """Return the value of each frame's flare, or ``none``."""
    of_frames = np.full(len(flare), none, dtype=values.dtype)
    of_frames[flare >= 0] = values[flare[flare >= 0]]
    return of_frames
