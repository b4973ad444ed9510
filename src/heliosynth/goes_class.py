"""GOES flare classes: their names, their limits in flux, and the two ways to write one."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from heliosynth.errors import InputError

NAMES = ("A", "B", "C", "M", "X")
"""The classes in order of flux; a class's place is its number, 0…4, in every product."""

LONGEST_LABEL = 20
"""Characters of a label that is none to show in a message."""

LOWER_FLUX = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
"""The flux of A1, B1, C1, M1 and X1, W m⁻², on the operational scale."""


def of_flux(flux: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Give the class numbers of XRS-B fluxes; everything below B1 is A.

    Parameters
    ----------
    flux
        1–8 Å flux, W m⁻², operational scale, any shape.
    """
    return np.searchsorted(LOWER_FLUX[1:], np.asarray(flux), side="right").astype(np.int8)


def peak_flux(label: str) -> float:
    """Give the flux in W m⁻² that a class such as ``M1.2`` stands for.

    Raises
    ------
    InputError
        If the label is no GOES class.
    """
    letter, figure = label.strip()[:1].upper(), label.strip()[1:]
    shown = repr(label[:LONGEST_LABEL])
    if letter not in NAMES:
        raise InputError(f"{shown} is no GOES class: it must begin with one of A, B, C, M, X")
    # float() also takes "1e9", "-1", "nan" and digits of other scripts.
    if not re.fullmatch(r"(\d{1,3}(\.\d*)?)?", figure, re.ASCII) or not float(figure or 1):
        raise InputError(
            f"{shown} is no GOES class: {figure[:LONGEST_LABEL]!r} is no number from 0.1 to 999"
        )
    return LOWER_FLUX[NAMES.index(letter)] * float(figure or 1)
