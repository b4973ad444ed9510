"""What was observed: the X-ray flux and the frames chosen along it."""

from __future__ import annotations

import itertools
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.catalogue.index import SCHEMA
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.io import tables
from heliosynth.results.run import Run
from heliosynth.sources.goes import XrsSeries, read_series

BINS = 1200
"""Columns of the light curve: more would not show in print."""
CLOSE_UP_DAYS = 1.5
"""Half width of the close-up, days."""

Times = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.floating[Any]]


def xrs_and_frames(products: Run) -> Figure:
    """Draw the light curve with the frames of each split, and a close-up of the largest flare."""
    series = read_series(products.path("observations/xrs.h5")).to_operational()
    index = tables.read(products.path("dataset/index.csv"), SCHEMA)
    chosen = index[index["split"].isin(list(style.SPLIT_TITLES))]
    figure = style.canvas(style.PAGE_IN, 4.1)
    curve, ribbon, close = figure.subplots(3, 1, height_ratios=[3.2, 0.9, 3.2])
    first, last = pd.Timestamp(index["time"].min()), pd.Timestamp(index["time"].max())
    if first == last:
        raise InputError(f"{products.path('dataset/index.csv')}: holds no span of time to draw")
    _light_curve(curve, series, first, last)
    ribbon.sharex(curve)
    _ribbon(ribbon, chosen)
    curve.tick_params(axis="x", labelbottom=False)
    style.panel_title(
        curve, 0, f"GOES XRS-B and the {len(chosen):,} frames chosen of {len(index):,}"
    )
    largest = chosen.nlargest(1, "log10_flux")
    peak = pd.Timestamp(largest["time"].iloc[0]) if len(largest) else first
    width = pd.Timedelta(days=CLOSE_UP_DAYS)
    _light_curve(close, series, peak - width, peak + width)
    _labels(close, chosen[(chosen["time"] - peak).abs() <= width])
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
        low = low if n else 3e-9  # below A1 is A too
        axes.axhspan(low, high, color=style.CLASS_COLOURS[n], alpha=0.13, linewidth=0)
        axes.text(
            1.005, np.sqrt(low * high), goes_class.NAMES[n], transform=axes.get_yaxis_transform(),
            va="center", color=style.CLASS_COLOURS[n], fontweight="bold",
        )  # fmt: skip
    axes.set_ylabel("1–8 Å flux (W m$^{-2}$)")
    _dates(axes)


def envelope(time: Times, flux: Floats) -> tuple[Times, Floats]:
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


def _ribbon(axes: Axes, chosen: pd.DataFrame) -> None:
    for line, split in enumerate(style.SPLIT_TITLES):
        times = chosen.loc[chosen["split"] == split, "time"]
        axes.plot(
            times, np.full(len(times), -line), "|", markersize=6, markeredgewidth=0.5,
            color=style.SPLIT_COLOURS["train" if split == "train" else "val"]
            if split != "test" else style.ACCENT,
            rasterized=True,
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
