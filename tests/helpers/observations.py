"""Small tables of frames and flares, light curves and HEK events.

Times are in seconds from one start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import DAY_S
from heliosynth.sources.goes import XrsSeries

START = int(np.datetime64("2012-07-01T00:00:00", "s").astype(np.int64))
"""The start, seconds since 1970 UTC."""


def times(seconds: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return times (N,) as datetime64[s]."""
    return (START + np.asarray(seconds, dtype=np.int64)).astype("datetime64[s]")


def make_frames(seconds: Sequence[float] | np.ndarray) -> pd.DataFrame:
    """Return a table of good frames at these times."""
    count = len(seconds)
    return pd.DataFrame(
        {
            "time": times(seconds),
            "year": 2012,
            "store_row": np.arange(count),
            "exposure_s": np.full(count, 2.0),
            "quality": np.zeros(count, dtype=np.int64),
        }
    )


def make_flares(peaks: Sequence[float] | np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    """Return a table of flares of 20 minutes with these peaks and labels."""
    peak = np.asarray(peaks, dtype=np.int64)
    return pd.DataFrame(
        {
            "start": times(peak - 600),
            "peak": times(peak),
            "end": times(peak + 600),
            "goes_class_label": list(labels),
            "peak_flux": [goes_class.peak_flux(label) for label in labels],
            "active_region": np.zeros(len(peak), dtype=np.int64),
            "hpc_x": np.full(len(peak), np.nan),
            "hpc_y": np.full(len(peak), np.nan),
            "identifier": [f"flare{number}" for number in range(len(peak))],
        }
    )


def make_xrs(
    flux: Callable[[np.ndarray], np.ndarray] | float, days: float = 10, scale: str = "operational"
) -> XrsSeries:
    """Return a light curve with a sample per minute; the flux is constant or a function of time."""
    seconds = np.arange(-DAY_S, days * DAY_S, 60, dtype=np.int64)
    values = flux(seconds) if callable(flux) else np.full(len(seconds), flux)
    return XrsSeries(START + seconds, values.astype(np.float32), scale, "GOES-15")


def hek_event(peak: str, label: str | None = "M1.2", **changes: Any) -> dict[str, Any]:
    """Return a flare as the HEK service answers it; keywords change its entries."""
    return {
        "event_starttime": "2012-07-12T15:37:00",
        "event_peaktime": peak,
        "event_endtime": None,
        "fl_goescls": label,
        "frm_name": "SWPC",
        "ar_noaanum": 11520,
        "hpc_x": 19.6,
        "hpc_y": -318.2,
        "kb_archivid": f"ivo://helio-informatics.org/FL_{peak}_{label}",
        **changes,
    }
