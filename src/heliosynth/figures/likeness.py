"""Similarity of frames by the time between them, and across the splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth.dataset.likeness import LAGS_DAYS, ROTATION_DAYS
from heliosynth.figures import style
from heliosynth.results.run import Run

SHORTEST_DAYS = 0.05
"""Left end of the logarithmic axis of lags, days."""


def likeness(run: Run) -> Figure:
    """Plot the distance of frames against lag, and the lag of the most similar training frame."""
    product = run.json("dataset/likeness.json")
    gap_days = run.summary["gap_hours"] / 24
    figure = style.canvas(style.COLUMN_IN, 4.3)
    curve, nearest = figure.subplots(2, 1)
    _distances(curve, product["lags"], gap_days)
    style.panel_title(curve, 0, "distance of two frames")
    _nearest(nearest, product["nearest_training_frame"])
    style.panel_title(nearest, 1, "training frames, by time from each test frame")
    last = max([entry["to_days"] for entry in product["lags"]], default=1.0)
    curve.set_xscale("log")
    curve.set_xlim(SHORTEST_DAYS, max(last, 1.0))
    curve.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    for axes in (curve, nearest):
        axes.set_xlabel("time between the frames (days)")
    return figure


def _distances(axes: Axes, lags: Sequence[Mapping[str, Any]], gap_days: float) -> None:
    days = [entry["lag_days"] for entry in lags]
    lower, median, upper = ([entry[key] for entry in lags] for key in ("lower", "median", "upper"))
    axes.fill_between(
        days, lower, upper, color=style.CALM, alpha=0.2, linewidth=0, label="quartiles"
    )
    pairs = sum(entry["n"] for entry in lags)
    axes.plot(days, median, ".-", color=style.CALM, markersize=3, label=f"n = {pairs:,} pairs")
    if gap_days:
        axes.axvline(gap_days, color=style.ACCENT, linestyle=":", label="gap between splits")
    for turns in range(1, 5):
        axes.axvline(turns * ROTATION_DAYS, color=style.MUTED, linestyle=":", linewidth=0.6)
    axes.set_ylim(0, None)
    axes.set_ylabel("RMS difference (scaled)")
    # The lines of the rotations must not cross the words.
    axes.legend(loc="lower right", frameon=True, framealpha=1, edgecolor="none")


def _nearest(axes: Axes, shares: Mapping[str, Any] | None) -> None:
    axes.set_ylabel("% of frames per bin")
    if shares is None:
        axes.text(0.5, 0.5, "no test frame", transform=axes.transAxes, ha="center")
        return
    inside = [entry for entry in shares["lags"] if entry["to_days"] <= LAGS_DAYS[-1]]
    beyond = [entry for entry in shares["lags"] if entry["to_days"] > LAGS_DAYS[-1]]
    for key, title in (("share", "most similar"), ("share_by_chance", "any, by chance")):
        further = 100 * sum(entry[key] for entry in beyond)
        axes.stairs(
            [100 * entry[key] for entry in inside], _edges(inside), baseline=0,
            fill=key == "share", color=style.CALM if key == "share" else style.INK, alpha=0.7,
            label=f"{title} ({further:.0f} % further apart)",
        )  # fmt: skip
    low, high = shares["rotation_days"]
    axes.axvspan(
        low, high, color=style.ACCENT, alpha=0.15, linewidth=0,
        label=f"{low:g}–{high:g} days: {100 * shares['share_one_rotation_away']:.0f} %, by chance "
        f"{100 * shares['share_by_chance']:.0f} %",
    )  # fmt: skip
    axes.set_xlim(0, LAGS_DAYS[-1])
    axes.set_ylim(0, 1.6 * axes.get_ylim()[1])
    axes.legend(loc="upper left")


def _edges(entries: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the edges of neighbouring bins."""
    return [LAGS_DAYS[0], *[entry["to_days"] for entry in entries]]
