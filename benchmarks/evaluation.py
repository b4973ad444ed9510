"""Metrics of four models from cached features; FID and KID compared with torchmetrics.

The features are those of Gaussians with a power-law spectrum, like that of an encoder's features
of solar images. ``python -m benchmarks.evaluation`` runs only this benchmark.
"""

from __future__ import annotations

import multiprocessing
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from benchmarks.pairs import Pair, peak_memory_mb, time_pair
from heliosynth.arrays import Features
from heliosynth.config.evaluation import ClassifierConfig, EvaluationConfig
from heliosynth.evaluation.comparison import (
    Comparison,
    Predictions,
    ReferenceFeatures,
)
from heliosynth.evaluation.fidelity import fidelity_estimates
from heliosynth.evaluation.frechet import Gaussian, frechet_estimate, measure_fid_infinity
from heliosynth.evaluation.kernel_distance import KernelReference, kernel_distance
from heliosynth.evaluation.measure import measure_metrics

MODELS, IMAGES, DIMENSIONS, DAYS = 4, 20_000, 1280, 3000
"""Models, images of each and of the reference, numbers of a feature, days of the reference."""
SMALL = (3754, 1212)
"""Training and test frames of the archive of 2012, one an hour."""
ENCODER = "efficientnet_lite0"
SETTINGS = EvaluationConfig(
    encoders=[ENCODER],
    clusters=50,
    classifier=ClassifierConfig(epochs=1, batch_size=1, learning_rate=1, width=1),
)


@dataclass(frozen=True)
class MeasuredModels:
    """Time and memory of the metrics of all models.

    Attributes
    ----------
    seconds
        Time of each part for all models, s.
    cpu_s
        CPU time of all parts and threads, s.
    peak_mb
        Peak memory of a process that does nothing else, MB.
    """

    seconds: dict[str, float]
    cpu_s: float
    peak_mb: float

    def text(self) -> str:
        """Return the text below the table."""
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return (
            f"All metrics of {MODELS} models × {IMAGES:,} images against {IMAGES:,} with features "
            f"of {DIMENSIONS} numbers: {sum(self.seconds.values()) / 60:.1f} min, "
            f"{self.cpu_s / 60:.1f} min of CPU time ({parts}); peak memory {self.peak_mb:.0f} MB."
        )


def run(runs: int = 3) -> tuple[list[Pair], MeasuredModels]:
    """Compare FID and KID with torchmetrics, and time all metrics of four models."""
    pairs = [pair for sizes in (SMALL, (IMAGES, IMAGES)) for pair in _pairs(*sizes, runs)]
    with multiprocessing.get_context("spawn").Pool(1) as alone:
        return pairs, alone.apply(measure_models, (torch.get_num_threads(),))


def measure_models(threads: int) -> MeasuredModels:
    """Measure all metrics of the registry and those of fidelity for each model."""
    torch.set_num_threads(threads)
    reference = ReferenceFeatures({ENCODER: features(0, IMAGES)})
    seconds = {"registry": 0.0, "FID∞": 0.0, "fidelity": 0.0}
    cpu_s = 0.0
    for model in range(1, MODELS + 1):
        generated, cpu = features(model, IMAGES), time.process_time()
        start = time.perf_counter()
        comparison = _comparison(reference, generated, model)
        measure_metrics(comparison)
        registry = time.perf_counter()
        measure_fid_infinity(comparison, ENCODER)
        limit = time.perf_counter()
        fidelity_estimates(reference[ENCODER][:DAYS], generated, seed=0)
        seconds["registry"] += registry - start
        seconds["FID∞"] += limit - registry
        seconds["fidelity"] += time.perf_counter() - limit
        cpu_s += time.process_time() - cpu
    return MeasuredModels(seconds, cpu_s, peak_memory_mb())


def features(seed: int, images: int) -> Features:
    """Draw features (N, D) whose mean differs a little from seed to seed."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, DIMENSIONS + 1, dtype=np.float32) ** -0.5
    drawn: Features = rng.standard_normal((images, DIMENSIONS), dtype=np.float32)
    drawn += np.float32(0.1) * rng.standard_normal(DIMENSIONS, dtype=np.float32)
    drawn *= 2 * scale
    drawn += np.float32(0.5)
    return drawn


def _comparison(reference: ReferenceFeatures, generated: Features, seed: int) -> Comparison:
    rng = np.random.default_rng(seed)
    requested, predicted = rng.integers(5, size=(2, IMAGES)).astype(np.int8)
    return Comparison(
        reference=reference,
        features={ENCODER: generated},
        predictions=Predictions(requested, predicted, tuple(range(5))),
        settings=SETTINGS,
        seed=0,
    )


def _pairs(size: int, images: int, runs: int) -> list[Pair]:
    """Time the value and error of FID, and KID over all pairs, against torchmetrics."""
    x, y = features(0, size), features(1, images)
    reference, kernel = Gaussian.of_features(x), KernelReference.of(x)
    numbers = f"of {images:,} images against {size:,}, {DIMENSIONS} features"
    fid, kid = _peer(FrechetInceptionDistance, x), _peer(KernelInceptionDistance, x)
    return [
        time_pair(
            f"FID {numbers}: with its error, torchmetrics without",
            lambda: frechet_estimate(reference, y),
            lambda: _compute(fid, y),
            runs,
        ),
        time_pair(
            f"KID {numbers}: all pairs, torchmetrics with 100 subsets of 1000",
            lambda: kernel_distance(kernel, y),
            lambda: _compute(kid, y),
            runs,
        ),
    ]


class _Identity(torch.nn.Identity):
    num_features = DIMENSIONS


def _peer(metric: Any, reference: Features) -> Any:
    """Return a metric of torchmetrics that has its reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = metric(feature=_Identity(), reset_real_features=False)
    peer.update(torch.from_numpy(reference), real=True)
    return peer


def _compute(peer: Any, generated: Features) -> Any:
    peer.reset()
    peer.update(torch.from_numpy(generated), real=False)
    return peer.compute()


if __name__ == "__main__":
    compared, measured = run()
    print(*(pair.row() for pair in compared), measured.text(), sep="\n")
