"""What changes in the course of a training: learning rate, memory of the average, milestones."""

from __future__ import annotations

import math

from heliosynth.config.models import TrainingConfig


def learning_rate(settings: TrainingConfig, images: int, planned: int) -> float:
    """Give the learning rate after so many of the planned images.

    A linear warm-up over ``warmup_images``, times half a cosine down to 0 at the planned
    length where ``decay`` is ``cosine``.
    """
    rate = settings.learning_rate
    if settings.warmup_images:
        rate *= min(1.0, images / settings.warmup_images)
    if settings.decay == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, images / planned)))
    return rate


def average_decay(decay: float, step: int) -> float:
    """Give the decay of the moving average at a step (from 1), shorter at the start."""
    return min(decay, (1 + step) / (10 + step))


def milestones(steps: int, times: int) -> frozenset[int]:
    """Spread events evenly over the steps; the last step is always one."""
    return frozenset(max(1, round(steps * k / times)) for k in range(1, times + 1))
