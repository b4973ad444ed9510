"""The one function that derives seeds."""

from __future__ import annotations

import hashlib


def derive_seed(*parts: int | str) -> int:
    """Return the seed that belongs to the parts: a hash of them, in this order.

    Parameters
    ----------
    *parts
        The seed of the run, then what the derived seed is for: a model, a class, a number.

    Returns
    -------
    int
        In [0, 2⁶³).
    """
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
