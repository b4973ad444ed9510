"""How the training step grows with the size of images and batches, and what the study costs."""

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
"""A step that would take longer by the one before it is not tried."""
MODELS, EPOCHS, IMAGES = 4, 500, 20_420
"""The study: models, passes over the training split, and images in it."""


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
    """Measure every cell in a process of its own, and give the tables as Markdown."""
    cells = {}
    for size in SIZES_PX:
        for batch in BATCHES:
            before = cells.get((size, batch // 4))
            if batch > BATCHES[0] and (before is None or 4 * before.seconds > LIMIT_S):
                continue
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                cells[size, batch] = alone.apply(_cell, (size, batch))
    lines = [
        "Time an image and memory of a training step of the `modern` network, by batch:",
        "",
        "| | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |",
        "|---|" + "---|" * len(BATCHES),
    ]
    for size in SIZES_PX:
        texts = [cells[size, b].text() if (size, b) in cells else "–" for b in BATCHES]
        lines.append(f"| {size} px | " + " | ".join(texts) + " |")
    lines += ["", f"– would take more than {LIMIT_S:.0f} s a step.", "", study(cells[64, 16])]
    return "\n".join(lines)


def study(cell: Cell) -> str:
    """Turn the measured rate into the cost of the whole study."""
    rate = cell.batch / cell.seconds
    hours = MODELS * EPOCHS * IMAGES / rate / 3600
    what = "GPU-hours, measured" if DEVICE.type == "cuda" else "hours on this CPU, extrapolated"
    return (
        f"The study, {MODELS} models of {EPOCHS} epochs of {IMAGES:,} images at 64 px: "
        f"{hours:,.1f} {what} from {rate:,.0f} images/s in one process."
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
