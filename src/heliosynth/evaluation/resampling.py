"""Bootstrap resamples, and resampling to a mix of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Classes, Integers
from heliosynth.dataset.class_mix import apportion


def bootstrap(n: int, repeats: int, rng: np.random.Generator) -> Integers:
    """Return the rows of resamples with replacement, (repeats, n)."""
    return rng.integers(n, size=(repeats, n))


def bootstrap_within(classes: Classes, repeats: int, rng: np.random.Generator) -> Integers:
    """Return the rows of resamples that keep the number of each class, (repeats, N)."""
    resamples = np.tile(np.arange(len(classes)), (repeats, 1))
    for goes_class in np.unique(classes):
        members = np.flatnonzero(classes == goes_class)
        resamples[:, members] = rng.choice(members, size=(repeats, len(members)))
    return resamples


def bootstrap_groups(groups: Integers, repeats: int, rng: np.random.Generator) -> list[Integers]:
    """Return the rows of resamples of complete groups, with replacement.

    Parameters
    ----------
    groups
        Number of the group of each row, (N,).
    repeats
        Number of resamples.
    rng
        Random numbers of the resamples.

    Returns
    -------
    list of numpy.ndarray
        Rows of each resample; their number varies with the sizes of the groups.
    """
    order = np.argsort(groups, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    members = np.split(order, first[1:])
    resamples = bootstrap(len(members), repeats, rng)
    return [np.concatenate([members[number] for number in numbers]) for numbers in resamples]


@dataclass(frozen=True)
class MixedRows:
    """Rows resampled to the class mix of a reference.

    Attributes
    ----------
    rows
        Rows of the resampled set, (n,).
    repeated
        Class numbers with too few images, which were drawn with replacement.
    missing
        Class numbers of the reference without an image; their share goes to the other classes.
    """

    rows: Integers
    repeated: tuple[int, ...]
    missing: tuple[int, ...]


def resample_to_mix(
    classes: Classes, reference: Classes, n: int, rng: np.random.Generator
) -> MixedRows:
    """Draw n rows with the class mix of a reference.

    A class is drawn without replacement unless it has fewer images than its share.

    Raises
    ------
    ValueError
        If no class of the reference has an image.
    """
    weights = {int(c): int(np.sum(reference == c)) for c in np.unique(reference)}
    present = {c: weight for c, weight in weights.items() if np.any(classes == c)}
    if not present:
        raise ValueError("no class of the reference has an image")
    rows, repeated = [], []
    for goes_class, share in zip(present, apportion(list(present.values()), n), strict=True):
        members = np.flatnonzero(classes == goes_class)
        if share > len(members):
            repeated.append(goes_class)
        rows.append(rng.choice(members, size=share, replace=share > len(members)))
    missing = tuple(c for c in weights if c not in present)
    return MixedRows(np.concatenate(rows), tuple(repeated), missing)
