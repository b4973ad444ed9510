"""A measured number: never without its spread and the number of images behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypedDict

import numpy as np
import numpy.typing as npt


class EstimateJson(TypedDict):
    """An estimate as the products write it."""

    value: float
    std: float
    n: int


@dataclass(frozen=True)
class Estimate:
    """A value, its standard deviation over repeats, and the number of images it rests on."""

    value: float
    std: float
    n: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.std)):
            raise ValueError(f"an estimate must be finite, not {self.value} ± {self.std}")

    @classmethod
    def over(
        cls,
        repeats: Sequence[float] | npt.NDArray[np.float64],
        n: int,
        value: float | None = None,
    ) -> Self:
        """Make an estimate of repeats.

        Parameters
        ----------
        repeats
            The same quantity measured again, at least twice.
        n
            Images behind the value.
        value
            The quantity on all the images; the mean of the repeats where it is not given.
        """
        if len(repeats) < 2:
            raise ValueError("a spread needs at least two repeats")
        centre = float(np.mean(repeats)) if value is None else float(value)
        return cls(centre, float(np.std(repeats, ddof=1)), int(n))

    def to_json(self) -> EstimateJson:
        """Give the estimate as the products write it."""
        return {"value": self.value, "std": self.std, "n": self.n}
