"""Derivation of seeds from the seed of the run."""

from __future__ import annotations

import hashlib


def derive_seed(*parts: int | str) -> int:
    """Return a seed derived from parts by SHA-256; their order matters.

    Parameters
    ----------
    *parts
        The seed of the run, then the purpose of the derived seed: a model, a class, a number.

    Returns
    -------
    int
        In [0, 2⁶³).
    """
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
