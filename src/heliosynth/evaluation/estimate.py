"""Measured values with their standard deviation, 95 % interval and number of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypedDict

import numpy as np

from heliosynth.arrays import Floats

CONFIDENCE = 0.95
"""Share of intervals that contain the expectation of the quantity at the same n."""

ROUNDING = 1e-12
"""Standard error, relative to the value, below which it is that of rounding."""

Bounds = tuple[float, float]
ANY: Bounds = (-math.inf, math.inf)
NOT_NEGATIVE: Bounds = (0.0, math.inf)
SHARE: Bounds = (0.0, 1.0)
CORRELATION: Bounds = (-1.0, 1.0)


class EstimateJson(TypedDict):
    """An estimate in the JSON products."""

    value: float
    std: float
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A value, its standard error, its 95 % interval, and the number of images it is based on.

    The interval is that of the quantity's expectation for n images, not of its limit for many:
    the expectation of some metrics depends on n.

    Attributes
    ----------
    value
        The quantity measured on all images.
    std
        Standard error of the value: what another set of as many images would change.
    n
        Number of distinct images.
    low, high
        Ends of the interval.

    Raises
    ------
    ValueError
        If a number is not finite.
    """

    value: float
    std: float
    n: int
    low: float
    high: float

    def __post_init__(self) -> None:
        numbers = (self.value, self.std, self.low, self.high)
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"an estimate must be finite, not {numbers}")

    @classmethod
    def of(
        cls, value: float, std: float, n: int, *, units: int | None = None, bounds: Bounds = ANY
    ) -> Self:
        """Build an estimate whose interval is that of Student's t.

        Parameters
        ----------
        value, std
            The value and its standard error.
        n
            Number of distinct images.
        units
            Number of independent units that the standard error is based on: images, blocks of
            time, or trainings; the distribution has one degree of freedom fewer. None: n.
        bounds
            Smallest and largest possible value; the interval ends there.

        Raises
        ------
        ValueError
            If there are fewer than two units.
        """
        units = n if units is None else units
        if units < 2:
            raise ValueError("a standard error needs at least two independent units")
        if std < ROUNDING * abs(value):
            std = 0.0  # equal resamples, but for rounding
        # Imported here, as tables are planned with this module and scipy takes a second.
        from scipy.special import stdtrit

        half = float(stdtrit(units - 1, (1 + CONFIDENCE) / 2)) * std
        low, high = (
            max(value - half, min(bounds[0], value)),
            min(value + half, max(bounds[1], value)),
        )
        return cls(float(value), float(std), int(n), float(low), float(high))

    @classmethod
    def over(
        cls,
        repeats: Sequence[float] | Floats,
        n: int,
        value: float | None = None,
        *,
        units: int | None = None,
        bounds: Bounds = ANY,
    ) -> Self:
        """Build an estimate from resamples, whose standard deviation is the standard error.

        Parameters
        ----------
        repeats
            The quantity measured on resamples, at least two.
        n
            Number of distinct images.
        value
            The quantity measured on all images; None: the mean of the repeats.
        units, bounds
            As in :meth:`of`.

        Raises
        ------
        ValueError
            If there are fewer than two repeats or units.
        """
        if len(repeats) < 2:
            raise ValueError("a spread needs at least two repeats")
        value = float(np.mean(repeats)) if value is None else float(value)
        return cls.of(value, float(np.std(repeats, ddof=1)), n, units=units, bounds=bounds)

    @classmethod
    def of_trainings(cls, values: Sequence[float], n: int, *, bounds: Bounds = ANY) -> Self:
        """Build an estimate from independent trainings: their mean and its standard error.

        Parameters
        ----------
        values
            The quantity of each training, at least two.
        n
            Number of distinct images that each was measured on.
        bounds
            As in :meth:`of`.
        """
        if len(values) < 2:
            raise ValueError("a spread needs at least two trainings")
        error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
        return cls.of(float(np.mean(values)), error, n, units=len(values), bounds=bounds)

    def to_json(self) -> EstimateJson:
        """Return the estimate in the format of the JSON products."""
        return {
            "value": self.value,
            "std": self.std,
            "n": self.n,
            "low": self.low,
            "high": self.high,
        }
