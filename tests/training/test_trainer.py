"""The loop, on objectives whose course is known."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from heliosynth.config.models import TrainingConfig
from heliosynth.errors import InputError
from heliosynth.training.checkpoint import StateFolder
from heliosynth.training.data import Images
from heliosynth.training.trainer import Objective, TrainingResult, train


class Mean(Objective):
    """Learns the mean of its images; can fail at a step."""

    def __init__(self, interrupted_at: int | None = None, infinite_from: int = 10**9) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))
        self.dropout = nn.Dropout(0.3)
        self.interrupted_at, self.infinite_from, self.calls = interrupted_at, infinite_from, 0

    def draw(self, shape: torch.Size, generator: torch.Generator) -> dict[str, torch.Tensor]:
        return {"noise": torch.randn(shape, generator=generator)}

    def loss(
        self, images: torch.Tensor, condition: torch.Tensor, drawn: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        if self.training:
            self.calls += 1
            if self.calls == self.interrupted_at:
                raise KeyboardInterrupt
        loss = ((self.dropout(images) + 0.1 * drawn["noise"] - self.value) ** 2).mean()
        return loss * (math.inf if self.training and self.calls >= self.infinite_from else 1)


def settings(**changes: object) -> TrainingConfig:
    basic = {"images": 100, "batch_size": 4, "learning_rate": 0.05, "ema_decay": 0.9}
    return TrainingConfig.model_validate({**basic, "validations": 5, "checkpoints": 10, **changes})


def run(
    state: Path,
    objective: Objective,
    validation: int = 6,
    seed: int = 3,
    deadline: float = math.inf,
    **changes: object,
) -> TrainingResult:
    generator = torch.Generator().manual_seed(0)
    pixels = 0.4 + 0.1 * torch.randn(10, 1, 2, 2, generator=generator)
    training = Images(pixels, torch.zeros(4, 10, 0))
    held_out = Images(pixels[:validation], torch.zeros(1, validation, 0))
    weights = np.full(10, 0.1)
    chosen = settings(**changes)
    about = chosen.model_dump(mode="json", exclude={"time_budget_minutes"})
    folder = StateFolder(state, about)
    return train(objective, training, weights, held_out, chosen, seed, folder, deadline=deadline)


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    torch.testing.assert_close(one.weights, other.weights, rtol=0, atol=0)
    assert one.kept_images == other.kept_images
    for a, b in zip(one.history, other.history, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}


@pytest.mark.parametrize("at", [1, 2, 4, 14, 25])
def test_interrupted_and_resumed_equals_uninterrupted_to_the_bit(tmp_path: Path, at: int) -> None:
    straight = run(tmp_path / "straight", Mean(), flips=True, decay="cosine")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", Mean(interrupted_at=at), flips=True, decay="cosine")
    assert_same(run(tmp_path / "broken", Mean(), flips=True, decay="cosine"), straight)


def test_a_time_budget_stops_early_keeps_the_state_and_changes_nothing(tmp_path: Path) -> None:
    straight = run(tmp_path / "straight", Mean())
    stopped = run(tmp_path / "stopped", Mean(), time_budget_minutes=1e-9)
    assert stopped.ended == "time budget"
    assert stopped.images == 4
    assert stopped.history[-1]["images"] == 4
    assert stopped.weights
    gone_on = run(tmp_path / "stopped", Mean())
    assert gone_on.ended == "planned length"
    assert_same(gone_on, straight)


def test_stopped_at_every_step_by_a_deadline_it_ends_as_if_never_stopped(tmp_path: Path) -> None:
    straight = run(tmp_path / "straight", Mean(), flips=True, decay="cosine")
    seen = []
    for _ in range(straight.planned_images // 4):
        outcome = run(tmp_path / "stopped", Mean(), deadline=0, flips=True, decay="cosine")
        seen.append(outcome.images)
    assert seen == list(range(4, straight.planned_images + 1, 4))
    assert outcome.ended == "planned length"
    assert_same(outcome, straight)


def test_a_deadline_does_not_concern_a_finished_training(tmp_path: Path) -> None:
    first = run(tmp_path, Mean())
    objective = Mean()
    assert_same(run(tmp_path, objective, deadline=0), first)
    assert objective.calls == 0


def test_a_time_budget_goes_on_over_deadlines_and_starts_anew_when_it_is_spent(
    tmp_path: Path,
) -> None:
    class Slow(Mean):
        def loss(self, *batch: Any) -> torch.Tensor:
            time.sleep(0.02 if self.training else 0)
            return super().loss(*batch)

    budget = 0.11 / 60
    for expected in ("time budget", "time budget"):
        ended = []
        while "time budget" not in ended:
            ended.append(run(tmp_path, Slow(), deadline=0, time_budget_minutes=budget).ended)
        assert ended[-1] == expected
        assert 1 <= ended.count("deadline") <= 5


def test_a_finished_training_takes_no_further_step(tmp_path: Path) -> None:
    first = run(tmp_path, Mean())
    objective = Mean()
    assert_same(run(tmp_path, objective), first)
    assert objective.calls == 0


def test_it_learns_and_the_history_tells(tmp_path: Path) -> None:
    outcome = run(tmp_path, Mean(), images=1000)
    assert float(outcome.weights["value"]) == pytest.approx(0.4, abs=0.1)
    assert [row["images"] for row in outcome.history] == [200, 400, 600, 800, 1000]
    losses = [row["val_loss"] for row in outcome.history]
    assert outcome.kept_loss == min(loss for loss in losses if loss is not None)
    best = [row["images"] for row in outcome.history if row["val_loss"] == outcome.kept_loss]
    assert outcome.kept_images in best


def test_without_a_validation_split_the_last_weights_are_kept(tmp_path: Path) -> None:
    outcome = run(tmp_path, Mean(), validation=0)
    assert outcome.kept_loss is None
    assert outcome.kept_images == outcome.images == 100


def test_the_validation_loss_has_the_same_noise_each_time(tmp_path: Path) -> None:
    outcome = run(tmp_path, Mean(), learning_rate=1e-30)
    assert len({row["val_loss"] for row in outcome.history}) == 1
    other_seed = run(tmp_path / "other", Mean(), learning_rate=1e-30, seed=4)
    assert other_seed.history[0]["val_loss"] == outcome.history[0]["val_loss"]


def test_a_loss_that_is_not_finite_stops_with_the_last_good_state(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no longer finite after \d+ images.*learning_rate"):
        run(tmp_path, Mean(infinite_from=12))
    about = settings().model_dump(mode="json", exclude={"time_budget_minutes"})
    kept = StateFolder(tmp_path, about).read()
    assert kept is not None
    assert kept.counters.step <= 11
    assert all(torch.isfinite(tensor).all() for tensor in kept.weights.values())


def test_an_infinite_gradient_under_a_finite_loss_is_seen(tmp_path: Path) -> None:
    class Root(Mean):
        def loss(self, images: torch.Tensor, *rest: object) -> torch.Tensor:
            return self.value.abs().sqrt().sum() + 0 * images.mean()

    with pytest.raises(InputError, match="no longer finite"):
        run(tmp_path, Root())


def test_without_memory_the_moving_average_is_the_weights(tmp_path: Path) -> None:
    objective = Mean()
    outcome = run(tmp_path, objective, validation=0, ema_decay=0.0)
    torch.testing.assert_close(outcome.weights["value"], objective.value.detach())


def test_epochs_count_passes_over_the_training_split(tmp_path: Path) -> None:
    assert run(tmp_path, Mean(), images=None, epochs=3).images == 32
