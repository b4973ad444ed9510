"""Sampling steps needed for the quality of 1000 ancestral steps.

    python -m benchmarks.quality results/archive ddpm_discrete

takes the model, the reference and the classifier of a finished run, generates images with each
sampler from the same seeds, and writes ``benchmarks/QUALITY.md``.
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
from heliosynth.evaluation.measure import Measurement
from heliosynth.io.files import read_json, write_text
from heliosynth.sampling.generate import generate_samples

ANCESTRAL = ("ddpm", 1000)
SAMPLERS = (
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
HIGHER_IS_BETTER = {"f1"}

HEADER = """# Sampling to equal quality

`{model}` of the run `{run}`, {n} images with the class mix of the training split and {per_class}
per class for F1; guidance {guidance}; ± is the standard deviation over {repeats} repeats. An
evaluation of the guided denoiser is two network passes. Not worse: no metric is worse than that of
the 1000 ancestral steps by more than the sum of the two spreads.

| sampler | evaluations | s/image | speed-up | {names} | not worse |
|---|---|---|---|{rules}---|
"""


@dataclass(frozen=True)
class Trial:
    """Metrics and cost (s) of the images of one sampler."""

    sampler: str
    steps: int
    seconds: float
    images: int
    metrics: dict[str, Any]

    @property
    def evaluations(self) -> int:
        return 2 * self.steps - 1 if self.sampler == "heun" else self.steps

    def is_not_worse(self, reference: Trial) -> bool:
        for name in METRICS:
            ours, theirs = self.metrics[name], reference.metrics[name]
            deficit = (theirs["value"] - ours["value"]) * (1 if name in HIGHER_IS_BETTER else -1)
            if deficit > ours["std"] + theirs["std"]:
                return False
        return True

    def row(self, first: Trial) -> str:
        values = " | ".join(
            f"{self.metrics[name]['value']:.3g} ± {self.metrics[name]['std']:.2g}"
            for name in METRICS
        )
        each = self.seconds / self.images
        return (
            f"| {self.sampler} | {self.evaluations} | {each:.3f} | "
            f"{first.seconds / first.images / each:.1f} | {values} | "
            f"{'yes' if self.is_not_worse(first) else 'no'} |"
        )


def main() -> None:
    """Evaluate every sampler, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="results/<run>")
    parser.add_argument("model", help="a diffusion model of the run")
    parser.add_argument("--population", type=int, default=300)
    parser.add_argument("--per-class", type=int, default=48)
    args = parser.parse_args()
    configuration = read_json(args.run / "config.json")
    evaluation = EvaluationConfig.model_validate(
        {**configuration["evaluation"], "encoders": ["efficientnet_lite0"]}
    )
    sampling = configuration["models"][args.model]["sampling"]
    sampling |= {"population": args.population, "per_class": args.per_class}
    trials = [
        _evaluate(
            args.run, args.model, {**sampling, "sampler": sampler, "steps": steps}, evaluation
        )
        for sampler, steps in SAMPLERS
    ]
    header = HEADER.format(
        model=args.model,
        run=args.run.name,
        n=args.population,
        per_class=args.per_class,
        guidance=sampling["guidance"],
        repeats=evaluation.repeats,
        names=" | ".join(METRICS),
        rules="---|" * len(METRICS),
    )
    text = header + "\n".join(trial.row(trials[0]) for trial in trials) + "\n"
    write_text(Path(__file__).with_name("QUALITY.md"), text)
    print(text)


def _evaluate(
    run: Path, model: str, sampling: dict[str, Any], evaluation: EvaluationConfig
) -> Trial:
    settings, seed = SamplingConfig.model_validate(sampling), read_json(run / "config.json")["seed"]
    dataset, real = run / "dataset" / "dataset.h5", run / "features" / "efficientnet_lite0"
    with tempfile.TemporaryDirectory(prefix="heliosynth-quality-") as folder:
        samples, features = Path(folder) / "samples.h5", Path(folder) / "features.h5"
        start = time.perf_counter()
        generate_samples(run / "models" / model, dataset, settings, seed=seed, output=samples)
        seconds = time.perf_counter() - start
        encoder = load_encoder("efficientnet_lite0")
        groups = read_image_groups(samples)
        encoded_by = EncodedBy(
            encoder.name, encoder.description, encoder.weights_sha256, encoder.size_px
        )
        values = {name: encoder.features(images) for name, images in groups.items()}
        write_features(features, values, encoded_by)
        classifier = run / "metrics" / "classifier.safetensors"
        measurement = Measurement.read(
            dataset=dataset,
            features=[real / "real.h5"],
            classifier=classifier,
            settings=evaluation,
            seed=seed,
        )
        metrics = measurement.of_samples(samples, [features])
        images = sum(map(len, groups.values()))
    print(json.dumps({"sampler": settings.sampler, "steps": settings.steps, "s": seconds}))
    return Trial(settings.sampler, settings.steps, seconds, images, metrics)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
