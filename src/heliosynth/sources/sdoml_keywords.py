"""Header keywords of SDOMLv2's frames, and which frames they declare unusable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from heliosynth.arrays import Booleans, Floats
from heliosynth.errors import InputError
from heliosynth.sources import quality_flags
from heliosynth.sources.reading import ReadingReport
from heliosynth.sources.times import ParsedTimes, parse_times

LONGEST_EXPOSURE_S = 60.0
"""Exposures of AIA take at most some seconds; a larger number is in another unit."""
ROLL_LIMIT = 10.0
"""Largest angle between north and the frame's columns (``CROTA2``), degrees."""
SCALE_LIMIT = 0.03
"""Largest difference of the solar radius in pixels from the median of its year, relative."""
EXPOSURE_RATIO = 1.1
"""Largest ratio of two exposure times in a year of frames that are not divided by them."""

NO_TIME = "no time (T_OBS)"
SAME_TIME = "another frame of the same time"
NO_FRAME = "keywords without a frame (T_OBS is longer than the array)"
OTHER_CHANNEL = "of another channel (WAVELNTH)"
EXPOSURE = f"exposure time not from 0 to {LONGEST_EXPOSURE_S:g} s (EXPTIME)"
NOT_A_WORD = "QUALITY is not a 32-bit word"
ROLLED = f"rolled by more than {ROLL_LIMIT:g} degrees (CROTA2)"
OTHER_SCALE = "of another plate scale than the year (RSUN_OBS / CDELT1)"

UNKNOWN = ("", "nan", "none", "null", "n/a")
"""Texts, in lower case, that stand for an unknown value."""
PIXEL = r"(?:/pix(?:el)?)?"
PER_SECOND = re.compile(rf"dn{PIXEL}(?:/s(?:ec(?:ond)?)?|s\^?-1|s⁻¹){PIXEL}|dn/(?:pixs|spix)")
PLAIN = re.compile(rf"dn{PIXEL}")
"""Forms of DN s⁻¹ and DN, in lower case and without spaces, dots and brackets."""


@dataclass(frozen=True)
class Keywords:
    """Keywords of an array.

    Attributes
    ----------
    attributes
        The array's attributes: lists with a value per frame, or one value for all frames.
    length
        Number of frames.
    source
        Store, year and channel, for messages.
    """

    attributes: dict[str, Any]
    length: int
    source: str

    def values(self, name: str) -> list[Any]:
        """Return a value per frame, None where there is none."""
        values = self.attributes.get(name)
        if not isinstance(values, list):
            # A time is of one frame, other keywords can be the same for all of them.
            return [values if name != "T_OBS" or self.length == 1 else None] * self.length
        return (values + [None] * self.length)[: self.length]

    def numbers(self, name: str) -> tuple[Floats, Booleans]:
        """Return a keyword as numbers (N,), NaN where unknown, and where it is not a number."""
        values = self.values(name)
        numbers = np.full(self.length, np.nan)
        wrong = np.zeros(self.length, dtype=np.bool_)
        for row, value in enumerate(values):
            if value is None or (isinstance(value, str) and value.strip().lower() in UNKNOWN):
                continue
            try:
                numbers[row] = float(value)
            except (TypeError, ValueError, OverflowError):
                wrong[row] = True
        return numbers, wrong

    def example(self, name: str, rows: Booleans) -> str:
        """Return the first of some rows and its value, as ``source: value``."""
        if not rows.any():
            return ""
        row = int(np.argmax(rows))
        return f"{self.source}: frame {row} has {name} {self.values(name)[row]!r}"


def usable_frames(
    keywords: Keywords, width: int, channel: str, report: ReadingReport
) -> pd.DataFrame:
    """Return the frames of an array that can be used, in order of time.

    Parameters
    ----------
    keywords
        Keywords of the array.
    width
        Width of a frame, pixels.
    channel
        AIA channel of the array.
    report
        Counts what is left out; a frame with several faults counts for the first.

    Returns
    -------
    pandas.DataFrame
        ``time``, ``store_row``, ``exposure_s``, ``quality``, ``quality_unknown``.

    Raises
    ------
    InputError
        If there is no list of times, or most of them cannot be read.
    """
    times = _read_times(keywords, report)
    exposure_s, exposure_wrong = keywords.numbers("EXPTIME")
    quality, quality_wrong = _read_quality(keywords)
    known = ~np.isnan(exposure_s)
    faults: dict[str, tuple[str, Booleans]] = {
        NO_TIME: ("T_OBS", ~times.given),
        "time cannot be read (T_OBS)": ("T_OBS", times.unreadable),
        "time before 1974 or in the future (T_OBS)": ("T_OBS", times.outside),
        OTHER_CHANNEL: ("WAVELNTH", _other_channel(keywords, channel)),
        EXPOSURE: (
            "EXPTIME",
            exposure_wrong | (known & ~((exposure_s > 0) & (exposure_s <= LONGEST_EXPOSURE_S))),
        ),
        NOT_A_WORD: ("QUALITY", quality_wrong),
        ROLLED: ("CROTA2", _is_rolled(keywords)),
        OTHER_SCALE: ("CDELT1", _has_other_scale(keywords, width)),
    }
    usable = np.ones(keywords.length, dtype=np.bool_)
    for reason, (name, applies) in faults.items():
        rejected = usable & applies
        report.leave_out(reason, int(rejected.sum()), keywords.example(name, rejected))
        usable &= ~applies
    table = pd.DataFrame(
        {
            "time": pd.Series(times.times).dt.round("s").astype("datetime64[s]"),
            "store_row": np.arange(keywords.length),
            "exposure_s": exposure_s,
            "quality": np.maximum(quality, 0),
            "quality_unknown": quality < 0,
        }
    )
    exact = pd.Series(times.times)
    table = table[usable].sort_values(["time", "store_row"])
    again = exact[table.index].duplicated().to_numpy()
    rows = np.zeros(keywords.length, dtype=np.bool_)
    rows[table.index[again]] = True
    report.leave_out(SAME_TIME, int(again.sum()), keywords.example("T_OBS", rows))
    return table[~again].reset_index(drop=True)


def check_unit(keywords: Keywords, table: pd.DataFrame) -> None:
    """Check that the usable frames of an array are in one unit, DN s⁻¹ or DN.

    Frames in DN are as good as those in DN s⁻¹ if all have one exposure time, or if it is
    unknown.

    Raises
    ------
    InputError
        If they are in another unit (``PIXLUNIT``), in several, or in DN with different exposure
        times.
    """
    values = [keywords.values("PIXLUNIT")[row] for row in table["store_row"]]
    named = {str(value) for value in values if str(value).strip().lower() not in UNKNOWN}
    kinds = {name: _unit_kind(name) for name in sorted(named)}
    for name, kind in kinds.items():
        if not kind:
            raise InputError(
                f"{keywords.source}: PIXLUNIT is {name!r}, not DN/s or DN; convert the frames to "
                "DN/s and set PIXLUNIT to it"
            )
    if len(set(kinds.values())) > 1:
        raise InputError(
            f"{keywords.source}: PIXLUNIT is {' and '.join(kinds)}; convert all frames to DN/s"
        )
    exposure_s = table["exposure_s"].dropna()
    if "DN" in kinds.values() and not exposure_s.empty:
        shortest, longest = exposure_s.min(), exposure_s.max()
        if longest > EXPOSURE_RATIO * shortest:
            raise InputError(
                f"{keywords.source}: PIXLUNIT is DN, and EXPTIME is from {shortest:g} to "
                f"{longest:g} s; divide each frame by its EXPTIME and set PIXLUNIT to DN/s"
            )


def _unit_kind(name: str) -> str:
    """Return ``DN/s`` or ``DN``; empty for another unit."""
    text = re.sub(r"[\s.*()]", "", name.lower().replace("**", "^"))
    if PER_SECOND.fullmatch(text):
        return "DN/s"
    return "DN" if PLAIN.fullmatch(text) else ""


def _read_times(keywords: Keywords, report: ReadingReport) -> ParsedTimes:
    listed = keywords.attributes.get("T_OBS")
    if not keywords.length and isinstance(listed, list) and listed:
        raise InputError(
            f"{keywords.source} holds no frame, but T_OBS has {len(listed)} times; fetch it again"
        )
    if not keywords.length:
        return parse_times([], keywords.source)
    if listed is None or (not isinstance(listed, list) and keywords.length != 1):
        raise InputError(
            f"{keywords.source} has no list T_OBS in its attributes; write the times of the frames "
            "there, such as 2014-01-01T00:06:10.34Z"
        )
    if isinstance(listed, list):
        report.leave_out(NO_FRAME, max(0, len(listed) - keywords.length), keywords.source)
    times = parse_times(keywords.values("T_OBS"), f"{keywords.source}, T_OBS")
    times.require_readable(f"{keywords.source}, T_OBS")
    return times


def _read_quality(keywords: Keywords) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Booleans]:
    """Return QUALITY (N,), −1 where unknown, and where it is not a word."""
    quality = np.full(keywords.length, -1, dtype=np.int64)
    wrong = np.zeros(keywords.length, dtype=np.bool_)
    for row, value in enumerate(keywords.values("QUALITY")):
        try:
            word = quality_flags.parse(value)
        except (ValueError, OverflowError):
            wrong[row] = True
        else:
            quality[row] = -1 if word is None else word
    return quality, wrong


def _other_channel(keywords: Keywords, channel: str) -> Booleans:
    wavelength, wrong = keywords.numbers("WAVELNTH")
    expected = re.match(r"\d+", channel)
    if expected is None:
        return np.zeros(keywords.length, dtype=np.bool_)
    return np.asarray(wrong | (~np.isnan(wavelength) & (wavelength != float(expected.group()))))


def _is_rolled(keywords: Keywords) -> Booleans:
    roll, _ = keywords.numbers("CROTA2")
    turned = np.abs((roll + 180) % 360 - 180)
    return np.asarray(np.nan_to_num(turned) > ROLL_LIMIT)


def _has_other_scale(keywords: Keywords, width: int) -> Booleans:
    """Return which frames have another solar radius in pixels than most of their year."""
    radius, scale, pixels = (keywords.numbers(name)[0] for name in ("RSUN_OBS", "CDELT1", "NAXIS1"))
    pixels = np.where(np.isnan(pixels), width, pixels)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = radius / scale / pixels
    known = np.isfinite(relative)
    if not known.any():
        return known
    ratio = relative / np.median(relative[known])
    return np.asarray(known & (np.abs(ratio - 1) > SCALE_LIMIT))
