"""Training, validation and test splits by blocks of time.

Neighbouring frames are near copies of one another, so a block of days goes whole to one
split, and frames close to a border between two splits are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.config.dataset import SplitConfig
from heliosynth.errors import InputError

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NAMES = ("train", "val", "test")
GAP = "gap"

MISSING_COST = (1000.0, 10.0, 100.0)
"""Cost of a class that train, val or test lacks: with too few blocks for all three, training
is served first (a class it lacks cannot be generated), then the test split (it cannot be
judged), then validation."""

EMPTY_COST = 1e5
"""Cost of a split without any frame."""

TOTAL_WEIGHT = 5.0
"""Weight of a split's share of all frames against its mean share of the classes."""


SEARCHES = 32
"""Random searches run side by side."""


@dataclass(frozen=True)
class Splits:
    """Where every frame went.

    Attributes
    ----------
    name
        ``train``, ``val``, ``test`` or ``gap`` (N,).
    block
        The frame's block of time, counted from the first frame (N,).
    """

    name: npt.NDArray[np.object_]
    block: Integers


@dataclass(frozen=True)
class _Blocks:
    """Frames counted by block (B, classes): in all, and those within half a gap of an edge."""

    inside: Floats
    near_start: Floats
    near_end: Floats


def split_frames(
    time: Integers, goes_class: npt.NDArray[np.int8], settings: SplitConfig, minimum_frames: int
) -> Splits:
    """Give every frame to a split, deterministically.

    The blocks are shared out by annealing with a fixed seed, whose cost counts first the
    classes that a split lacks (training: has fewer than ``minimum_frames`` of), then how far
    the shares of each class and of all frames are from the asked ones; frames lost in gaps
    count, so neighbouring blocks tend to stay together. Any two frames of different splits
    are at least ``gap_hours`` apart.

    Parameters
    ----------
    time
        Times of the frames, s, in order (N,).
    goes_class
        Their class numbers (N,).
    settings
        Length of the blocks, gap and shares.
    minimum_frames
        Frames of a class that training needs.

    Raises
    ------
    InputError
        If a split that was asked for stays empty.
    """
    block = ((time - time[0]) // round(settings.block_days * 86400)).astype(np.int64)
    _, dense = np.unique(block, return_inverse=True)
    gap = settings.gap_hours * 3600
    shares = np.array([1 - settings.validation - settings.test, settings.validation, settings.test])
    counted = _count(time, dense, goes_class, gap)
    if len(counted.inside) < np.count_nonzero(shares):
        raise InputError(_too_few(settings, len(counted.inside)))
    assigned = _anneal(counted, shares, minimum_frames)
    name = np.array(NAMES, dtype=object)[assigned[dense]]
    name[_in_gap(time, dense, assigned, gap)] = GAP
    if any(share > 0 and not (name == n).any() for n, share in zip(NAMES, shares, strict=True)):
        raise InputError(_too_few(settings, len(counted.inside)))
    return Splits(name, block)


def _too_few(settings: SplitConfig, blocks: int) -> str:
    return (
        f"dataset.split: {blocks} blocks of {settings.block_days:g} days with gaps of "
        f"{settings.gap_hours:g} hours leave a split empty; shorten block_days or gap_hours"
    )


def _borders(time: Integers, dense: Integers) -> Floats:
    """Give the times midway between the last frame of each block and the first of the next."""
    last = np.flatnonzero(np.diff(dense))
    return (time[last] + time[last + 1]) / 2


def _count(
    time: Integers, dense: Integers, goes_class: npt.NDArray[np.int8], gap: float
) -> _Blocks:
    borders = _borders(time, dense)
    starts = np.concatenate([[-np.inf], borders])[dense]
    ends = np.concatenate([borders, [np.inf]])[dense]
    _, kind = np.unique(goes_class, return_inverse=True)
    shape = (int(dense[-1]) + 1, int(kind.max()) + 1)

    def tally(chosen: npt.NDArray[np.bool_]) -> Floats:
        counts = np.zeros(shape)
        np.add.at(counts, (dense[chosen], kind[chosen]), 1)
        return counts

    everywhere = np.ones(len(time), dtype=bool)
    return _Blocks(tally(everywhere), tally(time - starts < gap / 2), tally(ends - time < gap / 2))


def _in_gap(
    time: Integers, dense: Integers, assigned: Integers, gap: float
) -> npt.NDArray[np.bool_]:
    borders = _borders(time, dense)[np.diff(assigned) != 0]
    if len(borders) == 0:
        return np.zeros(len(time), dtype=bool)
    after = np.clip(np.searchsorted(borders, time), 0, len(borders) - 1)
    before = np.maximum(after - 1, 0)
    distance = np.minimum(np.abs(time - borders[after]), np.abs(time - borders[before]))
    return np.asarray(distance < gap / 2)


def _anneal(blocks: _Blocks, shares: Floats, minimum_frames: int) -> Integers:
    """Share out the blocks at the least cost that cooling random searches, side by side, find."""
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
        taken = rng.random(SEARCHES) < np.exp(-rise / temperature)
        current[taken], cost[taken] = proposed[taken], proposed_cost[taken]
        if cost.min() < best_cost:
            best, best_cost = current[cost.argmin()].copy(), cost.min()
    return np.asarray(best, dtype=np.int64)


def _costs(assigned: Integers, blocks: _Blocks, shares: Floats, minimum_frames: int) -> Floats:
    """Give the cost of each way (M, B) to share out the blocks."""
    border = (assigned[:, 1:] != assigned[:, :-1])[..., None]
    kept = np.broadcast_to(blocks.inside, (*assigned.shape, blocks.inside.shape[1])).copy()
    kept[:, 1:] -= border * blocks.near_start[1:]
    kept[:, :-1] -= border * blocks.near_end[:-1]
    members = (assigned[:, None] == np.arange(len(shares))[:, None]).astype(np.float64)
    # A block shorter than the gap is counted out at both ends, hence the bound.
    table = members @ np.maximum(kept, 0)
    total = blocks.inside.sum(axis=0)
    # A class that no split could make trainable needs no more than to be there.
    needed = np.ones((len(shares), len(total)))
    needed[0] = np.where(total < minimum_frames, 1, minimum_frames)
    lacking = (table < needed).sum(axis=2)
    asked = np.flatnonzero(shares)
    wanted = shares[:, None] * total
    of_class = ((table[:, asked] / wanted[asked] - 1) ** 2).mean(axis=2)
    of_all = (table[:, asked].sum(axis=2) / wanted[asked].sum(axis=1) - 1) ** 2
    missing = lacking[:, asked] @ np.array(MISSING_COST)[asked]
    missing += EMPTY_COST * (table[:, asked].sum(axis=2) == 0).sum(axis=1)
    return np.asarray(missing + (of_class + TOTAL_WEIGHT * of_all).sum(axis=1))
