"""GOES flare classes: their names, their limits in flux, and the two ways to write one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.errors import InputError

NAMES = ("A", "B", "C", "M", "X")
"""The classes in order of flux; a class's place is its number, 0…4, in every product."""

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
    if letter not in NAMES:
        raise InputError(f"{label!r} is no GOES class: it must begin with one of A, B, C, M, X")
    try:
        return LOWER_FLUX[NAMES.index(letter)] * (float(figure) if figure else 1.0)
    except ValueError:
        raise InputError(f"{label!r} is no GOES class: {figure!r} is no number") from None
