"""Training, validation and test splits by blocks of time.

Neighbouring frames are nearly identical, so all frames of a block of days go to the same
split, and frames close to a border between two splits are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import DAY_S, SPLITS, Booleans, Classes, Floats, Integers, Objects, Seconds
from heliosynth.config.dataset import SplitConfig
from heliosynth.errors import InputError

GAP = "gap"

MISSING_COST = (1000.0, 10.0, 100.0)
"""Cost of a class that is missing from train, val or test. With too few blocks for all three,
training comes first (a class missing there cannot be generated), then the test split (it cannot
be evaluated), then validation."""

EMPTY_COST = 1e5
"""Cost of a split without any frame."""

TOTAL_WEIGHT = 5.0
"""Weight of a split's share of all frames relative to its mean share of the classes."""

SEARCHES = 32
"""Random searches that run in parallel."""


@dataclass(frozen=True)
class Splits:
    """Split and block of every frame.

    Attributes
    ----------
    name
        ``train``, ``val``, ``test`` or ``gap`` (N,).
    block
        Number of the block of time, from 0 at the first frame (N,).
    """

    name: Objects
    block: Integers


@dataclass(frozen=True)
class _Blocks:
    """Frames per block (B, classes): all, and those within half a gap of its start and end."""

    inside: Floats
    near_start: Floats
    near_end: Floats


def split_frames(
    time: Seconds, goes_class: Classes, settings: SplitConfig, minimum_frames: int
) -> Splits:
    """Assign every frame to a split, deterministically.

    The blocks are assigned by simulated annealing with a fixed seed. The cost counts first the
    classes missing from a split (in training: with fewer than ``minimum_frames``), then the
    deviations of the shares of each class and of all frames from the requested ones. Frames
    lost in gaps count, so neighbouring blocks tend to stay together. Any two frames of
    different splits are at least ``gap_hours`` apart.

    Parameters
    ----------
    time
        Times of the frames in ascending order, s (N,).
    goes_class
        Their class numbers (N,).
    settings
        Length of the blocks, gap and shares.
    minimum_frames
        Frames of a class that are needed for training.

    Raises
    ------
    InputError
        If a split with a share above 0 is empty.
    """
    block = ((time - time[0]) // round(settings.block_days * DAY_S)).astype(np.int64)
    _, dense = np.unique(block, return_inverse=True)
    gap = settings.gap_hours * 3600
    shares = np.array([1 - settings.validation - settings.test, settings.validation, settings.test])
    counted = _count(time, dense, goes_class, gap)
    if len(counted.inside) < np.count_nonzero(shares):
        raise InputError(_too_few_blocks(settings, time, len(counted.inside)))
    assigned = _anneal(counted, shares, minimum_frames)
    name = np.array(SPLITS, dtype=object)[assigned[dense]]
    name[_in_gap(time, dense, assigned, gap)] = GAP
    empty = [n for n, share in zip(SPLITS, shares, strict=True) if share and not (name == n).any()]
    if empty:
        raise InputError(
            f"dataset.split: gaps of {settings.gap_hours:g} hours between "
            f"{len(counted.inside)} blocks of {settings.block_days:g} days leave no frame for "
            f"{' and '.join(empty)} ({np.count_nonzero(name == GAP)} of {len(time)} frames are in "
            "gaps): make gap_hours smaller, or add observations"
        )
    return Splits(name, block)


def _too_few_blocks(settings: SplitConfig, time: Seconds, blocks: int) -> str:
    days = (time[-1] - time[0]) / DAY_S
    splits = 1 + (settings.validation > 0) + (settings.test > 0)
    return (
        f"dataset.split: {len(time)} frames in {days:.3g} days make {blocks} block(s) of "
        f"{settings.block_days:g} days, too few for {splits} splits: make block_days "
        f"{days / splits:.2g} or less, with gap_hours well below, or add observations"
    )


def _borders(time: Seconds, dense: Integers) -> Floats:
    """Return the times midway between the last frame of each block and the first of the next."""
    last = np.flatnonzero(np.diff(dense))
    return (time[last] + time[last + 1]) / 2


def _count(time: Seconds, dense: Integers, goes_class: Classes, gap: float) -> _Blocks:
    """Count the frames of each block; ``dense`` are block numbers without empty blocks (N,)."""
    borders = _borders(time, dense)
    starts = np.concatenate([[-np.inf], borders])[dense]
    ends = np.concatenate([borders, [np.inf]])[dense]
    _, kind = np.unique(goes_class, return_inverse=True)
    shape = (int(dense[-1]) + 1, int(kind.max()) + 1)

    def tally(chosen: Booleans) -> Floats:
        counts = np.zeros(shape)
        np.add.at(counts, (dense[chosen], kind[chosen]), 1)
        return counts

    every = np.ones(len(time), dtype=bool)
    return _Blocks(tally(every), tally(time - starts < gap / 2), tally(ends - time < gap / 2))


def _in_gap(time: Seconds, dense: Integers, assigned: Integers, gap: float) -> Booleans:
    """Return which frames are within half a gap of a border between two splits (N,)."""
    borders = _borders(time, dense)[np.diff(assigned) != 0]
    if len(borders) == 0:
        return np.zeros(len(time), dtype=bool)
    after = np.clip(np.searchsorted(borders, time), 0, len(borders) - 1)
    before = np.maximum(after - 1, 0)
    distance = np.minimum(np.abs(time - borders[after]), np.abs(time - borders[before]))
    return np.asarray(distance < gap / 2)


def _anneal(blocks: _Blocks, shares: Floats, minimum_frames: int) -> Integers:
    """Assign blocks to splits (B,) by parallel simulated annealing."""
    rng = np.random.default_rng(0)
    options, count = np.flatnonzero(shares), len(blocks.inside)
    every = np.arange(SEARCHES)
    current = rng.choice(len(shares), size=(SEARCHES, count), p=shares)
    cost = _costs(current, blocks, shares, minimum_frames)
    best, best_cost = current[0], np.inf
    steps = min(30 * count, 4000)
    for step in range(steps):
        temperature = 0.3 * 0.001 ** (step / steps)
        first, second = rng.integers(count, size=(2, SEARCHES))
        swap = rng.random(SEARCHES) < 0.5
        proposed = current.copy()
        proposed[every, first] = np.where(
            swap, current[every, second], rng.choice(options, SEARCHES)
        )
        proposed[every[swap], second[swap]] = current[every[swap], first[swap]]
        proposed_cost = _costs(proposed, blocks, shares, minimum_frames)
        rise = np.maximum(proposed_cost - cost, 0)
        accepted = rng.random(SEARCHES) < np.exp(-rise / temperature)
        current[accepted], cost[accepted] = proposed[accepted], proposed_cost[accepted]
        if cost.min() < best_cost:
            best, best_cost = current[cost.argmin()].copy(), cost.min()
    return np.asarray(best, dtype=np.int64)


def _costs(assigned: Integers, blocks: _Blocks, shares: Floats, minimum_frames: int) -> Floats:
    """Return the cost of each of some assignments (M, B) of blocks to splits."""
    border = (assigned[:, 1:] != assigned[:, :-1])[..., None]
    kept = np.broadcast_to(blocks.inside, (*assigned.shape, blocks.inside.shape[1])).copy()
    kept[:, 1:] -= border * blocks.near_start[1:]
    kept[:, :-1] -= border * blocks.near_end[:-1]
    members = (assigned[:, None] == np.arange(len(shares))[:, None]).astype(np.float64)
    # Frames of a block shorter than the gap are subtracted at both ends, hence the bound.
    frames = members @ np.maximum(kept, 0)
    total = blocks.inside.sum(axis=0)
    # A class with too few frames in all needs one frame only.
    needed = np.ones((len(shares), len(total)))
    needed[0] = np.where(total < minimum_frames, 1, minimum_frames)
    missing = (frames < needed).sum(axis=2)
    used = np.flatnonzero(shares)
    expected = shares[:, None] * total
    of_class = ((frames[:, used] / expected[used] - 1) ** 2).mean(axis=2)
    of_all = (frames[:, used].sum(axis=2) / expected[used].sum(axis=1) - 1) ** 2
    penalty = missing[:, used] @ np.array(MISSING_COST)[used]
    penalty += EMPTY_COST * (frames[:, used].sum(axis=2) == 0).sum(axis=1)
    return np.asarray(penalty + (of_class + TOTAL_WEIGHT * of_all).sum(axis=1))
