"""Frames of a noisy Sun."""

import numpy as np


def make_suns(count: int, size: int = 64, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Return frames in DN (N, size, size) whose corona falls off from a limb at 0.43 of the width.

    The disk is centred at ``x``, ``y`` in units of the width.
    """
    axis = (np.arange(size) + 0.5) / size - 0.5
    radius = np.hypot(axis[None, :] - x, axis[:, None] - y)
    sun = np.where(radius < 0.43, 400 + 300 * (radius / 0.43) ** 6, 0.0)
    sun += 700 * np.exp(-(radius - 0.43) / 0.03) * (radius >= 0.43) + 8
    noise = np.random.default_rng(7).lognormal(0, 0.1, (count, size, size))
    return (sun * noise).astype(np.float32)
