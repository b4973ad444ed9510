"""Flare list, light curve and labels against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Floats, Seconds
from heliosynth.catalogue import schemas
from heliosynth.catalogue.cross_check import Comparison, compare
from heliosynth.figures import style
from heliosynth.io import tables
from heliosynth.results.run import Run
from heliosynth.sources.goes import read_series

SOURCES = {"frames": "frames", "light_curve": "light curve", "flares": "flare list"}


def label_cross_check(run: Run) -> Figure:
    """Plot the flares and frames that agree and those that do not, and the span of each source."""
    counts = run.json("dataset/cross_check.json")
    labels = tables.read(run.path("dataset/labels.csv"), schemas.LABELS)
    xrs = read_series(run.path("observations/xrs.h5"))
    flares = tables.read(run.path("observations/flares.csv"), schemas.FLARES)
    c = compare(labels, xrs, flares, counts["window_minutes"])
    figure = style.canvas(style.COLUMN_IN, 5.6)
    spans, detected, listed, frames = figure.subplots(4, 1, height_ratios=[1, 2.2, 2.2, 3.2])
    first, last = _spans(spans, counts["spans"])
    _flares(detected, c.detected.peak, c.detected.flux, {"not listed": c.unlisted})
    style.panel_title(detected, 0, f"{len(c.detected.peak):,} flares in the light curve")
    _flares(
        listed,
        c.peak,
        c.listed_flux,
        {"not shown": c.not_measured, "no data": c.outside},
    )
    style.panel_title(listed, 1, f"{len(c.peak):,} listed flares")
    for axes in (spans, detected, listed):
        axes.set_xlim(*mdates.date2num([first, last]))  # type: ignore[no-untyped-call]
        locator = mdates.AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.tick_params(axis="x", labelbottom=axes is listed)
    _frames(frames, c)
    return figure


def _spans(axes: Axes, spans: Mapping[str, Any]) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Draw a bar for the time that each source covers; return the first and the last time."""
    times = []
    for line, key in enumerate(SOURCES):
        span = spans[key]
        if span["first"] is None:
            continue
        first, last = pd.Timestamp(span["first"]), pd.Timestamp(span["last"])
        bar = np.array([first, last], dtype="datetime64[s]")
        axes.plot(bar, [-line, -line], color=style.CALM, linewidth=5, solid_capstyle="butt")
        times += [first, last]
    axes.set_yticks([0, -1, -2], list(SOURCES.values()))
    axes.set_ylim(-2.7, 0.7)
    axes.tick_params(axis="y", length=0)
    margin = (max(times) - min(times)) * 0.01 + pd.Timedelta(hours=1)
    return min(times) - margin, max(times) + margin


def _flares(axes: Axes, peak: Seconds, flux: Floats, marked: Mapping[str, Booleans]) -> None:
    time = peak.astype("datetime64[s]")
    agree = ~np.any([np.zeros(len(peak), bool), *marked.values()], axis=0)
    axes.plot(
        time[agree], flux[agree], "o", markersize=2, markeredgewidth=0, alpha=0.5,
        color=style.MUTED, label=f"agree ({np.count_nonzero(agree):,})", rasterized=True,
    )  # fmt: skip
    for (title, chosen), marker in zip(marked.items(), "xv", strict=False):
        if chosen.any():
            axes.plot(
                time[chosen], flux[chosen], marker, markersize=3, color=style.ACCENT,
                markeredgewidth=0.7, label=f"{title} ({np.count_nonzero(chosen):,})",
            )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(8e-7, 5e-3)
    for edge in goes_class.LOWER_FLUX[2:]:
        axes.axhline(edge, color="0.88", linewidth=0.5, zorder=0)
    axes.set_ylabel("peak (W m$^{-2}$)")
    axes.legend(loc="upper right", ncols=3, columnspacing=0.8, handletextpad=0.1)


def _frames(axes: Axes, c: Comparison) -> None:
    low, high = 1e-8, 1e-3
    axes.plot([low, high], [low, high], color=style.MUTED, linewidth=0.7, zorder=0)
    for chosen, colour, title in (
        (~c.above, style.CALM, "others"),
        (c.above, style.ACCENT, "a class or more above"),
    ):
        axes.plot(
            c.label_flux[chosen], c.measured_flux[chosen], "o", markersize=2, alpha=0.5,
            markeredgewidth=0, color=colour, rasterized=True,
            label=f"{title} (n = {np.count_nonzero(chosen):,})",
        )  # fmt: skip
    for edge in goes_class.LOWER_FLUX[1:]:
        axes.axhline(edge, color="0.88", linewidth=0.5, zorder=0)
        axes.axvline(edge, color="0.88", linewidth=0.5, zorder=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_xlabel("label: flux (W m$^{-2}$)")
    axes.set_ylabel("measured (W m$^{-2}$)")
    axes.legend(loc="upper left")
    style.panel_title(axes, 2, f"{len(c.time):,} frames")
