"""What the frames cover: time, splits, and how far two measures of a flare agree."""

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

OTHERS = {"gap": "in a gap", "refused": "refused", "none": "without a label"}
COLOURS = {**style.SPLIT_COLOURS, "gap": "#E8D9A0", "refused": style.ACCENT, "none": "#E4E6EA"}


def coverage(products: Run) -> Figure:
    """Draw the frames of each month, and of each class by month, by what became of them."""
    index = tables.read(products.path("dataset/index.csv"), SCHEMA)
    month = index["time"].dt.to_period("M")
    months = pd.period_range(month.min(), month.max(), freq="M")
    figure = style.canvas(style.PAGE_IN, 3.2)
    by_split, by_class = figure.subplots(2, 1, sharex=True)
    titles = {**style.SPLIT_TITLES, **OTHERS}
    counts = pd.crosstab(month, index["split"]).reindex(months, fill_value=0)
    _stack(by_split, counts, {name: (title, COLOURS[name]) for name, title in titles.items()})
    style.panel_title(by_split, 0, "frames of each month by split")
    used = index["split"].isin(list(style.SPLIT_TITLES))
    counts = pd.crosstab(month[used], index.loc[used, "goes_class"]).reindex(months, fill_value=0)
    names = [goes_class.NAMES[number] for number in products.classes]
    colours = dict(zip(goes_class.NAMES, style.CLASS_COLOURS, strict=True))
    _stack(by_class, counts, {name: (name, colours[name]) for name in names})
    style.panel_title(by_class, 1, "frames used of each month by class")
    step = max(1, len(months) // 12)
    by_class.set_xticks(range(0, len(months), step), [f"{m:%Y-%m}" for m in months[::step]])
    by_class.tick_params(axis="x", rotation=30)
    return figure


def label_agreement(products: Run) -> Figure:
    """Draw each flare's published flux against the largest that was measured during it."""
    index = tables.read(products.path("dataset/index.csv"), SCHEMA)
    flares = index[index["selected"] & (index["flare"] != "")].drop_duplicates("flare")
    flares = flares.dropna(subset="flare_measured_log10_flux")
    counted = products.summary["disagreement"]
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
    for number in products.classes:
        here = numbers == number
        axes.plot(
            published[here], measured[here], "o", markersize=2.2, alpha=0.6,
            markeredgewidth=0, color=style.CLASS_COLOURS[number],
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel("published: log$_{10}$ peak flux (W m$^{-2}$)")
    axes.set_ylabel("measured: log$_{10}$ largest XRS-B flux (W m$^{-2}$)")
    axes.set_title(
        f"{counted['other_class_measured']} of {counted['measured']} flares measured in another\n"
        f"class ({counted['flares'] - counted['measured']} not measured)"
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
