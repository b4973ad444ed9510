"""Rolls of frames, from the corona above the limb."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import DAY_S, Booleans, Floats, Seconds

ROLL_LIMIT = 10.0
"""Smallest roll against a frame of the same day, degrees."""
ROLL_CORRELATION, ROLL_GAIN = 0.8, 0.2
"""Smallest correlation of two rings after turning one back, and its smallest increase by that."""
AXIS_LIMIT, AXIS_AMPLITUDE = 45.0, 0.25
"""Largest angle between the corona's axis and east–west, degrees, if its amplitude is larger."""
LONGEST_END = 3
"""Frames at an end of a series that can be recognised as rolled by those on one side."""


def crosswise(corona: Floats) -> Booleans:
    """Return which frames have a corona that is brightest above the poles.

    The corona is bright above the belts of active regions and dark above the poles, so that
    this shows a roll by about 90 degrees even of a single frame.

    Parameters
    ----------
    corona
        Logarithm of the intensity above the limb by angle from west (N, angles).

    Returns
    -------
    numpy.ndarray
        (N,).
    """
    count = corona.shape[1]
    angles = 2 * np.pi * np.arange(count) / count
    harmonic = 2 * (corona * np.exp(2j * angles)).mean(axis=1)
    from_equator = np.abs(np.degrees(np.angle(harmonic))) / 2
    return np.asarray((from_equator > AXIS_LIMIT) & (np.abs(harmonic) > AXIS_AMPLITUDE))


def rolled(corona: Floats, time: Seconds) -> Booleans:
    """Return which frames are rolled relative to those of the same day before and after them.

    The corona above the limb changes little within a day, so a frame that matches a
    neighbour only when turned back is rolled. This must hold on both sides, since otherwise the
    frames after a roll would be rejected with it. At the ends of a series, where there is one
    side only, up to :data:`LONGEST_END` frames are rolled if more upright ones are there.

    Parameters
    ----------
    corona
        Brightness above the limb by angle (N, angles).
    time
        Times in ascending order, s (N,).

    Returns
    -------
    numpy.ndarray
        (N,).
    """
    rings = corona - corona.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(rings, axis=1, keepdims=True)
    waves = np.fft.rfft(np.divide(rings, norm, out=np.zeros_like(rings), where=norm > 0))
    forward = _turned(waves, time, corona.shape[1])
    backward = _turned(waves[::-1], -time[::-1], corona.shape[1])[::-1]
    return (
        (forward & backward) | _at_end(forward, time) | _at_end(backward[::-1], -time[::-1])[::-1]
    )


def _turned(waves: npt.NDArray[np.complex128], time: Seconds, angles: int) -> Booleans:
    """Compare each frame with the last upright one; ``waves`` are the FFTs of the rings."""
    turned, upright = np.zeros(len(time), dtype=bool), 0
    for frame in range(1, len(time)):
        if time[frame] - time[upright] <= DAY_S:
            correlation = np.fft.irfft(waves[upright].conj() * waves[frame], angles)
            best = int(correlation.argmax())
            roll = min(best, angles - best) * 360 / angles
            clear = correlation[best] > max(ROLL_CORRELATION, correlation[0] + ROLL_GAIN)
            turned[frame] = roll >= ROLL_LIMIT and clear
        if not turned[frame]:
            upright = frame
    return turned


def _at_end(turned: Booleans, time: Seconds) -> Booleans:
    """Return the few frames at the end of each series that are turned relative to those before."""
    ends = np.zeros(len(turned), dtype=bool)
    for series in np.split(np.arange(len(time)), np.flatnonzero(np.diff(time) > DAY_S) + 1):
        upright = np.flatnonzero(~turned[series])
        count = len(series) - 1 - upright[-1] if upright.size else 0
        if 0 < count <= LONGEST_END and len(upright) > count:
            ends[series[-count:]] = True
    return ends
