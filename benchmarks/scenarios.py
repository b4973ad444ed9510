"""Estimated cost of larger runs, by the model of :mod:`benchmarks.cost`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.work import Images, Work, generated, parameters, parts
from heliosynth.config.loading import merge, resolve
from heliosynth.config.schema import RunConfig

ROOT = Path(__file__).parents[1]
STUDY = Images({"A": 1021, "B": 7147, "C": 8168, "M": 3676, "X": 408}, 2000, 4000)
"""The study's 20,420 training images; the class mix hardly changes the cost."""
CHUNK_FRAMES, FRAME_PX = 15, 512
"""Frames per chunk and width of a frame of SDOMLv2; reading a frame reads its whole chunk."""
GPU_FLOPS = 1e14
"""Assumed sustained rate of a GPU, FLOP/s: a tenth of an H100's peak in bfloat16."""
CHECKPOINTS, TENSORS_PER_CHECKPOINT = 2, 4
"""Checkpoints of a training on disk; each has the weights, their EMA and two moments."""
LATENT_PX, FULL_PX = 128, 4096

Seconds = Callable[[Work], float]


@dataclass(frozen=True)
class Scenario:
    """A run: changes to ``config/paper.yaml``, repeated ``times`` times."""

    title: str
    changes: Mapping[str, Any]
    times: int = 1
    frame_px: int = FRAME_PX
    frames_per_read: int = CHUNK_FRAMES

    def configuration(self) -> RunConfig:
        """Return the resolved configuration."""
        raw: dict[str, Any] = {}
        for name in ("config.yaml", "config/paper.yaml"):
            raw = merge(raw, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))
        return resolve(merge(raw, self.changes))


def _of(preset: str, size: int = 64, **more: Any) -> dict[str, Any]:
    return {
        "dataset": {"image_size_px": size},
        "defaults": {"ddpm": {"preset": preset, **more}},
    }


SCENARIOS = (
    Scenario("the study, as published", _of("study")),
    Scenario("the same, `modern`", _of("modern")),
    Scenario("128 px, `study`", _of("study", 128)),
    Scenario("128 px, `modern`", _of("modern", 128)),
    Scenario("nine channels, `modern`", _of("modern"), times=9),
    Scenario(
        "4096 px as latents of 128 px, `modern` three times as wide",
        _of("modern", LATENT_PX, network={"width": 96}),
        frame_px=FULL_PX,
        frames_per_read=1,
    ),
)


def text(seconds: Seconds) -> str:
    """Return the table of the cost of each scenario, as Markdown."""
    lines = [
        "| run | training | sampling | other | core-hours, this machine | GPU-hours | read "
        "| disk |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(scenario, seconds) for scenario in SCENARIOS),
        "",
        f"Operations in PFLOP, counted; {STUDY.trained:,} training images. Core-hours by the "
        f"constants above. GPU-hours are an estimate, at {GPU_FLOPS / 1e12:.0f} TFLOP/s. Read: "
        "upper limit, every frame in a different chunk, before compression.",
    ]
    return "\n".join(lines)


def _row(scenario: Scenario, seconds: Seconds) -> str:
    configuration = scenario.configuration()
    work = parts(configuration, STUDY)
    totals = {"train_": Work(), "sample_": Work(), "": Work()}
    for name, part in work.items():
        kind = next(prefix for prefix in totals if name.startswith(prefix))
        totals[kind] += part
    operations = [scenario.times * part.flops / 1e15 for part in totals.values()]
    hours = scenario.times * sum(map(seconds, work.values())) / 3600
    frames = STUDY.trained + STUDY.validation + STUDY.test
    read = scenario.times * frames * scenario.frames_per_read * scenario.frame_px**2 * 4
    return (
        f"| {scenario.title} | " + " | ".join(f"{number:,.1f}" for number in operations) + " | "
        f"{hours:,.0f} | {1e15 * sum(operations) / GPU_FLOPS / 3600:,.1f} | "
        f"{read / 1e9:,.0f} GB | {scenario.times * disk_bytes(configuration) / 1e9:,.1f} GB |"
    )


def disk_bytes(configuration: RunConfig) -> float:
    """Return the bytes of images and checkpoints of a run, in single precision."""
    frames = STUDY.trained + STUDY.validation + STUDY.test
    models = configuration.models.values()
    # Each frame is stored twice: averaged, and scaled in dataset.h5.
    images = 2 * frames + sum(generated(model, STUDY) for model in models)
    checkpoints = (
        CHECKPOINTS * TENSORS_PER_CHECKPOINT * sum(parameters(m, configuration) for m in models)
    )
    return 4 * (images * configuration.dataset.image_size_px**2 + checkpoints)
