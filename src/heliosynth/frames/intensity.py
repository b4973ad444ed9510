"""Check that the intensities of a year of frames can be DN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heliosynth.errors import InputError

MEASURES = ("disk_median", "brightest_dn")
"""The quality measures that the check needs."""
DISK_MEDIAN_DN = {
    "94A": (0.1, 100.0),
    "131A": (0.5, 300.0),
    "171A": (15.0, 4000.0),
    "193A": (15.0, 5000.0),
    "211A": (5.0, 3000.0),
    "304A": (0.5, 2000.0),
    "335A": (0.3, 300.0),
    "1600A": (5.0, 1500.0),
    "1700A": (50.0, 10_000.0),
}
"""Medians of the disk that a year of frames can have, DN or DN s⁻¹, by channel: ten times less
and more than those of 2010 to 2025."""
BYTE = 255.0
BYTE_CHANNELS = ("171A", "193A", "211A")
"""Channels whose active regions exceed :data:`BYTE` by far at any time."""
FEWEST_FRAMES = 3
"""Fewer frames can all be faulty, and are judged one by one."""
SMALLEST_PEAK_DN = 5.0
"""The brightest pixel of a year is brighter in every channel."""


def check_intensities(source: str, channel: str, measures: Mapping[str, npt.NDArray[Any]]) -> None:
    """Check that the frames of a year are neither normalised, logarithmic nor bytes.

    Parameters
    ----------
    source
        Store, year and channel, for the message.
    channel
        AIA channel; others than those of :data:`DISK_MEDIAN_DN` are not checked.
    measures
        ``disk_median`` and ``brightest_dn`` (N,), see :func:`heliosynth.frames.quality.measure`.

    Raises
    ------
    InputError
        If the median over the year, or its brightest pixel, is not that of a channel in DN.
    """
    medians = measures["disk_median"][measures["disk_median"] > 0]
    if channel not in DISK_MEDIAN_DN or medians.size < FEWEST_FRAMES:
        return
    lowest, highest = DISK_MEDIAN_DN[channel]
    typical, peak = float(np.median(medians)), float(measures["brightest_dn"].max())
    remedy = "the frames may be normalised, logarithmic or of another channel; convert them to DN/s"
    if not lowest <= typical <= highest:
        raise InputError(
            f"{source}: the disk has a median of {typical:.3g}, not {lowest:g} to {highest:g} DN; "
            f"{remedy}"
        )
    if peak <= SMALLEST_PEAK_DN:
        raise InputError(f"{source}: the brightest pixel is {peak:.3g} DN; {remedy}")
    if channel in BYTE_CHANNELS and peak <= BYTE:
        raise InputError(
            f"{source}: no pixel exceeds {peak:.3g}, so the frames are 8-bit images; undo their "
            "scaling to a byte, which gives DN"
        )
