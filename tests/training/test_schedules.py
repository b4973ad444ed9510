"""Learning rate, EMA decay and milestones against closed forms."""

from __future__ import annotations

import pytest

from heliosynth.config.models import TrainingConfig
from heliosynth.training.schedules import ema_decay_at, learning_rate, milestones


def training_config(**changes: object) -> TrainingConfig:
    basic = {"images": 100, "batch_size": 4, "learning_rate": 0.05, "ema_decay": 0.9}
    return TrainingConfig.model_validate({**basic, **changes})


@pytest.mark.parametrize(
    ("images", "expected"), [(0, 0.0), (5, 0.25), (10, 0.5), (50, 0.5), (100, 0.5)]
)
def test_warm_up_is_linear_in_images(images: int, expected: float) -> None:
    settings = training_config(learning_rate=0.5, warmup_images=10)
    assert learning_rate(settings, images, 100) == pytest.approx(expected)


@pytest.mark.parametrize(("images", "expected"), [(0, 1.0), (50, 0.5), (75, 0.1464466), (100, 0.0)])
def test_cosine_decays_to_zero(images: int, expected: float) -> None:
    settings = training_config(learning_rate=1.0, decay="cosine")
    assert learning_rate(settings, images, 100) == pytest.approx(expected, abs=1e-7)


def test_ema_decay_is_shorter_at_the_start() -> None:
    assert ema_decay_at(1, 0.999) == pytest.approx(2 / 11)
    assert ema_decay_at(10**6, 0.999) == 0.999


@pytest.mark.parametrize(("steps", "count"), [(1, 20), (7, 3), (100, 20)])
def test_milestones_end_with_the_last_step(steps: int, count: int) -> None:
    result = milestones(steps, count)
    assert max(result) == steps
    assert min(result) >= 1
    assert len(result) == min(steps, count)
