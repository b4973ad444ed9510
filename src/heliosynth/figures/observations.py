"""The X-ray light curve and the frames used along it."""

from __future__ import annotations

import itertools

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.arrays import AnyFloats, Times
from heliosynth.catalogue.index import SCHEMA
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.io import tables
from heliosynth.results.run import Run
from heliosynth.sources.goes import XrsSeries, read_series

BINS = 1200
"""Points of a light curve; more are not visible in print."""
CLOSE_UP_DAYS = 1.5
"""Half width of the close-up, days."""
RIBBON_COLOURS = {**style.SPLIT_COLOURS, "test": style.ACCENT}
"""Colours of the splits; the usual one of the test split is too light for thin ticks."""


def xrs_and_frames(run: Run) -> Figure:
    """Plot the light curve with the frames of each split, and the days around the largest flare."""
    series = read_series(run.path("observations/xrs.h5")).to_operational()
    index = tables.read(run.path("dataset/index.csv"), SCHEMA)
    used = index[index["split"].isin(list(style.SPLIT_TITLES))]
    figure = style.canvas(style.PAGE_IN, 4.1)
    curve, ribbon, close = figure.subplots(3, 1, height_ratios=[3.2, 0.9, 3.2])
    first, last = pd.Timestamp(index["time"].min()), pd.Timestamp(index["time"].max())
    if first == last:
        raise InputError(
            f"{run.path('dataset/index.csv')}: all frames have the same time, so there is no light "
            "curve to plot; extend the period of the observations"
        )
    _light_curve(curve, series, first, last)
    ribbon.sharex(curve)
    _ribbon(ribbon, used)
    curve.tick_params(axis="x", labelbottom=False)
    style.panel_title(curve, 0, f"GOES XRS-B and the {len(used):,} frames used of {len(index):,}")
    largest = used.nlargest(1, "log10_flux")
    peak = pd.Timestamp(largest["time"].iloc[0]) if len(largest) else first
    width = pd.Timedelta(days=CLOSE_UP_DAYS)
    _light_curve(close, series, peak - width, peak + width)
    _labels(close, used[(used["time"] - peak).abs() <= width])
    style.panel_title(close, 1, f"around the largest label, {peak:%Y-%m-%d}: frames by label")
    close.set_xlabel("time (UTC)")
    return figure


def _light_curve(axes: Axes, series: XrsSeries, first: pd.Timestamp, last: pd.Timestamp) -> None:
    time = series.time.astype("datetime64[s]")
    inside = (time >= first.to_datetime64()) & (time <= last.to_datetime64())
    if np.any(inside):
        axes.plot(*envelope(time[inside], series.xrsb[inside]), color=style.INK, linewidth=0.6)
    axes.set_yscale("log")
    axes.set_ylim(3e-9, 1e-3)
    axes.set_xlim(*mdates.date2num([first, last]))  # type: ignore[no-untyped-call]
    edges = (*goes_class.LOWER_FLUX, 1e-3)
    for n, (low, high) in enumerate(itertools.pairwise(edges)):
        low = low if n else 3e-9  # A includes fluxes below A1
        axes.axhspan(low, high, color=style.CLASS_COLOURS[n], alpha=0.13, linewidth=0)
        axes.text(
            1.005, np.sqrt(low * high), goes_class.NAMES[n], transform=axes.get_yaxis_transform(),
            va="center", color=style.CLASS_COLOURS[n], fontweight="bold",
        )  # fmt: skip
    axes.set_ylabel("1–8 Å flux (W m$^{-2}$)")
    _dates(axes)


def envelope(time: Times, flux: AnyFloats) -> tuple[Times, AnyFloats]:
    """Reduce a light curve to its largest value in each of :data:`BINS` bins.

    Gaps stay gaps: a bin without a measurement is NaN.
    """
    if len(time) <= BINS:
        return time, flux
    edges = np.linspace(0, len(time), BINS + 1).astype(int)
    flux = np.where(np.isfinite(flux), flux, -np.inf)
    highest = np.maximum.reduceat(flux, edges[:-1]).astype(float)
    highest[~np.isfinite(highest)] = np.nan
    return time[edges[:-1]], highest


def _ribbon(axes: Axes, used: pd.DataFrame) -> None:
    for line, split in enumerate(style.SPLIT_TITLES):
        times = used.loc[used["split"] == split, "time"]
        axes.plot(
            times, np.full(len(times), -line), "|", markersize=6, markeredgewidth=0.5,
            color=RIBBON_COLOURS[split], rasterized=True,
        )  # fmt: skip
    axes.set_yticks([0, -1, -2], [style.SPLIT_TITLES[s] for s in style.SPLIT_TITLES])
    axes.set_ylim(-2.6, 0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (UTC)")
    _dates(axes)


def _labels(axes: Axes, frames: pd.DataFrame) -> None:
    for n, name in enumerate(goes_class.NAMES):
        of_class = frames[frames["goes_class"] == name]
        if len(of_class):
            axes.plot(
                of_class["time"], 10.0 ** of_class["log10_flux"], "o", markersize=3.5,
                color=style.CLASS_COLOURS[n], markeredgecolor=style.INK, markeredgewidth=0.4,
                clip_on=False,
                label=f"{name} (n = {len(of_class)})",
            )  # fmt: skip
    if len(frames):
        axes.legend(loc="lower left", ncols=5, handletextpad=0.1, columnspacing=0.8)


def _dates(axes: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
