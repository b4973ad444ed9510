"""Closed forms of what changes in the course of a training."""

from __future__ import annotations

import pytest

from heliosynth.config.models import TrainingConfig
from heliosynth.training.schedules import average_decay, learning_rate, milestones


def settings(**changes: object) -> TrainingConfig:
    basic = {"images": 100, "batch_size": 4, "learning_rate": 0.05, "ema_decay": 0.9}
    return TrainingConfig.model_validate({**basic, **changes})


@pytest.mark.parametrize(
    ("images", "expected"), [(0, 0.0), (5, 0.25), (10, 0.5), (50, 0.5), (100, 0.5)]
)
def test_the_warm_up_is_linear_in_images(images: int, expected: float) -> None:
    chosen = settings(learning_rate=0.5, warmup_images=10)
    assert learning_rate(chosen, images, 100) == pytest.approx(expected)


@pytest.mark.parametrize(("images", "expected"), [(0, 1.0), (50, 0.5), (75, 0.1464466), (100, 0.0)])
def test_the_cosine_ends_at_nothing(images: int, expected: float) -> None:
    chosen = settings(learning_rate=1.0, decay="cosine")
    assert learning_rate(chosen, images, 100) == pytest.approx(expected, abs=1e-7)


def test_the_moving_average_forgets_its_start() -> None:
    assert average_decay(0.999, 1) == pytest.approx(2 / 11)
    assert average_decay(0.999, 10**6) == 0.999


@pytest.mark.parametrize(("steps", "times"), [(1, 20), (7, 3), (100, 20)])
def test_milestones_end_with_the_last_step(steps: int, times: int) -> None:
    found = milestones(steps, times)
    assert max(found) == steps
    assert min(found) >= 1
    assert len(found) == min(steps, times)
