"""Meaning of the bits of AIA's level-1 keyword QUALITY, and which of them mean a bad image.

The bits are those that JSOC's ``build_lev1`` sets (its header ``quallev1.h``; SDO user guide,
section 7.7.6). ``docs/data.md`` has the same table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Booleans

WORD_BITS = 32
FLAG = "quality flag"
"""Start of every reason of :func:`reason`."""
UNKNOWN_TEXTS = ("", "nan", "none", "null", "n/a", "missing")
"""Texts, in lower case, that stand for an unknown value."""


@dataclass(frozen=True)
class QualityBit:
    """One bit of QUALITY.

    Attributes
    ----------
    name
        Its meaning, in a few words.
    is_bad
        Whether the image must not be used.
    why
        Why the image is used or not, for the documentation.
    """

    name: str
    is_bad: bool
    why: str


BITS: Mapping[int, QualityBit] = {
    0: QualityBit("no flat field", True, "intensities vary with the position on the detector"),
    1: QualityBit("no orbit data", True, "the Sun's distance, and so its size, is unknown"),
    2: QualityBit("no housekeeping data", True, "bits 12 to 15 cannot be set without them"),
    3: QualityBit("no master pointing", True, "the disk's centre and the roll are unknown"),
    4: QualityBit("no limb fit", False, "AIA images have none; their pointing is from a table"),
    5: QualityBit("instrument anomaly", True, "entered by hand for images that are unusable"),
    6: QualityBit("instrument misconfigured", True, "exposure or filter are not as commanded"),
    7: QualityBit("camera anomaly", True, "the detector was read out wrongly"),
    8: QualityBit("missing pixels", True, "lost blocks, which later averages can hide"),
    9: QualityBit("over 1 % of pixels missing", True, "lost blocks"),
    10: QualityBit("over 5 % of pixels missing", True, "lost blocks"),
    11: QualityBit("over 25 % of pixels missing", True, "lost blocks"),
    12: QualityBit("not in science pointing mode", True, "off-pointing or roll manoeuvre"),
    13: QualityBit("eclipse", True, "Earth or Moon cover part of the Sun"),
    14: QualityBit("no Sun presence", True, "the spacecraft does not point at the Sun"),
    15: QualityBit("safe mode", True, "the spacecraft does not point at the Sun"),
    16: QualityBit("dark image", True, "taken with the shutter closed"),
    17: QualityBit("ISS loop open", True, "not stabilised, so blurred or shifted"),
    18: QualityBit("calibration image", True, "other filters or exposures than those of science"),
    19: QualityBit("HMI calibration mode", True, "not set for AIA; the image is not of science"),
    20: QualityBit("focus out of range", True, "AIFCPS outside -20…100: blurred"),
    21: QualityBit("register flag", True, "AIAGP6 is not 0: a safety state around eclipses"),
    22: QualityBit("thermal recovery", True, "focus and pointing drift after an eclipse"),
    23: QualityBit("lunar transit", True, "the Moon covers part of the Sun"),
    30: QualityBit("near real time", False, "an image like the others, calibrated early"),
    31: QualityBit("image not available", True, "a record without an image"),
}
"""The documented bits."""
UNDOCUMENTED = QualityBit("undocumented", True, "its meaning is unknown, so it may be a fault")
BAD_MASK = sum(1 << bit for bit in range(WORD_BITS) if bit not in BITS or BITS[bit].is_bad)
"""The bits that mean a bad image."""
MISSING_BITS = (8, 9, 10, 11)
"""The bits for missing pixels, from any to more than a quarter."""


def parse(value: Any) -> int | None:
    """Return a QUALITY word as an integer from 0 to 2³² − 1, None if it is unknown.

    Parameters
    ----------
    value
        An integer, a float without a fraction, or a text of either, also hexadecimal; negative
        integers are 32-bit words whose bit 31 is set. None and NaN are unknown.

    Raises
    ------
    ValueError
        If it is not a 32-bit word.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        if text in UNKNOWN_TEXTS:
            return None
        value = int(text, 16) if text.startswith(("0x", "-0x")) else float(text)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1 != 0:
        raise ValueError(f"{value!r} is not a QUALITY word")
    number: int = int(value)
    if not -(1 << (WORD_BITS - 1)) <= number < 1 << WORD_BITS:
        raise ValueError(f"{number} has more than {WORD_BITS} bits")
    return number & ((1 << WORD_BITS) - 1)


def is_bad(quality: npt.ArrayLike) -> Booleans:
    """Return which QUALITY words (N,) have a bit that means a bad image."""
    return np.asarray(np.asarray(quality, dtype=np.int64) & BAD_MASK != 0)


def bad_bits(quality: int) -> list[int]:
    """List the bits of a QUALITY word that mean a bad image, in ascending order."""
    return [bit for bit in range(WORD_BITS) if int(quality) & BAD_MASK & (1 << bit)]


def reason(quality: int) -> str:
    """Return why an image is rejected for its QUALITY word, empty if it is not.

    Of the four bits for missing pixels only the highest is named, since it includes the others.
    """
    bits = bad_bits(quality)
    most_missing = max((bit for bit in bits if bit in MISSING_BITS), default=None)
    named = [bit for bit in bits if bit not in MISSING_BITS or bit == most_missing]
    names = ", ".join(f"{BITS.get(bit, UNDOCUMENTED).name} (bit {bit})" for bit in named)
    return f"{FLAG}: {names}" if names else ""
