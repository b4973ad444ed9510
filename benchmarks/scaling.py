"""Time of a training step by image and batch size, and the cost of the study."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass

import torch

from benchmarks.pairs import peak_memory_mb
from benchmarks.training import DEVICE, modern_unet, step_of

SIZES_PX = (32, 64, 128, 256)
BATCHES = (4, 16, 64, 256)
LIMIT_S = 20.0
"""A step that would take longer, extrapolated from the previous batch size, is skipped."""
MODELS, EPOCHS, IMAGES = 4, 500, 20_420
"""The study: models, epochs, and training images."""


@dataclass(frozen=True)
class Cell:
    """A training step of the `modern` network."""

    size_px: int
    batch: int
    seconds: float
    memory_mb: float

    def text(self) -> str:
        return f"{1e3 * self.seconds / self.batch:.1f} ms, {self.memory_mb:.0f} MB"


def run() -> str:
    """Measure every cell in its own process, and return the tables as Markdown."""
    cells = {}
    for size in SIZES_PX:
        for batch in BATCHES:
            previous = cells.get((size, batch // 4))
            if batch > BATCHES[0] and (previous is None or 4 * previous.seconds > LIMIT_S):
                continue
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                cells[size, batch] = alone.apply(_cell, (size, batch))
    lines = [
        "Time per image and memory of a training step of the `modern` network, by batch size:",
        "",
        "| | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |",
        "|---|" + "---|" * len(BATCHES),
    ]
    for size in SIZES_PX:
        texts = [cells[size, b].text() if (size, b) in cells else "–" for b in BATCHES]
        lines.append(f"| {size} px | " + " | ".join(texts) + " |")
    lines += ["", f"–: more than {LIMIT_S:.0f} s per step, not measured.", "", study(cells[64, 16])]
    return "\n".join(lines)


def study(cell: Cell) -> str:
    """Return the cost of the whole study at the measured rate, as a sentence."""
    rate = cell.batch / cell.seconds
    hours = MODELS * EPOCHS * IMAGES / rate / 3600
    unit = "GPU-hours, measured" if DEVICE.type == "cuda" else "hours on this CPU, extrapolated"
    return (
        f"The study, {MODELS} models of {EPOCHS} epochs of {IMAGES:,} images at 64 px: "
        f"{hours:,.1f} {unit} from {rate:,.0f} images/s in one process."
    )


def _cell(size_px: int, batch: int) -> Cell:
    step = step_of(modern_unet(size_px=size_px), batch=batch, size_px=size_px)
    step()
    start = time.perf_counter()
    step()
    seconds = time.perf_counter() - start
    on_gpu = DEVICE.type == "cuda"
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else peak_memory_mb()
    return Cell(size_px, batch, seconds, peak)
