"""Bootstrap resamples, and resampling to a mix of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import DAY_S, Classes, Integers, Seconds
from heliosynth.dataset.class_mix import apportion


def bootstrap(n: int, repeats: int, rng: np.random.Generator) -> Integers:
    """Return the rows of resamples with replacement, (repeats, n)."""
    return rng.integers(n, size=(repeats, n))


def bootstrap_within(classes: Classes, repeats: int, rng: np.random.Generator) -> list[Integers]:
    """Return the rows of resamples that keep the number of each class, (N,) each."""
    resamples = np.tile(np.arange(len(classes)), (repeats, 1))
    for goes_class in np.unique(classes):
        members = np.flatnonzero(classes == goes_class)
        resamples[:, members] = rng.choice(members, size=(repeats, len(members)))
    return list(resamples)


def bootstrap_groups(groups: Integers, repeats: int, rng: np.random.Generator) -> list[Integers]:
    """Return the rows of resamples of complete groups, with replacement (Künsch 1989).

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


def time_blocks(time: Seconds, days: float) -> Integers:
    """Return the number of the block of time of each frame, (N,).

    Neighbouring frames show the same active regions, so a set of real frames holds as many
    independent Suns as blocks rather than as frames.

    Parameters
    ----------
    time
        Times, s (N,).
    days
        Length of a block.
    """
    return np.floor_divide(time, round(days * DAY_S)).astype(np.int64)


def independent_units(n: int, blocks: Integers | None) -> int:
    """Return the number of units of a set that a bootstrap resamples: its blocks, or n images."""
    return n if blocks is None else len(np.unique(blocks))


def resample(
    n: int, blocks: Integers | None, repeats: int, rng: np.random.Generator
) -> list[Integers]:
    """Return the rows of bootstrap resamples of a set.

    Parameters
    ----------
    n
        Number of images.
    blocks
        Block of time of each real image, (n,), which are resampled; None: images that are
        independent of one another.
    repeats
        Number of resamples.
    rng
        Random numbers of the resamples.
    """
    if blocks is None:
        return list(bootstrap(n, repeats, rng))
    return bootstrap_groups(blocks, repeats, rng)


@dataclass(frozen=True)
class MixedRows:
    """Rows drawn to the class mix of a reference, each at most once.

    Attributes
    ----------
    rows
        Rows of the drawn set.
    missing
        Class numbers of the reference without an image; their share goes to the other classes.
    """

    rows: Integers
    missing: tuple[int, ...]


def draw_mix(classes: Classes, reference: Classes, n: int, rng: np.random.Generator) -> MixedRows:
    """Draw up to n rows with the class mix of a reference, without replacement.

    There are fewer than n rows where a class has fewer images than its share of n: an image that
    counts twice would be taken for a second Sun.

    Raises
    ------
    ValueError
        If no class of the reference has an image.
    """
    weights = {int(c): int(np.sum(reference == c)) for c in np.unique(reference)}
    members = {c: np.flatnonzero(classes == c) for c in weights}
    present = [c for c in weights if len(members[c])]
    if not present:
        raise ValueError("no class of the reference has an image")
    total = sum(weights[c] for c in present)
    size = min(n, *(len(members[c]) * total // weights[c] for c in present))
    shares = apportion([weights[c] for c in present], size)
    rows = [
        rng.choice(members[c], size=min(share, len(members[c])), replace=False)
        for c, share in zip(present, shares, strict=True)
    ]
    missing = tuple(c for c in weights if not len(members[c]))
    return MixedRows(np.concatenate(rows), missing)
