"""Cost model of a run: a few constants, checked against measured runs.

The time of a job is its operations at the machine's rate, a constant per network call, and its
start-up. ``python -m benchmarks.cost results/quickstart`` measures the constants on this
machine, compares the model with the recorded times of the runs that it names, estimates larger
runs, and writes ``benchmarks/COST.md``.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls

from benchmarks import planning, scenarios
from benchmarks.training import modern_unet, step_of, study_unet
from benchmarks.work import Images, Work, encoder_flops, flops_of, parts
from heliosynth.config.schema import RunConfig
from heliosynth.evaluation import encoders
from heliosynth.io.files import write_text
from heliosynth.io.provenance import versions
from heliosynth.jobs.cpu import configure

CELLS = ((32, 4), (32, 16), (32, 64), (64, 4), (64, 16), (64, 32), (128, 4), (128, 16))
"""Sizes and batches of the `modern` network that the rates are fitted to."""
RUNS = 3


@dataclass(frozen=True)
class Machine:
    """Constants of one thread of a machine.

    Attributes
    ----------
    step_rate, pass_rate, feature_rate
        Operations per second in training steps, in passes without gradients, and in EfficientNet.
    step_s, pass_s
        Overhead of a step and of a pass, s.
    start_s
        Start-up of a job that imports torch, s.
    """

    step_rate: float
    step_s: float
    pass_rate: float
    pass_s: float
    feature_rate: float
    start_s: float

    def seconds(self, work: Work, jobs: int = 1) -> float:
        """Return the total time of the jobs on one thread, s."""
        return (
            work.step_flops / self.step_rate
            + work.steps * self.step_s
            + work.pass_flops / self.pass_rate
            + work.passes * self.pass_s
            + work.feature_flops / self.feature_rate
            + jobs * self.start_s
        )

    def text(self) -> str:
        """Return the constants as a sentence."""
        return (
            f"One thread reaches {self.step_rate / 1e9:.0f} GFLOP/s in training steps, with an "
            f"overhead of {1e3 * self.step_s:.1f} ms per step; without gradients "
            f"{self.pass_rate / 1e9:.0f} GFLOP/s and {1e3 * self.pass_s:.1f} ms per batch; "
            f"{self.feature_rate / 1e9:.0f} GFLOP/s in EfficientNet-Lite0; a job that imports "
            f"torch starts in {self.start_s:.1f} s."
        )


@dataclass(frozen=True)
class Run:
    """A finished run: its configuration, numbers of images, and the times of its jobs."""

    name: str
    configuration: RunConfig
    images: Images
    seconds: dict[str, float]

    @classmethod
    def read(cls, folder: Path) -> Run:
        """Read ``results/<run>``."""
        text = (folder / "config.json").read_text(encoding="utf-8")
        configuration = RunConfig.model_validate_json(text)
        sheets = {path.stem: path for path in (folder / "benchmarks").glob("*.tsv")}
        # The run may contain only some of its models.
        models = {n: row for n, row in configuration.models.items() if f"train_{n}" in sheets}
        configuration = configuration.model_copy(update={"models": models})
        summary = json.loads((folder / "dataset" / "summary.json").read_text(encoding="utf-8"))
        classes = {name: summary["classes"][name] for name in summary["trained_classes"]}
        images = Images(
            {name: counts["train"] for name, counts in classes.items()},
            *(sum(counts[split] for counts in classes.values()) for split in ("val", "test")),
        )
        return cls(folder.name, configuration, images, {n: _wall(p) for n, p in sheets.items()})

    def measured(self, part: str) -> tuple[float, int]:
        """Return the total time of the jobs of a part, s, and their number."""
        # Shards and models are jobs of one part, distinguished by a suffix of its name.
        seconds = [s for name, s in self.seconds.items() if name == part or _belongs_to(name, part)]
        return sum(seconds), len(seconds)


def compare(run: Run, machine: Machine) -> list[str]:
    """Return the rows of a table: predicted and measured time of each part, and their ratio."""
    rows, total_predicted, total_measured = [], 0.0, 0.0
    for part, work in parts(run.configuration, run.images).items():
        measured, jobs = run.measured(part)
        if not jobs:
            continue
        predicted = machine.seconds(work, jobs)
        total_predicted += predicted
        total_measured += measured
        rows.append(_row(run.name, part, predicted, measured))
    return [*rows, _row(run.name, "**total**", total_predicted, total_measured)]


def measure() -> Machine:
    """Measure the constants under the conditions of jobs: on one thread, with all cores busy."""
    number = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(number) as pool:
        machines = pool.starmap(_measure, [()] * number, chunksize=1)
    return Machine(*np.mean([astuple(machine) for machine in machines], axis=0))


def _measure() -> Machine:
    configure(1)
    networks = [(modern_unet(size_px=size), batch, size) for size, batch in CELLS]
    networks.append((study_unet(), 12, 64))
    steps, passes = [], []
    for network, batch, size in networks:
        work = flops_of(network, batch, size)
        step = step_of(network, batch=batch, size_px=size)
        steps.append((work.step_flops, _seconds(step)))
        passes.append((work.pass_flops, _seconds(_pass_of(network, batch, size))))
    return Machine(*_fit(steps), *_fit(passes), _feature_rate(), _start_s())


def _fit(measured: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Fit seconds = operations / rate + constant, with equal relative weights."""
    flops, seconds = np.array(measured).T
    terms = np.stack([flops, np.ones_like(flops)], axis=1) / seconds[:, None]
    (inverse, constant), _ = nnls(terms, np.ones_like(seconds))
    return float(1 / inverse), float(constant)


def _pass_of(network: torch.nn.Module, batch: int, size: int) -> Callable[[], object]:
    x, label, condition = torch.randn(batch, 1, size, size), torch.rand(batch), torch.rand(batch, 6)

    @torch.no_grad()
    def run() -> object:
        return network(x, label, condition)

    return run


def _feature_rate() -> float:
    network = encoders.efficientnet_lite0_network().eval()
    images = torch.randn(64, 3, encoders.EFFICIENTNET_SIZE_PX, encoders.EFFICIENTNET_SIZE_PX)
    with torch.no_grad():
        seconds = _seconds(lambda: network(images))
    return 64 * encoder_flops("efficientnet_lite0") / seconds


def _start_s() -> float:
    script = "import heliosynth.training.train_model, heliosynth.evaluation.measure"
    return _seconds(lambda: subprocess.run([sys.executable, "-c", script], check=True))


def _seconds(run: Callable[[], object]) -> float:
    run()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _wall(sheet: Path) -> float:
    with sheet.open(newline="", encoding="utf-8") as stream:
        return sum(float(row["s"]) for row in csv.DictReader(stream, delimiter="\t"))


def _belongs_to(name: str, part: str) -> bool:
    stem, _, last = name.rpartition("_")
    return (stem == part and last.isdigit()) or (
        part.startswith("features_") and name.startswith(f"{part}_")
    )


def _row(run: str, part: str, predicted: float, measured: float) -> str:
    ratio = predicted / measured
    return f"| {run} | {part} | {predicted:.1f} s | {measured:.1f} s | {ratio:.2f} |"


def main() -> None:
    """Measure the machine, compare with the runs, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    folders = parser.parse_args().runs
    machine = measure()
    rows = [row for folder in folders for row in compare(Run.read(folder), machine)]
    text = "\n".join(
        [
            "# Cost",
            "",
            ", ".join(f"{name} {version}" for name, version in versions().items()) + ".",
            machine.text(),
            "",
            "| run | jobs | predicted | measured | ratio |",
            "|---|---|---|---|---|",
            *rows,
            "",
            scenarios.text(lambda work: machine.seconds(work, jobs=1)),
            "",
            planning.text(),
            "",
        ]
    )
    write_text(Path(__file__).with_name("COST.md"), text)
    print(text)


if __name__ == "__main__":
    main()
