"""Selection of the level-1 files of a channel from a folder that can hold anything else.

A file is judged by its name and header; what is left out is counted by reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heliosynth.errors import InputError
from heliosynth.sources import quality_flags
from heliosynth.sources.archive import list_level1
from heliosynth.sources.reading import ReadingReport

LONGEST_REASON = 200
"""Characters of a library's own message to show."""
SPIKES = re.compile(r"[._-]spikes[._-]", re.IGNORECASE)
"""In the names of JSOC's lists of cosmic-ray spikes, which come with the images."""


class UnusableFileError(InputError):
    """A file that is not an image to calibrate.

    Attributes
    ----------
    path
        The file.
    reason
        Why it is left out, without what is particular to this file.
    detail
        What is particular to this file; can be empty.
    """

    def __init__(self, path: Path | str, reason: str, detail: str = "") -> None:
        shown = " ".join(detail.split())[:LONGEST_REASON]
        super().__init__(f"{path}: {reason}{f' ({shown})' if shown else ''}")
        self.path, self.reason, self.detail = path, reason, shown

    def __reduce__(self) -> Any:
        # Errors return from worker processes pickled, which needs all arguments.
        return type(self), (self.path, self.reason, self.detail)

    def count(self, report: ReadingReport) -> None:
        """Add the file to a report."""
        example = f"{self.path}: {self.detail}" if self.detail else str(self.path)
        report.leave_out(self.reason, example=example)


@dataclass(frozen=True)
class Level1File:
    """A file to calibrate.

    Attributes
    ----------
    path
        FITS file.
    time
        Time of the observation (``T_OBS``), datetime64[ms], UTC.
    """

    path: Path
    time: np.datetime64

    @property
    def year(self) -> int:
        """Year of the observation."""
        return int(str(self.time)[:4])


def select_files(folder: Path | str, channel: str, report: ReadingReport) -> list[Level1File]:
    """Select the level-1 files of a channel, in order of time, each time once.

    Parameters
    ----------
    folder
        The folder; its subfolders are not searched.
    channel
        AIA channel, such as ``171A``.
    report
        Counts the files that are left out.

    Raises
    ------
    InputError
        If no file is left; the message has the counts of the reasons.
    """
    listing = list_level1(folder)
    report.merge(listing.report())
    files: dict[np.datetime64, Level1File] = {}
    for path in listing.files:
        report.files += 1
        try:
            file = check_header(path, channel)
        except UnusableFileError as error:
            error.count(report)
            continue
        if file.time in files:
            kept = files[file.time].path.name
            report.leave_out("another file of the same time", example=f"{path}: time of {kept}")
        else:
            files[file.time] = file
    require_files(len(files), folder, channel, report)
    return [files[time] for time in sorted(files)]


def require_files(count: int, folder: Path | str, channel: str, report: ReadingReport) -> None:
    """Check that files are left.

    Raises
    ------
    InputError
        If ``count`` is 0; the message has the reasons of the report, with counts and examples.
    """
    if count:
        return
    reasons = "; ".join(
        f"{number} {reason}"
        + (f" ({report.examples[reason]})" if reason in report.examples else "")
        for reason, number in report.left_out.items()
    )
    raise InputError(
        f"{folder}: holds no AIA level-1 image of {channel} that can be used"
        f"{f', of {report.files} FITS files: {reasons}' if reasons else ''}; "
        "add full-disk files of aia.lev1_euv_12s, or set `dataset.channel`"
    )


def check_header(path: Path, channel: str) -> Level1File:
    """Check by name and header that a file is a full-disk level-1 image of a channel.

    Raises
    ------
    UnusableFileError
        If it is not.
    """
    if SPIKES.search(path.name):
        raise UnusableFileError(path, "list of cosmic-ray spikes, not an image")
    header = _read_header(path)
    if header is None:
        raise UnusableFileError(path, "FITS without the header of an AIA image (no T_OBS)")
    telescope = f"{header.get('TELESCOP', '')} {header.get('INSTRUME', '')}".strip()
    if "AIA" not in telescope.upper():
        raise UnusableFileError(path, "not of AIA", f"TELESCOP, INSTRUME are {telescope!r}")
    if not _is_channel(header.get("WAVELNTH"), channel):
        raise UnusableFileError(path, "of another channel", f"WAVELNTH is {header.get('WAVELNTH')}")
    level, exposure_s = to_number(header.get("LVL_NUM")), to_number(header.get("EXPTIME"))
    if level != 1:
        raise UnusableFileError(path, "not of level 1", f"LVL_NUM is {header.get('LVL_NUM')}")
    if not exposure_s > 0:
        raise UnusableFileError(
            path, "no exposure time", f"EXPTIME is {header.get('EXPTIME')}, not above 0 s"
        )
    axes = header.get("NAXIS1"), header.get("NAXIS2")
    if header.get("NAXIS") != 2 or axes[0] != axes[1]:
        raise UnusableFileError(
            path, "not the full disk", f"an image of {axes[0]} by {axes[1]} pixels"
        )
    try:
        quality_flags.parse(header.get("QUALITY"))
    except (ValueError, OverflowError) as error:
        raise UnusableFileError(path, "QUALITY is not a 32-bit word", str(error)) from error
    return Level1File(path, observation_time(path, header["T_OBS"]))


def _read_header(path: Path) -> Any:
    """Return the first header with a time; that of compressed files is the second."""
    from astropy.io import fits

    try:
        with fits.open(path) as hdus:
            return next((hdu.header for hdu in hdus if "T_OBS" in hdu.header), None)
    # astropy raises errors of many types for damaged files.
    except Exception as error:
        raise UnusableFileError(path, "cannot be read as FITS", str(error)) from error


def _is_channel(wavelength: Any, channel: str) -> bool:
    return to_number(wavelength) == to_number(channel.removesuffix("A"))


def to_number(value: Any) -> float:
    """Return a value as a number; NaN if it is not one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def observation_time(path: Path | str, text: Any) -> np.datetime64:
    """Return the time of a header in UTC; leap seconds are read as the second after them.

    Raises
    ------
    UnusableFileError
        If the text is not a time.
    """
    from sunpy.time import parse_time

    try:
        # Of ISO times astropy would take a trailing Z for an error in some forms.
        time = parse_time(str(text).strip().removesuffix("Z"))
        return np.datetime64(time.utc.to_datetime(leap_second_strict="silent"), "ms")
    # sunpy and astropy raise errors of several types for texts that are not times.
    except Exception as error:
        raise UnusableFileError(path, "time cannot be read", f"T_OBS is {text!r}") from error
