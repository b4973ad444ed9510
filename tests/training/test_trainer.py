"""The training loop, on objectives whose course is known."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heliosynth.config.models import TrainingConfig
from heliosynth.errors import InputError
from heliosynth.training import trainer
from heliosynth.training.checkpoint import CheckpointFolder
from heliosynth.training.data import ConditionedImages
from heliosynth.training.objective import Objective
from heliosynth.training.trainer import Trainer, TrainingResult

COSINE_AND_FLIPS = {"decay": "cosine", "flips": True}


class MeanObjective(Objective):
    """Learns the mean of its images; can fail at a step."""

    def __init__(self, interrupted_at: int | None = None, infinite_from: int = 10**9) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))
        self.dropout = nn.Dropout(0.3)
        self.interrupted_at, self.infinite_from, self.steps = interrupted_at, infinite_from, 0

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> dict[str, Tensor]:
        return {"noise": torch.randn(shape, generator=generator)}

    def loss(self, images: Tensor, condition: Tensor, noise: Mapping[str, Tensor]) -> Tensor:
        if self.training:
            self.steps += 1
            if self.steps == self.interrupted_at:
                raise KeyboardInterrupt
        loss = ((self.dropout(images) + 0.1 * noise["noise"] - self.value) ** 2).mean()
        return loss * (math.inf if self.training and self.steps >= self.infinite_from else 1)


def training_config(**changes: object) -> TrainingConfig:
    basic = {"images": 100, "batch_size": 4, "learning_rate": 0.05, "ema_decay": 0.9}
    return TrainingConfig.model_validate({**basic, "validations": 5, "checkpoints": 10, **changes})


def checkpoint_folder(root: Path, settings: TrainingConfig) -> CheckpointFolder:
    return CheckpointFolder(root, settings.model_dump(mode="json", exclude={"time_budget_minutes"}))


def fit(
    checkpoints: Path,
    objective: Objective,
    validation: int = 6,
    seed: int = 3,
    deadline: float = math.inf,
    **changes: object,
) -> TrainingResult:
    generator = torch.Generator().manual_seed(0)
    pixels = 0.4 + 0.1 * torch.randn(10, 1, 2, 2, generator=generator)
    settings = training_config(**changes)
    return Trainer(
        objective=objective,
        images=ConditionedImages(pixels, torch.zeros(4, 10, 0)),
        sampling_weights=np.full(10, 0.1),
        validation=ConditionedImages(pixels[:validation], torch.zeros(1, validation, 0)),
        settings=settings,
        seed=seed,
        checkpoints=checkpoint_folder(checkpoints, settings),
        deadline=deadline,
    ).fit()


def assert_same(result: TrainingResult, expected: TrainingResult) -> None:
    torch.testing.assert_close(result.weights, expected.weights, rtol=0, atol=0)
    assert result.best_images == expected.best_images
    for row, expected_row in zip(result.history, expected.history, strict=True):
        assert {**row, "seconds": 0} == {**expected_row, "seconds": 0}


@pytest.mark.parametrize("step", [1, 2, 4, 14, 25])
def test_resumed_equals_uninterrupted_to_the_bit(tmp_path: Path, step: int) -> None:
    uninterrupted = fit(tmp_path / "uninterrupted", MeanObjective(), **COSINE_AND_FLIPS)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "resumed", MeanObjective(interrupted_at=step), **COSINE_AND_FLIPS)
    resumed = fit(tmp_path / "resumed", MeanObjective(), **COSINE_AND_FLIPS)
    assert_same(resumed, uninterrupted)


def test_a_time_budget_stops_early_and_changes_nothing(tmp_path: Path) -> None:
    uninterrupted = fit(tmp_path / "uninterrupted", MeanObjective())
    stopped = fit(tmp_path / "stopped", MeanObjective(), time_budget_minutes=1e-9)
    assert stopped.stop_reason == "time budget"
    assert stopped.images == 4
    assert stopped.history[-1]["images"] == 4
    assert stopped.weights
    resumed = fit(tmp_path / "stopped", MeanObjective())
    assert resumed.stop_reason == "planned length"
    assert_same(resumed, uninterrupted)


def test_deadlines_at_every_step_change_nothing(tmp_path: Path) -> None:
    uninterrupted = fit(tmp_path / "uninterrupted", MeanObjective(), **COSINE_AND_FLIPS)
    images = []
    for _ in range(uninterrupted.planned_images // 4):
        result = fit(tmp_path / "stopped", MeanObjective(), deadline=0, **COSINE_AND_FLIPS)
        images.append(result.images)
    assert images == list(range(4, uninterrupted.planned_images + 1, 4))
    assert result.stop_reason == "planned length"
    assert_same(result, uninterrupted)


@pytest.mark.parametrize("deadline", [0, math.inf])
def test_a_finished_training_takes_no_further_step(tmp_path: Path, deadline: float) -> None:
    first = fit(tmp_path, MeanObjective())
    objective = MeanObjective()
    assert_same(fit(tmp_path, objective, deadline=deadline), first)
    assert objective.steps == 0


def test_a_time_budget_spans_deadlines_then_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(trainer, "time", types.SimpleNamespace(monotonic=lambda: now))

    class OneSecondPerStep(MeanObjective):
        def loss(self, *batch: Any) -> Tensor:
            nonlocal now
            now += 1.0 if self.training else 0.0
            return super().loss(*batch)

    stop_reasons = [
        fit(tmp_path, OneSecondPerStep(), deadline=0, time_budget_minutes=3.5 / 60).stop_reason
        for _ in range(8)
    ]
    assert stop_reasons == 2 * ["deadline", "deadline", "deadline", "time budget"]


def test_the_value_is_learnt_and_the_history_recorded(tmp_path: Path) -> None:
    result = fit(tmp_path, MeanObjective(), images=1000)
    assert float(result.weights["value"]) == pytest.approx(0.4, abs=0.1)
    assert [row["images"] for row in result.history] == [200, 400, 600, 800, 1000]
    losses = [row["val_loss"] for row in result.history]
    assert result.best_loss == min(loss for loss in losses if loss is not None)
    best = [row["images"] for row in result.history if row["val_loss"] == result.best_loss]
    assert result.best_images in best


def test_without_validation_images_the_last_weights_are_best(tmp_path: Path) -> None:
    result = fit(tmp_path, MeanObjective(), validation=0)
    assert result.best_loss is None
    assert result.best_images == result.images == 100


def test_validation_has_the_same_noise_each_time(tmp_path: Path) -> None:
    result = fit(tmp_path, MeanObjective(), learning_rate=1e-30)
    assert len({row["val_loss"] for row in result.history}) == 1
    other_seed = fit(tmp_path / "other", MeanObjective(), learning_rate=1e-30, seed=4)
    assert other_seed.history[0]["val_loss"] == result.history[0]["val_loss"]


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not finite after \d+ images; lower .*learning_rate"):
        fit(tmp_path, MeanObjective(infinite_from=12))
    checkpoint = checkpoint_folder(tmp_path, training_config()).load()
    assert checkpoint is not None
    assert checkpoint.counters.step <= 11
    assert all(torch.isfinite(tensor).all() for tensor in checkpoint.weights.values())


def test_an_infinite_gradient_of_a_finite_loss_is_an_error(tmp_path: Path) -> None:
    class RootObjective(MeanObjective):
        def loss(self, images: Tensor, *rest: object) -> Tensor:
            return self.value.abs().sqrt().sum() + 0 * images.mean()

    with pytest.raises(InputError, match="not finite"):
        fit(tmp_path, RootObjective())


def test_without_decay_the_ema_equals_the_weights(tmp_path: Path) -> None:
    objective = MeanObjective()
    result = fit(tmp_path, objective, validation=0, ema_decay=0.0)
    torch.testing.assert_close(result.weights["value"], objective.value.detach())


def test_epochs_count_passes_over_the_training_images(tmp_path: Path) -> None:
    assert fit(tmp_path, MeanObjective(), images=None, epochs=3).images == 32


def test_the_optimiser_resumes_exactly(tmp_path: Path) -> None:
    def make_trainer() -> Trainer:
        pixels = torch.linspace(0, 1, 16).reshape(4, 1, 2, 2)
        images, settings = ConditionedImages(pixels, torch.zeros(4, 4, 0)), training_config()
        folder = checkpoint_folder(tmp_path, settings)
        return Trainer(MeanObjective(), images, np.full(4, 0.25), images, settings, 3, folder)

    uninterrupted, resumed = make_trainer(), make_trainer()
    for _ in range(2):
        uninterrupted.step()
    uninterrupted.save()
    resumed.load()
    for _ in range(3):
        uninterrupted.step()
        resumed.step()
    state, expected = resumed.state_dict(), uninterrupted.state_dict()
    torch.testing.assert_close(state.optimiser, expected.optimiser, rtol=0, atol=0)
    torch.testing.assert_close(state.weights, expected.weights, rtol=0, atol=0)
