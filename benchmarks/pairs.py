"""Paired timing: two implementations run alternately, so that load affects both equally."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm


@dataclass(frozen=True)
class Pair:
    """Times of both implementations, one value per run, s."""

    title: str
    ours: list[float]
    peer: list[float]

    @property
    def ratios(self) -> list[float]:
        """Time of the peer divided by ours, one value per run."""
        return [peer / ours for ours, peer in zip(self.ours, self.peer, strict=True)]

    def row(self) -> str:
        """Return a row of a Markdown table: medians, and the ratio with its range."""
        ratio = statistics.median(self.ratios)
        spread = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"
        ours, peer = statistics.median(self.ours), statistics.median(self.peer)
        n = len(self.ours)
        return f"| {self.title} | {ours:.3f} s | {peer:.3f} s | {ratio:.2f} ({spread}) | {n} |"


def time_pair(
    title: str, ours: Callable[[], object], peer: Callable[[], object], runs: int
) -> Pair:
    """Time both implementations alternately, after one warm-up run of each."""
    seconds: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
    for run in tqdm(range(runs + 1), desc=title, mininterval=2):
        for implementation, times in seconds.items():
            start = time.perf_counter()
            implementation()
            if run > 0:
                times.append(time.perf_counter() - start)
    return Pair(title, seconds[ours], seconds[peer])


def peak_memory_mb() -> float:
    """Return the peak memory of this process, MB.

    Read from the kernel, since ``getrusage`` includes the memory of the parent at the fork.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status: no VmHWM; peak memory is not available")
