"""Coverage of time by the frames, and agreement of two flux measures of a flare."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.catalogue.index import SCHEMA
from heliosynth.figures import style
from heliosynth.io import tables
from heliosynth.results.run import Run

UNUSED_TITLES = {"gap": "in a gap", "refused": "rejected", "none": "without a label"}
"""Frames of no split, by the value of the column ``split``."""
COLOURS = {**style.SPLIT_COLOURS, "gap": "#E8D9A0", "refused": style.ACCENT, "none": "#E4E6EA"}


def coverage(run: Run) -> Figure:
    """Plot the frames per month by split, and those in use by class."""
    index = tables.read(run.path("dataset/index.csv"), SCHEMA)
    month = index["time"].dt.to_period("M")
    months = pd.period_range(month.min(), month.max(), freq="M")
    figure = style.canvas(style.PAGE_IN, 3.2)
    by_split, by_class = figure.subplots(2, 1, sharex=True)
    titles = {**style.SPLIT_TITLES, **UNUSED_TITLES}
    counts = pd.crosstab(month, index["split"]).reindex(months, fill_value=0)
    _stack(by_split, counts, {name: (title, COLOURS[name]) for name, title in titles.items()})
    style.panel_title(by_split, 0, "frames per month by split")
    used = index["split"].isin(list(style.SPLIT_TITLES))
    counts = pd.crosstab(month[used], index.loc[used, "goes_class"]).reindex(months, fill_value=0)
    names = [goes_class.NAMES[number] for number in run.classes]
    colours = dict(zip(goes_class.NAMES, style.CLASS_COLOURS, strict=True))
    _stack(by_class, counts, {name: (name, colours[name]) for name in names})
    style.panel_title(by_class, 1, "frames in use per month by class")
    step = max(1, len(months) // 12)
    by_class.set_xticks(range(0, len(months), step), [f"{m:%Y-%m}" for m in months[::step]])
    by_class.tick_params(axis="x", rotation=30)
    return figure


def label_agreement(run: Run) -> Figure:
    """Plot the published peak flux of each flare against the largest flux measured during it."""
    index = tables.read(run.path("dataset/index.csv"), SCHEMA)
    flares = index[index["selected"] & (index["flare"] != "")].drop_duplicates("flare")
    flares = flares.dropna(subset="flare_measured_log10_flux")
    disagreement = run.summary["disagreement"]
    published = flares["log10_flux"].to_numpy(np.float64)
    measured = flares["flare_measured_log10_flux"].to_numpy(np.float64)
    figure = style.canvas(style.COLUMN_IN, 3.1)
    axes = figure.subplots()
    low, high = -8.0, -2.8
    axes.plot([low, high], [low, high], color=style.MUTED, linewidth=0.7, zorder=0)
    for edge in np.log10(goes_class.LOWER_FLUX[1:]):
        axes.axhline(edge, color="0.88", linewidth=0.5, zorder=0)
        axes.axvline(edge, color="0.88", linewidth=0.5, zorder=0)
    numbers = goes_class.of_flux(10.0**published)
    for number in run.classes:
        of_class = numbers == number
        axes.plot(
            published[of_class], measured[of_class], "o", markersize=2.2, alpha=0.6,
            markeredgewidth=0, color=style.CLASS_COLOURS[number],
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel("published: log$_{10}$ peak flux (W m$^{-2}$)")
    axes.set_ylabel("measured: log$_{10}$ largest XRS-B flux (W m$^{-2}$)")
    axes.set_title(
        f"{disagreement['other_class_measured']} of {disagreement['measured']} flares measured in "
        f"another\nclass ({disagreement['flares'] - disagreement['measured']} not measured)"
    )
    return figure


def _stack(axes: Axes, counts: pd.DataFrame, bars: dict[str, tuple[str, str]]) -> None:
    base = np.zeros(len(counts))
    for name, (title, colour) in bars.items():
        values = counts[name].to_numpy() if name in counts else np.zeros(len(counts))
        if values.any():
            axes.bar(
                range(len(counts)), values, 0.9, base, color=colour,
                label=f"{title} (n = {int(values.sum()):,})",
            )  # fmt: skip
        base += values
    axes.set_ylabel("frames")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
