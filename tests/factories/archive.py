"""A small archive of raw inputs, written by the libraries that people write theirs with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from heliosynth import goes_class

FRAMES = 48
"""Frames of each year, one an hour from the first of March."""
CHUNK = 15
SIZE_PX = 64
QUIET_FLUX = 2e-7
"""Flux without a flare, a B2, W m⁻²."""
RISE_MINUTES = 10.0

Flares = Mapping[int, Sequence[tuple[str, str]]]
"""Flares of each year: peak as ``03-01T05:10``, and GOES class."""
FLARES: Flares = {2012: [("03-01T05:10", "C2.0"), ("03-02T12:10", "M1.5")]}


def write_archive(folder: Path, flares: Flares = FLARES, *, hours: int = 50) -> Path:
    """Write an archive with two days of frames a year, light curves and flare lists, as CSV.

    Parameters
    ----------
    folder
        The archive.
    flares
        Years and their flares.
    hours
        Length of each light curve, from an hour before the first frame.
    """
    for year in flares:
        write_frames(folder, year)
        write_light_curve(folder / f"goes/{year}.csv", year, flares[year], hours)
        write_flares(folder / f"hek/{year}.csv", year, flares[year])
    return folder


def write_frames(folder: Path, year: int, channel: str = "171A", level: float = 200.0) -> None:
    """Write frames of a year into the archive's store."""
    root = zarr.open_group(folder / "aia/sdomlv2.zarr", mode="a", zarr_format=2)
    rows = np.linspace(0.5, 1.5, SIZE_PX)
    brightness = np.random.default_rng(year).uniform(0.8, 1.2, (FRAMES, 1, 1))
    frames = (level * brightness * np.outer(rows, rows)).astype(np.float32)
    group = root.require_group(str(year))
    array = group.create_array(
        channel, data=frames, chunks=(CHUNK, SIZE_PX, SIZE_PX), overwrite=True
    )
    times = _start(year) + pd.to_timedelta(np.arange(FRAMES), unit="h")
    array.attrs["T_OBS"] = times.strftime("%Y-%m-%dT%H:%M:%S.00Z").tolist()


def write_light_curve(
    path: Path, year: int, flares: Sequence[tuple[str, str]], hours: int = 50
) -> None:
    """Write a light curve of a sample a minute, which shows the flares."""
    times = pd.date_range(_start(year) - pd.Timedelta("1h"), periods=60 * hours, freq="1min")
    flux = np.full(len(times), QUIET_FLUX)
    for peak, label in flares:
        minutes = (times - pd.Timestamp(f"{year}-{peak}")).total_seconds().to_numpy() / 60
        flux += goes_class.peak_flux(label) * np.exp(-((minutes / RISE_MINUTES) ** 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    series = pd.DataFrame({"time": times, "xrsa": flux / 20, "xrsb": flux})
    series.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S")


def write_flares(path: Path, year: int, flares: Sequence[tuple[str, str]]) -> None:
    """Write a flare list in the columns of HEK."""
    rows = []
    for number, (peak, label) in enumerate(flares):
        time = pd.Timestamp(f"{year}-{peak}")
        rows.append(
            {
                "event_starttime": f"{time - pd.Timedelta('10min'):%Y-%m-%dT%H:%M:%S}",
                "event_peaktime": f"{time:%Y-%m-%dT%H:%M:%S}",
                "event_endtime": f"{time + pd.Timedelta('20min'):%Y-%m-%dT%H:%M:%S}",
                "fl_goescls": label,
                "frm_name": "SWPC",
                "kb_archivid": f"ivo://{year}/{number}",
            }
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)


def _start(year: int) -> pd.Timestamp:
    return pd.Timestamp(f"{year}-03-01")
