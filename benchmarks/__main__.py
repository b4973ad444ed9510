"""Run every benchmark and write ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from benchmarks import dataset, evaluation, floors, sampling, scaling, training
from heliosynth.io.files import write_text
from heliosynth.io.provenance import versions
from heliosynth.jobs.cpu import configure

HEADER = """# Results

{machine}, {cores} cores, {threads} threads; {versions}.
Ours and the peer run alternately; medians, and the ratio peer/ours with its range over the runs.

| what | ours | peer | ratio | runs |
|---|---|---|---|---|
"""
LIMITS = """
{text}

| what | measured | arithmetic | bytes, unfused |
|---|---|---|---|
"""


def main() -> None:
    """Run all benchmarks, print and write the results."""
    configure(torch.get_num_threads())
    frames, averaging = dataset.run()
    steps, step_limits = training.run()
    distances, models = evaluation.run()
    pairs = [frames, *steps, *sampling.run(), *distances]
    header = HEADER.format(
        machine=_processor(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        versions=", ".join(f"{name} {version}" for name, version in versions().items()),
    )
    parts = [
        header + "\n".join(pair.row() for pair in pairs),
        averaging.text(),
        models.text(),
        LIMITS.format(text=floors.text()).strip("\n")
        + "\n"
        + "\n".join(f.row() for f in step_limits),
        scaling.run(),
    ]
    text = "\n\n".join(parts) + "\n"
    write_text(Path(__file__).with_name("RESULTS.md"), text)
    print(text)


def _processor() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
