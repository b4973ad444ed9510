"""GOES flare classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth import goes_class
from heliosynth.errors import InputError


@pytest.mark.parametrize(
    ("flux", "number"),
    [(1e-9, 0), (9.9e-8, 0), (1e-7, 1), (9.9e-7, 1), (1e-6, 2), (1e-5, 3), (1e-4, 4), (2e-3, 4)],
)
def test_classes_are_decades_of_flux(flux, number):
    assert goes_class.of_flux(flux) == number


@pytest.mark.parametrize(
    ("label", "flux"),
    [("M1.2", 1.2e-5), ("X28", 2.8e-3), ("B", 1e-7), (" c3.4 ", 3.4e-6), ("A0.1", 1e-9)],
)
def test_a_label_is_converted_to_its_flux(label, flux):
    assert goes_class.peak_flux(label) == pytest.approx(flux)


@given(letter=st.sampled_from(goes_class.NAMES), tenths=st.integers(10, 99))
def test_a_label_and_its_flux_have_the_same_class(letter, tenths):
    flux = goes_class.peak_flux(f"{letter}{tenths / 10}")
    assert goes_class.NAMES[goes_class.of_flux(flux)] == letter


def test_an_array_of_fluxes_has_an_array_of_classes():
    assert goes_class.of_flux(np.full((2, 3), 1e-5)).shape == (2, 3)


@pytest.mark.parametrize("label", ["", "Z1.0", "Mx", "1.2", "M0", "A0.01", "X1e3", "M1000"])
def test_a_wrong_label_is_an_error(label):
    with pytest.raises(InputError, match="is not a GOES class"):
        goes_class.peak_flux(label)
