"""Features of Gaussian clouds."""

import numpy as np


def gaussian_features(n, dimensions=6, seed=0, shift=0.0):
    """Return features of a Gaussian whose covariance the seed sets, (n, dimensions)."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((dimensions, dimensions))
    return (rng.standard_normal((n, dimensions)) @ mixing + shift).astype(np.float32)
