"""Share of near copies in a set of images, and that of real images of other weeks.

Left-out weeks of training images copy nothing; the share of near copies in random sets of them is
what a set of generated images is expected to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from scipy.stats import beta
from scipy.stats import t as student_t

from heliosynth.arrays import AnyFloats, Booleans, Integers
from heliosynth.evaluation.effect_size import block_sets
from heliosynth.evaluation.memorisation import CRITERIA, Matches, Thresholds

CONFIDENCE = 0.95
DRAWS = 1000
"""Random sets of training blocks."""
LEAST_BLOCKS = 5
"""Fewest blocks of time of a range over left-out blocks."""


class ExpectedJson(TypedDict):
    """Share of near copies that real images of other weeks have: mean and 95 % range."""

    expected: float | None
    low: float | None
    high: float | None


class ShareJson(ExpectedJson):
    """Share of near copies of a set of ``n`` images, and its 95 % interval."""

    copy_share: float | None
    copy_share_low: float | None
    copy_share_high: float | None
    n: int


class AlarmsJson(TypedDict):
    """Share of flagged frames over single left-out blocks, each with the others' thresholds."""

    mean: float
    worst: float
    blocks: int


@dataclass(frozen=True)
class LeftOut:
    """Near copies among training images of other weeks.

    Attributes
    ----------
    thresholds
        Over all training images.
    blocks
        Block of time of each training image (N,).
    sets
        Which training images are in each random set of blocks (R, N).
    flagged
        Which of these are flagged, by criterion (R, N).
    alarms
        False alarms over single blocks, by criterion.
    """

    thresholds: Thresholds
    blocks: Integers
    sets: Booleans
    flagged: Mapping[str, Booleans]
    alarms: Mapping[str, AlarmsJson]

    @classmethod
    def of(cls, left_out: Matches, blocks: Integers, seed: int) -> LeftOut:
        """Flag training images in random sets of blocks.

        Parameters
        ----------
        left_out
            Result of :func:`heliosynth.evaluation.memorisation.search_other_weeks` (N,).
        blocks
            Block of time of each (N,); at least two.
        seed
            Seed of the sets.
        """
        sets = block_sets(blocks, np.random.default_rng(seed), DRAWS)
        single = np.asarray(blocks == np.unique(blocks)[:, None])
        alone, everything = flag_left_out(left_out, single), np.ones(len(blocks), np.bool_)
        alarms: dict[str, AlarmsJson] = {}
        for name in CRITERIA:
            shares = null_shares(alone[name], single, everything)
            mean, worst = float(shares.mean()), float(shares.max())
            alarms[name] = {"mean": mean, "worst": worst, "blocks": len(single)}
        flagged = flag_left_out(left_out, sets)
        return cls(Thresholds.of(left_out), blocks, sets, flagged, alarms)

    def expect(self, criterion: str, members: Booleans) -> ExpectedJson:
        """Return the share by a criterion among some training images (N,), such as a class.

        There is no range for images of fewer than :data:`LEAST_BLOCKS` blocks.
        """
        shares = null_shares(self.flagged[criterion], self.sets, members)
        if not len(shares):
            return {"expected": None, "low": None, "high": None}
        expected = float(shares.mean())
        if len(np.unique(self.blocks[members])) < LEAST_BLOCKS:
            return {"expected": expected, "low": None, "high": None}
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(shares, [tail, 1 - tail])
        return {"expected": expected, "low": float(low), "high": float(high)}


def measure_share(flags: Booleans, groups: Integers | None, expected: ExpectedJson) -> ShareJson:
    """Return the share of flagged images (n,), see :func:`share_interval` for ``groups``."""
    low, high = share_interval(flags, groups) or (None, None)
    return {
        "copy_share": float(flags.mean()) if len(flags) else None,
        "copy_share_low": low,
        "copy_share_high": high,
        "n": len(flags),
        **expected,
    }


def flag_left_out(left_out: Matches, sets: Booleans) -> dict[str, Booleans]:
    """Flag frames of random sets of blocks, with the thresholds of the other frames.

    Parameters
    ----------
    left_out
        Result of :func:`search_other_weeks` for all training images (N,).
    sets
        Which images are in each set (R, N); none holds all images.

    Returns
    -------
    dict
        By each of :data:`CRITERIA`: the flags (R, N), False outside a set.
    """
    flagged = {name: np.zeros(sets.shape, np.bool_) for name in CRITERIA}
    for draw, inside in enumerate(sets):
        flags = Thresholds.of(left_out.take(~inside)).flag(left_out)
        for name in CRITERIA:
            flagged[name][draw] = flags[name] & inside
    return flagged


def share_interval(flags: Booleans, groups: Integers | None = None) -> tuple[float, float] | None:
    """Return the exact 95 % interval of a share (Clopper & Pearson 1934).

    Images that are not independent count as the effective number n* = p(1 − p)/Var(p), with the
    variance between groups (Korn & Graubard 1998); where no group varies, as one per group.

    Parameters
    ----------
    flags
        (n,).
    groups
        Number of the group of each image (n,); None: all are independent.

    Returns
    -------
    tuple or None
        None without an image, or with a single group.
    """
    n, effective = len(flags), float(len(flags))
    if not n:
        return None
    share = float(flags.mean())
    if groups is not None:
        _, index = np.unique(groups, return_inverse=True)
        count = int(index.max()) + 1
        if count < 2:
            return None
        sums = np.bincount(index, weights=flags - share)
        variance = count / (count - 1) * float(sums @ sums) / n**2
        effective = share * (1 - share) / variance if variance > 0 else float(count)
        quantile = (1 + CONFIDENCE) / 2
        effective *= (student_t.ppf(quantile, n - 1) / student_t.ppf(quantile, count - 1)) ** 2
        effective = min(effective, n)
    hits, tail = share * effective, (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, effective - hits + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, effective - hits)) if share < 1 else 1.0
    return low, high


def null_shares(flagged: Booleans, sets: Booleans, members: Booleans) -> AnyFloats:
    """Return the share of flagged images among some members of each set, (at most R,).

    Parameters
    ----------
    flagged
        One result of :func:`flag_left_out` (R, N).
    sets
        Which images are in each set (R, N).
    members
        The images that count (N,), such as those of a class; sets without any are left out.
    """
    total = np.count_nonzero(sets & members, axis=1)
    count = np.count_nonzero(flagged & members, axis=1)
    return np.asarray(count[total > 0] / total[total > 0])
