"""Schedules of a training: learning rate, EMA decay, steps of validations and checkpoints."""

from __future__ import annotations

import math

from heliosynth.config.models import TrainingConfig


def learning_rate(settings: TrainingConfig, images: int, planned: int) -> float:
    """Return the learning rate after a number of images.

    A linear warm-up over ``warmup_images``, times half a cosine down to 0 at the planned
    length if ``decay`` is ``cosine``.

    Parameters
    ----------
    settings
        Section ``training`` of a model config.
    images, planned
        Images seen, and the planned number.
    """
    rate = settings.learning_rate
    if settings.warmup_images:
        rate *= min(1.0, images / settings.warmup_images)
    if settings.decay == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, images / planned)))
    return rate


def ema_decay_at(step: int, decay: float) -> float:
    """Return the decay of the EMA at a step (from 1): shorter at the start, ``decay`` later."""
    return min(decay, (1 + step) / (10 + step))


def milestones(steps: int, count: int) -> frozenset[int]:
    """Return ``count`` steps, spaced evenly up to the last; fewer if there are fewer steps."""
    return frozenset(max(1, round(steps * k / count)) for k in range(1, count + 1))
