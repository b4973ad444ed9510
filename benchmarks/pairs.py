"""Time two ways to do one thing, turn by turn, so that a noisy machine troubles both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm


@dataclass(frozen=True)
class Pair:
    """Seconds of each way, run by run."""

    title: str
    ours: list[float]
    peer: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times longer the peer took, run by run."""
        return [peer / ours for ours, peer in zip(self.ours, self.peer, strict=True)]

    def row(self) -> str:
        """Give a row of a Markdown table: medians, and the ratio with its range."""
        ratio = statistics.median(self.ratios)
        spread = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"
        ours, peer = statistics.median(self.ours), statistics.median(self.peer)
        n = len(self.ours)
        return f"| {self.title} | {ours:.3f} s | {peer:.3f} s | {ratio:.2f} ({spread}) | {n} |"


def time_pair(
    title: str, ours: Callable[[], object], peer: Callable[[], object], runs: int
) -> Pair:
    """Time both ways in turn, after one run of each that does not count."""
    seconds: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
    for run in tqdm(range(runs + 1), desc=title, mininterval=2):
        for way, taken in seconds.items():
            start = time.perf_counter()
            way()
            if run > 0:
                taken.append(time.perf_counter() - start)
    return Pair(title, seconds[ours], seconds[peer])


def peak_memory_mb() -> float:
    """Give the most memory that this process has had.

    The kernel's own account, since ``getrusage`` counts in what a parent had when it forked.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status does not tell the peak of memory")
