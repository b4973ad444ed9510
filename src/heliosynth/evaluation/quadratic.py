"""Standard error and interval of squared lengths, such as those that CE and KID measure.

Such a metric is xᵀx for a vector x of mean μ and covariance C, with expectation μᵀμ + tr C. Near
μ = 0 a bootstrap overestimates its spread up to twofold, since resamples scatter about x rather
than about μ, and the distribution is skewed. Here xᵀx/a is taken as noncentral χ² with ν = tr C/a
degrees of freedom and a = xᵀCx/xᵀx, the variance along x (after Satterthwaite 1946), and the
interval inverts it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chndtr, chndtrinc, ndtri, stdtrit

from heliosynth.evaluation.estimate import CONFIDENCE, ROUNDING

LARGE = 1e4
"""Squared length, in units of the variance, whose χ² is normal and too large for its inversion."""


@dataclass(frozen=True)
class SquaredLength:
    """A measured squared length.

    Attributes
    ----------
    value
        xᵀx.
    trace
        tr C, the expectation of the value if μ = 0.
    along
        xᵀCx.
    """

    value: float
    trace: float
    along: float

    @property
    def unbiased(self) -> float:
        """The estimate of μᵀμ, which can be negative."""
        return self.value - self.trace

    @property
    def std(self) -> float:
        """Standard error of the value, √(2a tr C + 4a μᵀμ)."""
        return math.sqrt(2 * self._scale * (self.trace + 2 * max(self.unbiased, 0.0)))

    def interval(self, units: int) -> tuple[float, float]:
        """Return the 95 % interval of μᵀμ.

        Parameters
        ----------
        units
            Number of independent units behind C; fewer widen the interval by Student's t.
        """
        tail = (1 - CONFIDENCE) / 2
        if self._scale == 0:
            return self.unbiased, self.unbiased
        low, high = (self._squared_mean(share) for share in (1 - tail, tail))
        widen = float(stdtrit(units - 1, 1 - tail) / ndtri(1 - tail))
        centre = min(max(self.unbiased, low), high)
        return max(centre + widen * (low - centre), 0.0), centre + widen * (high - centre)

    def interval_of_value(self, units: int, resamples: int) -> tuple[float, float]:
        """Return the 95 % interval of the expectation of the value, μᵀμ + tr C.

        Parameters
        ----------
        units
            Number of independent units behind C.
        resamples
            Number of bootstrap resamples that tr C was estimated from; it has an error of its own.
        """
        low, high = self.interval(units)
        if self.trace == 0:
            return low, high
        error = 2 * math.sqrt(2 * self._scale / (self.trace * min(units, resamples)))
        return max(low + (1 - error) * self.trace, 0.0), high + (1 + error) * self.trace

    @property
    def _scale(self) -> float:
        """Variance along x; of a length of 0, all of C, as if it had one dimension."""
        scale = self.along / self.value if self.value > 0 else self.trace
        # Equal resamples differ by rounding only.
        return scale if scale > ROUNDING**2 * self.value else 0.0

    def _squared_mean(self, share: float) -> float:
        """Return the μᵀμ for which values up to the measured one have a probability."""
        scaled, freedom = self.value / self._scale, self.trace / self._scale
        if scaled > LARGE:
            return max(self.unbiased - float(ndtri(share)) * self.std, 0.0)
        if chndtr(scaled, freedom, 0.0) <= share:
            return 0.0
        return self._scale * float(chndtrinc(scaled, freedom, share))
