"""Measured values with their standard deviation and number of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypedDict

import numpy as np

from heliosynth.arrays import Floats


class EstimateJson(TypedDict):
    """An estimate in the JSON products."""

    value: float
    std: float
    n: int


@dataclass(frozen=True)
class Estimate:
    """A value, its standard deviation over repeats, and the number of images it is based on.

    Raises
    ------
    ValueError
        If the value or the standard deviation is not finite.
    """

    value: float
    std: float
    n: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.std)):
            raise ValueError(f"an estimate must be finite, not {self.value} ± {self.std}")

    @classmethod
    def over(
        cls,
        repeats: Sequence[float] | Floats,
        n: int,
        value: float | None = None,
    ) -> Self:
        """Build an estimate from repeats.

        Parameters
        ----------
        repeats
            Repeated measurements of the quantity, at least two.
        n
            Number of images.
        value
            The quantity measured on all images; None: the mean of the repeats.

        Raises
        ------
        ValueError
            If there are fewer than two repeats.
        """
        if len(repeats) < 2:
            raise ValueError("a spread needs at least two repeats")
        value = float(np.mean(repeats)) if value is None else float(value)
        return cls(value, float(np.std(repeats, ddof=1)), int(n))

    def to_json(self) -> EstimateJson:
        """Return the estimate in the format of the JSON products."""
        return {"value": self.value, "std": self.std, "n": self.n}
