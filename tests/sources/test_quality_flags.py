"""Bits of QUALITY: their values in headers, and which of them mean a bad image."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiapy.util import check_quality_flag
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.sources import quality_flags

DATA_PAGE = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (0.0, 0),
        (4.0, 4),
        (np.int32(64), 64),
        (np.float32(8), 8),
        ("0", 0),
        (" 64 ", 64),
        ("0.0", 0),
        ("1073741824.0", 1 << 30),
        ("0x40000000", 1 << 30),
        ("0X00002000", 1 << 13),
        (1 << 31, 1 << 31),
        (-(2**31), 1 << 31),
        (-(2**31) + 64, (1 << 31) + 64),
        ("-2147483648", 1 << 31),
        (None, None),
        (math.nan, None),
        ("nan", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_the_forms_of_a_word_are_read(value: Any, expected: int | None) -> None:
    assert quality_flags.parse(value) == expected


@pytest.mark.parametrize(
    "value", [4.5, "good", "0xZZ", "1,2", True, [0], 2**32, -(2**31) - 1, math.inf, "inf"]
)
def test_what_is_not_a_word_is_an_error(value: Any) -> None:
    with pytest.raises((ValueError, OverflowError)):
        quality_flags.parse(value)


@given(st.integers(0, 2**32 - 1))
def test_every_word_is_read_back_from_its_texts(word: int) -> None:
    assert quality_flags.parse(str(word)) == quality_flags.parse(hex(word)) == word
    assert quality_flags.parse(int(np.uint32(word).astype(np.int32))) == word
    assert quality_flags.is_bad([word])[0] == bool(quality_flags.bad_bits(word))
    assert bool(quality_flags.reason(word)) == bool(quality_flags.bad_bits(word))


def test_near_real_time_is_not_a_fault() -> None:
    assert quality_flags.reason(1 << 30) == ""
    assert quality_flags.reason((1 << 30) | (1 << 4)) == ""
    assert not quality_flags.is_bad([0, 1 << 30, 1 << 4]).any()


def test_a_bad_word_is_named_by_its_bits() -> None:
    assert quality_flags.reason((1 << 30) | (1 << 13)) == "quality flag: eclipse (bit 13)"
    assert quality_flags.reason((1 << 12) | (1 << 17)) == (
        "quality flag: not in science pointing mode (bit 12), ISS loop open (bit 17)"
    )
    assert quality_flags.reason(0xF00) == "quality flag: over 25 % of pixels missing (bit 11)"
    assert quality_flags.reason(1 << 26) == "quality flag: undocumented (bit 26)"
    assert quality_flags.bad_bits(2**32 - 1) == [b for b in range(32) if b not in (4, 30)]


def test_the_bits_are_those_that_aiapy_documents() -> None:
    for bit in range(quality_flags.WORD_BITS):
        (message,) = check_quality_flag(1 << bit)
        assert message == "(empty)" or bit in quality_flags.BITS


def test_the_documentation_has_the_same_table() -> None:
    rows = re.findall(
        r"^\| (\d+) \| ([^|]+) \| (yes|no) \| ([^|]+) \|$", DATA_PAGE.read_text(), re.M
    )
    documented = {
        int(bit): quality_flags.QualityBit(name.strip(), bad == "yes", why.strip())
        for bit, name, bad, why in rows
    }
    assert documented == quality_flags.BITS
