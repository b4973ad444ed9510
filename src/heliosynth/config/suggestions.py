"""The nearest of some keys or values to one that is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Any

SIMILAR = 0.7
"""Least similarity of a key or value to suggest it."""
LONGEST_WORD = 120
"""Characters of a word that are compared."""


def one_of(value: Any, choices: Collection[str]) -> str:
    """Return the message about a value that is none of some choices, with the nearest one."""
    return f"should be one of {', '.join(choices)}{hint(value, choices)}"


def hint(value: Any, choices: Collection[str]) -> str:
    """Return the end of a message about a value: the nearest choice, if one is similar."""
    nearest = nearest_of(str(value), choices)
    return f"; did you mean {nearest}?" if nearest is not None and nearest != value else ""


def nearest_of(text: str, choices: Iterable[str]) -> str | None:
    """Return the most similar of some choices, whatever its case, if it is similar at all."""
    by_similarity = {choice: similarity(text, choice) for choice in choices}
    best = max(by_similarity, key=lambda choice: by_similarity[choice], default=None)
    return best if best is not None and by_similarity[best] >= SIMILAR else None


def similarity(first: str, second: str) -> float:
    """Return how similar two words are, 0…1, whatever their case, hyphens and blanks."""
    a, b = (re.sub(r"[\W_]+", "_", word.lower()[:LONGEST_WORD]) for word in (first, second))
    return float(difflib.SequenceMatcher(None, a, b).ratio())
