"""LaTeX of text, numbers and tables, for pdflatex."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeGuard

DASH = "--"
"""Shown in place of a missing value."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\u2013": "--",
    "\u2014": "---",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2026": r"\ldots{}",
    "\u00a0": "~",
    "\u202f": r"\,",
    "\u2212": "$-$",
    "\u207b": "$^{-}$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "°": r"$^\circ$",
    "″": r"$''$",
    "′": r"$'$",
    "µ": r"$\mu$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "λ": r"$\lambda$",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "→": r"$\rightarrow$",
}
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"


def escape(text: str) -> str:
    """Return LaTeX that prints a text unchanged.

    A character that the fonts lack is printed as its code point, ``[U+2609]``, so that no text can
    stop the paper.
    """
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _SUPERSCRIPTS:
        return f"$^{{{_SUPERSCRIPTS.index(character)}}}$"
    if character.isspace():
        return " "
    # The T1 fonts hold Latin-1 and Latin Extended-A.
    if character.isascii() and character.isprintable():
        return character
    if 0xC0 <= ord(character) < 0x180 and character.isalpha():
        return character
    plain = unicodedata.normalize("NFKD", character)
    if plain.isascii() and plain.isprintable():
        # Normalisation can give a special character: U+FE5B becomes a brace.
        return "".join(_SPECIAL.get(ascii_character, ascii_character) for ascii_character in plain)
    return f"[U+{ord(character):04X}]"


def integer(value: float | None) -> str:
    """Return a count with thin spaces between thousands; an en dash for None."""
    return f"{round(value):,}".replace(",", r"\,") if _is_number(value) else DASH


def decimal(value: float | None, figures: int = 3) -> str:
    r"""Return a number in math mode with some significant figures.

    Very large and very small numbers have the form ``$1.2 \times 10^{-5}$``.
    """
    if not _is_number(value):
        return DASH
    if value == 0:
        return "$0$"
    exponent = _exponent(value)
    if not -4 <= exponent <= 5:
        return _scientific(value, None, exponent, figures - 1)
    return f"${value:.{max(0, figures - 1 - exponent)}f}$"


def plain(value: float) -> str:
    r"""Return a setting with no more digits than it needs: ``0.5``, ``$2 \times 10^{-5}$``."""
    mantissa, _, exponent = f"{value:g}".partition("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$" if exponent else mantissa


def duration(seconds: float | None) -> str:
    """Return a duration in seconds, minutes or hours, by its length."""
    if not _is_number(seconds):
        return DASH
    if seconds < 90:
        return f"{seconds:.0f}\\,s"
    if seconds < 5400:
        return f"{seconds / 60:.0f}\\,min"
    return f"{seconds / 3600:.1f}\\,h"


def measurement(value: float | None, std: float | None) -> str:
    r"""Return ``$0.130 \pm 0.036$``, with two significant figures of the standard deviation.

    Without a standard deviation the value has three figures; a missing value is an en dash.
    """
    if not _is_number(value):
        return DASH
    if not _is_number(std) or std == 0:
        return decimal(value)
    largest = _exponent(max(abs(value), std))
    if not -4 <= largest <= 5:
        return _scientific(value, std, largest, max(0, largest - _exponent(std) + 1))
    decimals = max(0, 1 - _exponent(std))
    return rf"${value:.{decimals}f} \pm {std:.{decimals}f}$"


def as_printed(text: str | None) -> str:
    """Return a published value, ``0.130 ± 0.036``, with the digits of its publication."""
    return DASH if text is None else "$" + text.replace("±", r"\pm") + "$"


def listing(words: Sequence[str]) -> str:
    """Return ``A, B and C``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def tabular(columns: str, header: Sequence[str], groups: Iterable[Iterable[Sequence[str]]]) -> str:
    """Return a booktabs ``tabular``.

    Parameters
    ----------
    columns
        The column specification, such as ``lrr``.
    header
        The titles of the columns, LaTeX.
    groups
        Rows of cells, LaTeX, in groups with a thin rule between them.
    """
    bodies = ["".join(_row(row) for row in rows) for rows in groups]
    body = "\\midrule\n".join(body for body in bodies if body)
    return (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{_row(header)}\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\" + "\n"


def _scientific(value: float, std: float | None, exponent: int, decimals: int) -> str:
    unit = 10.0**exponent
    mantissa = f"{value / unit:.{decimals}f}"
    if std is not None:
        mantissa = rf"({mantissa} \pm {std / unit:.{decimals}f})"
    return rf"${mantissa} \times 10^{{{exponent}}}$"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _is_number(value: float | None) -> TypeGuard[float]:
    """Return whether a value is neither missing nor NaN nor infinite."""
    return value is not None and math.isfinite(value)
