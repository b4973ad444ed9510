"""The style of all figures: sizes, fonts, colours, intensity scale, files."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine

from heliosynth import goes_class
from heliosynth.arrays import Floats, Floats32
from heliosynth.dataset.store import Description
from heliosynth.evaluation.estimate import EstimateJson
from heliosynth.io.files import atomic_file

COLUMN_IN = 3.34
"""Width of a column of the paper, inches."""
PAGE_IN = 6.92
"""Width of a page's text, inches."""
PNG_DPI = 200

CLASS_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00")
"""A, B, C, M, X, after Okabe & Ito (2008): distinct for every kind of colour vision."""
SPLIT_COLOURS: Mapping[str, str] = {"train": "#2F3E55", "val": "#7F96B8", "test": "#C7D3E6"}
SPLIT_TITLES: Mapping[str, str] = {"train": "training", "val": "validation", "test": "test"}
INK = "#20262E"
MUTED = "#6B7480"
ACCENT = "#D55E00"
CALM = "#0072B2"

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "axes.titlepad": 3,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.1,
    "image.origin": "lower",
    "image.interpolation": "nearest",
    "pdf.fonttype": 42,
    "svg.hashsalt": "heliosynth",
    "axes.formatter.useoffset": False,
    # Not among the settings that rcdefaults resets, and a matplotlibrc can hold them.
    "timezone": "UTC",
    "date.epoch": "1970-01-01T00:00:00",
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Apply the style to all figures made inside the block."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def canvas(width: float, height: float) -> Figure:
    """Make an empty figure of its size in print, inches."""
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    return Figure(figsize=(width, height), layout=layout)


def save(figure: Figure, pdf: Path | str, png: Path | str) -> None:
    """Write a figure as PDF and PNG; the same products give the same bytes."""
    with atomic_file(pdf) as unfinished:
        figure.savefig(unfinished, metadata={"CreationDate": None, "Producer": None})
    # Both files show one arrangement, which takes as long to compute as to draw.
    figure.set_layout_engine("none")
    with atomic_file(png) as unfinished:
        figure.savefig(unfinished, dpi=PNG_DPI, metadata={"Software": None})


def panel_title(axes: Axes, index: int, text: str) -> None:
    """Write ``(a) title`` above a panel; its index gives the letter."""
    letter = chr(ord("a") + index)
    axes.set_title(rf"$\bf{{({letter})}}$ {text}", loc="left")


def interval(estimate: EstimateJson) -> Floats:
    """Return the lengths of the error bar of an estimate down and up, (2, 1)."""
    value = estimate["value"]
    return np.array([[value - estimate["low"]], [estimate["high"] - value]])


def class_title(number: int) -> str:
    """Return the letter of a class: ``M`` for 3."""
    return goes_class.NAMES[number]


def flux_text(log10_flux: float) -> str:
    """Return a flux as a flare class, ``M1.2``."""
    return goes_class.flux_text(10.0**log10_flux)


@functools.cache
def aia_colours(channel: str) -> Colormap:
    """Return the standard colour map of an AIA channel.

    Parameters
    ----------
    channel
        As SDOMLv2 names it, such as ``171A``.
    """
    from sunpy.visualization.colormaps import cm

    colours: Colormap = cm.cmlist[f"sdoaia{channel.removesuffix('A')}"]
    return colours.with_extremes(bad="0.85")


def show_sun(axes: Axes, image: Floats32, description: Description) -> AxesImage:
    """Show one scaled image (H, W), north up, without ticks.

    Parameters
    ----------
    image
        Log-scaled intensity in [−1, 1].
    description
        The dataset's, for its channel.
    """
    colours = aia_colours(description.channel)
    shown = axes.imshow(np.clip(image, -1, 1), cmap=colours, vmin=-1, vmax=1)
    frameless(axes)
    return shown


def frameless(axes: Axes) -> None:
    """Remove ticks and frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def intensity_label(description: Description) -> str:
    """Return the axis label of intensities."""
    return f"AIA {description.channel.removesuffix('A')} Å intensity (DN)"
