"""Run every benchmark and write ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from benchmarks import attention, dataset, sampling
from heliosynth.provenance import versions, write_text

HEADER = """# Results

{machine}, {cores} cores, {threads} threads; {versions}.
Ours and the peer run in turn; medians, and the ratio peer/ours with its range over the runs.

| what | ours | peer | ratio | runs |
|---|---|---|---|---|
"""


def main() -> None:
    """Run, print and write."""
    frames, account = dataset.run()
    pairs = [frames, *(pair for benchmark in (attention, sampling) for pair in benchmark.run())]
    rows = [pair.row() for pair in pairs]
    header = HEADER.format(
        machine=platform.processor() or platform.machine(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        versions=", ".join(f"{name} {version}" for name, version in versions().items()),
    )
    text = header + "\n".join(rows) + f"\n\n{account.text()}\n"
    write_text(Path(__file__).with_name("RESULTS.md"), text)
    print(text)


if __name__ == "__main__":
    main()
