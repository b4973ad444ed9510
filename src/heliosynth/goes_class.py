"""GOES flare classes: names, flux limits, and conversion from fluxes and from labels."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Classes
from heliosynth.errors import InputError

NAMES = ("A", "B", "C", "M", "X")
"""The classes in order of flux; the index of a class is its number, 0…4, in every product."""

LONGEST_LABEL = 20
"""Characters of a wrong label to show in a message."""

SMALLEST_FACTOR = 0.1
"""Smallest number after the letter of a label: A0.1 is 1e-9 W m⁻², the floor of the sensor."""

LOWER_FLUX = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
"""The flux of A1, B1, C1, M1 and X1, W m⁻², on the operational scale."""


def of_flux(flux: npt.ArrayLike) -> Classes:
    """Return the class numbers of XRS-B fluxes; everything below B1 is A.

    Parameters
    ----------
    flux
        1–8 Å flux, W m⁻², operational scale, any shape.

    Returns
    -------
    numpy.ndarray
        Class numbers, of the same shape.
    """
    return np.searchsorted(LOWER_FLUX[1:], np.asarray(flux), side="right").astype(np.int8)


def peak_flux(label: str) -> float:
    """Return the flux in W m⁻² of a label such as ``M1.2``.

    Raises
    ------
    InputError
        If the label is not a GOES class.
    """
    letter, factor = label.strip()[:1].upper(), label.strip()[1:]
    shown = repr(label[:LONGEST_LABEL])
    if letter not in NAMES:
        raise InputError(
            f"{shown} is not a GOES class: it must begin with one of A, B, C, M, X; correct it"
        )
    # float() also accepts "1e9", "-1", "nan" and digits of other scripts.
    is_number = re.fullmatch(r"(\d{1,3}(\.\d*)?)?", factor, re.ASCII)
    if not is_number or float(factor or 1) < SMALLEST_FACTOR:
        raise InputError(
            f"{shown} is not a GOES class: {factor[:LONGEST_LABEL]!r} is not a number from "
            f"{SMALLEST_FACTOR} to 999; correct it"
        )
    return LOWER_FLUX[NAMES.index(letter)] * float(factor or 1)


def flux_text(flux: float) -> str:
    """Return a flux in W m⁻² as a label such as ``M1.2``."""
    number = int(of_flux(flux))
    return f"{NAMES[number]}{flux / LOWER_FLUX[number]:.1f}"
