"""Minkowski functionals of pixel sets: area, length of the contour, Euler number.

They depend on all moments of an image, also on those that a power spectrum does not contain
(Mecke et al. 1994).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Booleans, Floats

_EULER = np.array(
    [0, 1, 1, 0, 1, 0, 0, -1, 1, 0, 0, -1, 0, -1, -1, 0],
    dtype=np.int8,
)
"""Four times the contribution of a square of 2×2 pixels to the Euler number, by its content as a
binary number: 1 for one pixel, −1 for three. A diagonal pair counts −2 if diagonal neighbours are
connected and 2 if they are not (Gray 1971), so 0 on average."""


@dataclass(frozen=True)
class Functionals:
    """Minkowski functionals of N sets, each (N,).

    Attributes
    ----------
    area
        Share of the window's pixels in the set.
    perimeter
        Length of the contour inside the window, pixels.
    euler
        Number of components minus number of holes; the border of the window closes the set.
    """

    area: Floats
    perimeter: Floats
    euler: Floats


def functionals(sets: Booleans, window: Booleans) -> Functionals:
    """Compute the Minkowski functionals of sets of pixels inside a window.

    The Euler number is the mean of those with and without connected diagonal neighbours, which
    makes it antisymmetric in set and complement, as that of a continuous field.

    Parameters
    ----------
    sets
        Pixels in the set (N, H, W).
    window
        Pixels that are considered (H, W).
    """
    inside = sets & window
    area = inside.sum(axis=(1, 2)) / max(np.count_nonzero(window), 1)
    return Functionals(area, _perimeter(inside, window), _euler(inside))


def _euler(sets: Booleans) -> Floats:
    """Return the Euler number (N,) from squares of 2×2 pixels (Gray 1971)."""
    padded = np.pad(sets, ((0, 0), (1, 1), (1, 1))).view(np.uint8)
    squares = padded[:, :-1, :-1] | padded[:, :-1, 1:] << 1
    squares |= padded[:, 1:, :-1] << 2 | padded[:, 1:, 1:] << 3
    return np.asarray(_EULER[squares].sum(axis=(1, 2), dtype=np.int64) / 4)


def _perimeter(sets: Booleans, window: Booleans) -> Floats:
    """Return the length of the contour (N,) by Crofton's formula with lines in four directions.

    The length is π/2 times the mean over directions of the number of crossings times the distance
    of the lines, which is 1 pixel along rows and columns and 1/√2 along diagonals.
    """
    everything, first, last = slice(None), slice(None, -1), slice(1, None)
    straight = (
        ((everything, first), (everything, last)),
        ((first, everything), (last, everything)),
    )
    diagonal = (((first, first), (last, last)), ((first, last), (last, first)))
    length = np.zeros(len(sets))
    for pairs, distance in ((straight, 1.0), (diagonal, np.sqrt(0.5))):
        for one, other in pairs:
            crossed = (sets[:, *one] != sets[:, *other]) & (window[one] & window[other])
            length += distance * crossed.sum(axis=(1, 2))
    return length * np.pi / 8
