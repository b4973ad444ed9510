"""How few steps give images as good as the 1000 of the ancestral sampler.

    python -m benchmarks.quality results/archive ddpm_discrete

takes the model, the reference and the judge of a finished run, generates its images anew with
each sampler from the same seeds, and writes ``benchmarks/QUALITY.md``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from heliosynth.config.evaluation import EvaluationConfig
from heliosynth.config.models import SamplingConfig
from heliosynth.evaluation.encoders import load_encoder
from heliosynth.evaluation.features import EncodedBy, read_image_groups, write_features
from heliosynth.evaluation.measure import measure
from heliosynth.io.files import read_json, write_text
from heliosynth.sampling.generate import generate_samples

ANCESTRAL = ("ddpm", 1000)
TRIED = (
    ANCESTRAL,
    ("ddpm", 100),
    ("ddim", 50),
    ("heun", 9),
    ("dpm_solver_2m", 24),
    ("dpm_solver_2m", 16),
    ("dpm_solver_2m", 12),
    ("dpm_solver_2m", 8),
)
METRICS = ("cluster_error", "fid_efficientnet_lite0", "kid_efficientnet_lite0", "f1")
RISES = {"f1"}
"""Metrics of which more is better."""

HEADER = """# SamplingConfig to equal quality

`{model}` of the run `{run}`, {n} images of the class mix of training and {per_class} a class for
F1; guidance {guidance}; ± is the standard deviation over {repeats} repeats. Evaluations are of the
denoiser, guided, so of two batches each. No worse: no metric is worse than that of the 1000
ancestral steps by more than the two spreads together.

| sampler | evaluations | s an image | times faster | {names} | no worse |
|---|---|---|---|{rules}---|
"""


@dataclass(frozen=True)
class Trial:
    """What a sampler's images are worth, and what they cost."""

    sampler: str
    steps: int
    seconds: float
    images: int
    found: dict[str, Any]

    @property
    def evaluations(self) -> int:
        return 2 * self.steps - 1 if self.sampler == "heun" else self.steps

    def is_no_worse(self, than: Trial) -> bool:
        for name in METRICS:
            mine, its = self.found[name], than.found[name]
            worse = (its["value"] - mine["value"]) * (1 if name in RISES else -1)
            if worse > mine["std"] + its["std"]:
                return False
        return True

    def row(self, first: Trial) -> str:
        values = " | ".join(
            f"{self.found[name]['value']:.3g} ± {self.found[name]['std']:.2g}" for name in METRICS
        )
        each = self.seconds / self.images
        return (
            f"| {self.sampler} | {self.evaluations} | {each:.3f} | "
            f"{first.seconds / first.images / each:.1f} | {values} | "
            f"{'yes' if self.is_no_worse(first) else 'no'} |"
        )


def main() -> None:
    """Try every sampler, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="results/<run>")
    parser.add_argument("model", help="a diffusion model of it")
    parser.add_argument("--population", type=int, default=300)
    parser.add_argument("--per-class", type=int, default=48)
    args = parser.parse_args()
    configuration = read_json(args.run / "config.json")
    evaluation = EvaluationConfig.model_validate(
        {**configuration["evaluation"], "encoders": ["efficientnet_lite0"]}
    )
    row = configuration["models"][args.model]["sampling"]
    row |= {"population": args.population, "per_class": args.per_class}
    trials = [
        _try(args.run, args.model, {**row, "sampler": sampler, "steps": steps}, evaluation)
        for sampler, steps in TRIED
    ]
    header = HEADER.format(
        model=args.model,
        run=args.run.name,
        n=args.population,
        per_class=args.per_class,
        guidance=row["guidance"],
        repeats=evaluation.repeats,
        names=" | ".join(METRICS),
        rules="---|" * len(METRICS),
    )
    text = header + "\n".join(trial.row(trials[0]) for trial in trials) + "\n"
    write_text(Path(__file__).with_name("QUALITY.md"), text)
    print(text)


def _try(run: Path, model: str, row: dict[str, Any], evaluation: EvaluationConfig) -> Trial:
    settings, seed = SamplingConfig.model_validate(row), read_json(run / "config.json")["seed"]
    dataset, real = run / "dataset" / "dataset.h5", run / "features" / "efficientnet_lite0"
    with tempfile.TemporaryDirectory(prefix="heliosynth-quality-") as folder:
        samples, features = Path(folder) / "samples.h5", Path(folder) / "features.h5"
        start = time.perf_counter()
        generate_samples(run / "models" / model, dataset, settings, seed, samples)
        seconds = time.perf_counter() - start
        encoder = load_encoder("efficientnet_lite0", "")
        groups = read_image_groups(samples)
        encoded_by = EncodedBy(
            encoder.name, encoder.description, encoder.weights_sha256, encoder.size_px
        )
        values = {name: encoder.features(images) for name, images in groups.items()}
        write_features(features, values, encoded_by)
        judge = run / "metrics" / "classifier.safetensors"
        found = measure(dataset, [real / "real.h5"], judge, evaluation, seed, samples, [features])
        images = sum(map(len, groups.values()))
    print(json.dumps({"sampler": settings.sampler, "steps": settings.steps, "s": seconds}))
    return Trial(settings.sampler, settings.steps, seconds, images, found)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
