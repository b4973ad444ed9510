"""Numbers of images per class in a given mix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Integers


def apportion(counts: npt.ArrayLike, total: int) -> Integers:
    """Divide a total in proportion to counts, in integers, by the largest-remainder method.

    Parameters
    ----------
    counts
        One number per class (K,); they must not sum to 0. On a tie the first class gets more.
    total
        The number to divide.

    Returns
    -------
    numpy.ndarray
        (K,), summing to ``total``.
    """
    weights = np.asarray(counts, dtype=np.float64)
    exact = weights * total / weights.sum()
    shares: Integers = np.floor(exact).astype(np.int64)
    last = np.argsort(shares - exact, kind="stable")[: total - shares.sum()]
    shares[last] += 1
    return shares
