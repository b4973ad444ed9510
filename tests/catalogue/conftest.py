"""Builders of small tables, shared by the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from heliosynth.sources.goes import XrsSeries

DAY = 86400
START = int(np.datetime64("2012-07-01T00:00:00", "s").astype(np.int64))


def _times(seconds: Sequence[float]) -> np.ndarray:
    return (START + np.asarray(seconds, dtype=np.int64)).astype("datetime64[s]")


def _frames(seconds: Sequence[float]) -> pd.DataFrame:
    count = len(seconds)
    return pd.DataFrame(
        {
            "time": _times(seconds),
            "year": 2012,
            "store_row": np.arange(count),
            "exposure_s": np.full(count, 2.0),
            "quality": np.zeros(count, dtype=np.int64),
        }
    )


def _flares(peaks: Sequence[float], classes: Sequence[str]) -> pd.DataFrame:
    letters = {"A": 1e-8, "B": 1e-7, "C": 1e-6, "M": 1e-5, "X": 1e-4}
    peak = np.asarray(peaks, dtype=np.int64)
    return pd.DataFrame(
        {
            "start": _times(peak - 600),
            "peak": _times(peak),
            "end": _times(peak + 600),
            "goes_class_label": list(classes),
            "peak_flux": [letters[name[0]] * float(name[1:]) for name in classes],
            "active_region": np.zeros(len(peak), dtype=np.int64),
            "hpc_x": np.full(len(peak), np.nan),
            "hpc_y": np.full(len(peak), np.nan),
            "identifier": [f"flare{number}" for number in range(len(peak))],
        }
    )


def _xrs(
    flux: Callable[[np.ndarray], np.ndarray] | float, days: float = 10, scale: str = "operational"
) -> XrsSeries:
    seconds = np.arange(-DAY, days * DAY, 60, dtype=np.int64)
    values = flux(seconds) if callable(flux) else np.full(len(seconds), flux)
    return XrsSeries(START + seconds, values.astype(np.float32), scale, "GOES-15")


@pytest.fixture
def tables() -> SimpleNamespace:
    """Builders of frames, flares and light curves; times in seconds from one start."""
    return SimpleNamespace(frames=_frames, flares=_flares, xrs=_xrs, start=START)


def _suns(count: int, size: int = 64, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Noisy suns whose corona falls off from a limb at 0.43 of the field."""
    axis = (np.arange(size) + 0.5) / size - 0.5
    radius = np.hypot(axis[None, :] - x, axis[:, None] - y)
    sun = np.where(radius < 0.43, 400 + 300 * (radius / 0.43) ** 6, 0.0)
    sun += 700 * np.exp(-(radius - 0.43) / 0.03) * (radius >= 0.43) + 8
    noise = np.random.default_rng(7).lognormal(0, 0.1, (count, size, size))
    return (sun * noise).astype(np.float32)


@pytest.fixture
def suns() -> Callable[..., np.ndarray]:
    """Build frames in DN."""
    return _suns
