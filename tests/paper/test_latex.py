"""LaTeX of any text and any number."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.paper import latex


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("100 % of a_b & c#1", r"100 \% of a\_b \& c\#1"),
        (r"\input{x} $~^", r"\textbackslash{}input\{x\} \$\textasciitilde{}\textasciicircum{}"),
        ("171 Å, ± 2″", r"171 Å, $\pm$ 2$''$"),
        ("10⁻⁵? 10²", r"10$^{-}$$^{5}$? 10$^{2}$"),
        ("Quétant", "Quétant"),
        ("☉ 中", "[U+2609] [U+4E2D]"),
        ("two\nlines", "two lines"),
        ("\ufe5b\ufe5c \uff5b\uff5d", r"\{\} \{\}"),
        ("\uff05\uff3f\uff03\uff06", r"\%\_\#\&"),
        ("\uff3cinput", r"\textbackslash{}input"),
    ],
)
def test_escape(text: str, written: str) -> None:
    assert latex.escape(text) == written


def check_escaped(written: str) -> None:
    """Check that a text holds no special character but commands, math and balanced braces."""
    plain = written.replace(r"\textbackslash{}", "")
    for special in "#%&_":
        assert plain.count(special) == plain.count("\\" + special)
    assert (plain.count("$") - plain.count(r"\$")) % 2 == 0
    braces = plain.replace(r"\{", "").replace(r"\}", "")
    assert braces.count("{") == braces.count("}")
    assert all(ord(c) < 0x180 for c in written)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_no_text_leaves_a_bare_special_character(text: str) -> None:
    check_escaped(latex.escape(text))


def test_no_character_turns_special_by_normalisation() -> None:
    characters = map(chr, range(0x80, sys.maxunicode + 1))
    ascii_forms = [c for c in characters if unicodedata.normalize("NFKD", c).isascii()]
    assert len(ascii_forms) > 500
    for character in ascii_forms:
        check_escaped(latex.escape(character))


@pytest.mark.parametrize(
    ("value", "spread", "written"),
    [
        (0.13, 0.036, r"$0.130 \pm 0.036$"),
        (7.948, 0.914, r"$7.95 \pm 0.91$"),
        (2.206, None, "$2.21$"),
        (1.0, 0.0, "$1.00$"),
        (None, None, "--"),
        (float("nan"), 0.1, "--"),
        (3.0e-6, 2.0e-7, r"$(3.00 \pm 0.20) \times 10^{-6}$"),
        (0.0, None, "$0$"),
        (123.4, 20.0, r"$123 \pm 20$"),
    ],
)
def test_measurement(value: float | None, spread: float | None, written: str) -> None:
    assert latex.measurement(value, spread) == written


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-3, 1e5), st.floats(1e-3, 0.5))
def test_measurement_round_trips_within_its_spread(value: float, relative: float) -> None:
    spread = value * relative
    shown, _, shown_spread = latex.measurement(value, spread).strip("$").partition(r" \pm ")
    if "times" not in shown_spread:
        assert float(shown) == pytest.approx(value, abs=spread)
        assert float(shown_spread) == pytest.approx(spread, rel=0.06)


def test_integer_and_listing() -> None:
    assert latex.integer(1234567) == r"1\,234\,567"
    assert latex.integer(None) == "--"
    assert latex.listing(["A", "B", "C"]) == "A, B and C"
    assert latex.listing(["A"]) == "A"
    assert latex.listing([]) == ""


def test_plain_and_duration() -> None:
    assert latex.plain(0.0003) == "0.0003"
    assert latex.plain(2e-5) == r"$2 \times 10^{-5}$"
    assert latex.duration(12) == r"12\,s"
    assert latex.duration(600) == r"10\,min"
    assert latex.duration(7200) == r"2.0\,h"


def test_published_values_keep_their_digits() -> None:
    assert latex.as_printed("0.70 ± 0.036") == r"$0.70 \pm 0.036$"
    assert latex.as_printed(None) == "--"
