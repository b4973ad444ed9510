"""Grids of images of one size, in rows and blocks of columns, with one colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from heliosynth.dataset.store import Description
from heliosynth.figures import style

GAP_IN = 0.03
BLOCK_GAP_IN = 0.14
BAR_IN = 0.09
RIGHT_IN = 0.76
"""Width of the space for the colour bar, its ticks and its label."""


@dataclass(frozen=True)
class Mosaic:
    """Panels for images, positioned in inches.

    Attributes
    ----------
    panels
        Axes (rows, columns); the blocks are next to each other.
    blocks
        The columns of each block.
    bar
        Axes of the colour bar.
    """

    figure: Figure
    panels: npt.NDArray[Any]
    blocks: tuple[slice, ...]
    bar: Axes

    def heading(self, block: int, text: str, above_in: float = 0.05) -> None:
        """Write a title above a block, ``above_in`` inches from it."""
        x, _ = self._centre(0, block)
        y = self.panels[0, 0].get_position().y1 + above_in / self.figure.get_figheight()
        self.figure.text(x, y, text, ha="center", va="bottom", fontsize=8)

    def row_title(self, row: int, text: str, **font: Any) -> None:
        """Write a title to the left of a row."""
        box = self.panels[row, 0].get_position()
        x = box.x0 - 0.06 / self.figure.get_figwidth()
        self.figure.text(x, (box.y0 + box.y1) / 2, text, ha="right", va="center", **font)

    def note(self, row: int, block: int, text: str) -> None:
        """Write a text in place of the images of a block in a row."""
        x, y = self._centre(row, block)
        self.figure.text(x, y, text, ha="center", va="center", color=style.MUTED)

    def intensity_bar(self, description: Description, label: str | None = None) -> None:
        """Draw the colour bar of scaled intensities, with ticks in DN."""
        self.colour_bar(style.aia_colours(description.channel), -1, 1, label or "")
        low, high = np.log10([description.minimum_dn, description.maximum_dn])
        decades = np.arange(np.ceil(low), np.floor(high) + 1)
        ticks = 2 * (decades - low) / (high - low) - 1
        self.bar.set_yticks(ticks, [f"{10**decade:g}" for decade in decades])
        if label is None:
            self.bar.set_ylabel(style.intensity_label(description))

    def colour_bar(self, colours: Colormap | str, low: float, high: float, label: str) -> None:
        """Draw a colour bar."""
        mappable = ScalarMappable(Normalize(low, high), colours)
        bar = self.figure.colorbar(mappable, cax=self.bar)
        bar.outline.set_linewidth(0.4)
        self.bar.set_ylabel(label)

    def _centre(self, row: int, block: int) -> tuple[float, float]:
        """Return the centre of a block in a row, as fractions of the figure."""
        panels = self.panels[row, self.blocks[block]]
        first, last = panels[0].get_position(), panels[-1].get_position()
        return (first.x0 + last.x1) / 2, (first.y0 + first.y1) / 2


def mosaic(
    rows: int,
    blocks: Sequence[int],
    *,
    left: float = 0.25,
    top: float = 0.24,
    row_gap: float = GAP_IN,
    bottom: float = 0.04,
    width: float = style.PAGE_IN,
) -> Mosaic:
    """Lay out a figure of square panels; its height follows from its width.

    Parameters
    ----------
    rows
        Rows of panels.
    blocks
        Columns of each block.
    left, top, bottom, row_gap, width
        Margins for titles, gap between rows, and total width, inches.
    """
    columns = sum(blocks)
    gaps = (columns - len(blocks)) * GAP_IN + (len(blocks) - 1) * BLOCK_GAP_IN
    side = (width - left - RIGHT_IN - gaps) / columns
    height = top + rows * side + (rows - 1) * row_gap + bottom
    figure = Figure(figsize=(width, height))
    panels = np.empty((rows, columns), dtype=object)
    slices: list[slice] = []
    x, column = left, 0
    for block in blocks:
        slices.append(slice(column, column + block))
        for _ in range(block):
            for row in range(rows):
                y = height - top - (row + 1) * side - row * row_gap
                box = (x / width, y / height, side / width, side / height)
                panels[row, column] = figure.add_axes(box)
                style.frameless(panels[row, column])
            x, column = x + side + GAP_IN, column + 1
        x += BLOCK_GAP_IN - GAP_IN
    x += GAP_IN + 0.06 - BLOCK_GAP_IN
    bar_height = height - top - bottom
    bar = figure.add_axes((x / width, bottom / height, BAR_IN / width, bar_height / height))
    return Mosaic(figure, panels, tuple(slices), bar)


def evenly_spaced(rows: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return up to ``count`` rows, evenly spaced, as neighbouring frames are nearly identical."""
    positions = np.linspace(0, len(rows) - 1, min(count, len(rows)))
    return np.asarray(rows[positions.round().astype(int)])
