"""Draws behind the metrics: bootstrap resamples, and rows drawn to a mix of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.dataset.class_mix import apportion

Rows = npt.NDArray[np.int64]
Classes = npt.NDArray[np.int8]


def bootstrap(n: int, repeats: int, rng: np.random.Generator) -> Rows:
    """Give the rows of resamples with replacement, (repeats, n)."""
    return rng.integers(n, size=(repeats, n))


def bootstrap_within(classes: Classes, repeats: int, rng: np.random.Generator) -> Rows:
    """Give the rows of resamples that keep the number of each class, (repeats, N)."""
    drawn = np.tile(np.arange(len(classes)), (repeats, 1))
    for goes_class in np.unique(classes):
        own = np.flatnonzero(classes == goes_class)
        drawn[:, own] = rng.choice(own, size=(repeats, len(own)))
    return drawn


def bootstrap_groups(
    groups: npt.NDArray[np.int64], repeats: int, rng: np.random.Generator
) -> list[Rows]:
    """Give the rows of resamples that draw whole groups (N,), as many as there are."""
    order = np.argsort(groups, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    members = np.split(order, first[1:])
    drawn = bootstrap(len(members), repeats, rng)
    return [np.concatenate([members[number] for number in numbers]) for numbers in drawn]


@dataclass(frozen=True)
class MixedDraw:
    """Rows drawn to the class mix of a reference.

    Attributes
    ----------
    rows
        Rows of the set drawn from, (n,).
    repeated
        Class numbers that had too few images and were drawn with replacement.
    missing
        Class numbers of the reference that had no image; the others share their part.
    """

    rows: Rows
    repeated: tuple[int, ...]
    missing: tuple[int, ...]


def resample_to_mix(
    classes: Classes, reference: Classes, n: int, rng: np.random.Generator
) -> MixedDraw:
    """Draw n rows so that their classes are mixed as those of a reference.

    A class is drawn without replacement unless it has fewer images than its share.

    Raises
    ------
    ValueError
        If no class of the reference has an image.
    """
    weights = {int(c): int(np.sum(reference == c)) for c in np.unique(reference)}
    present = {c: weight for c, weight in weights.items() if np.any(classes == c)}
    if not present:
        raise ValueError("no class of the reference has an image to draw")
    drawn, repeated = [], []
    for goes_class, share in zip(present, apportion(list(present.values()), n), strict=True):
        own = np.flatnonzero(classes == goes_class)
        if share > len(own):
            repeated.append(goes_class)
        drawn.append(rng.choice(own, size=share, replace=share > len(own)))
    missing = tuple(c for c in weights if c not in present)
    return MixedDraw(np.concatenate(drawn), tuple(repeated), missing)
