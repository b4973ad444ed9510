"""Sharing images out among classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def apportion(counts: npt.ArrayLike, total: int) -> npt.NDArray[np.int64]:
    """Share out a total in proportion to counts, in whole numbers: largest remainders.

    Parameters
    ----------
    counts
        One number a class; they must not sum to 0. On a tie the first class is served first.
    total
        What to share out.
    """
    weights = np.asarray(counts, dtype=np.float64)
    exact = weights * total / weights.sum()
    shares: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    last = np.argsort(shares - exact, kind="stable")[: total - shares.sum()]
    shares[last] += 1
    return shares
