"""Raw inputs of a simulated observation, in the formats of the archives.

Frames are written to an SDOMLv2 store (Zarr format 2), X-rays to NOAA netCDF files and flares
to responses of the HEK service; the same code reads them as real ones.
"""

from __future__ import annotations

import datetime
import itertools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs import Blosc
from tqdm import tqdm

from heliosynth.arrays import SOLAR_RADIUS_ARCSEC, Booleans, Floats, Times
from heliosynth.config.observations import SIMULATED_CHANNEL, SimulationConfig
from heliosynth.errors import InputError
from heliosynth.goes_class import LOWER_FLUX, NAMES
from heliosynth.io.files import atomic_directory
from heliosynth.sources.manifest import describe, write_manifest
from heliosynth.sources.simulated import xrs_file
from heliosynth.sources.simulated.activity import Regions, emerge
from heliosynth.sources.simulated.corona import SIMULATED_FIELD_ARCSEC, Corona
from heliosynth.sources.simulated.flares import (
    MINUTES_PER_DAY,
    FlareList,
    Flares,
    background,
    erupt,
    light_curve,
    listed,
)
from heliosynth.sources.simulated.geometry import unit_vector

STREAMS = ("regions", "flares", "background", "corona", "instrument")
"""Independent streams of random numbers: a change in one component does not affect the others."""

CHUNK = 15
"""Frames per chunk of the store, as in SDOMLv2."""

FRAME_OFFSET_S = 10.34
"""Time from the full minute to a frame's T_OBS, s."""

BAD_FRAMES = 0.003
"""Share of frames that are flagged and missing, as in SDOMLv2."""

MISSING_DATA_FLAG = 1 << 11
"""Bit of QUALITY that AIA sets for frames of which more than a quarter is missing."""


@dataclass(frozen=True)
class Activity:
    """The activity of the Sun during an observation, and its X-rays.

    Attributes
    ----------
    regions, flares
        All active regions and flares.
    series
        XRS-B flux of every minute, W m⁻², operational scale.
    list
        The flares of a list such as SWPC's.
    """

    regions: Regions
    flares: Flares
    series: Floats
    list: FlareList


def stream(seed: int, component: str) -> np.random.Generator:
    """Return the random numbers of one component."""
    return np.random.default_rng([seed, STREAMS.index(component)])


def simulate_activity(settings: SimulationConfig, seed: int) -> Activity:
    """Draw the regions and flares of an observation, and compute their X-rays."""
    minutes = settings.days * MINUTES_PER_DAY
    regions = emerge(settings.days, settings.cycle_days, stream(seed, "regions"))
    flares = erupt(regions, settings.days, settings.flares_per_day, stream(seed, "flares"))
    series = background(regions, minutes, stream(seed, "background")) + light_curve(flares, minutes)
    return Activity(regions, flares, series, listed(flares, series))


def simulate(settings: SimulationConfig, channel: str, seed: int, output: Path | str) -> None:
    """Simulate an observation and write it as an archive of raw inputs.

    Parameters
    ----------
    settings
        The section `simulation` of a configuration.
    channel
        AIA channel; only 171A is simulated.
    seed
        Seed of all random numbers.
    output
        Folder, written atomically: ``aia/sdomlv2.zarr``, ``goes/*.nc`` and ``hek/*.json``.

    Raises
    ------
    InputError
        If the channel is not 171A.
    """
    if channel != SIMULATED_CHANNEL:
        raise InputError(
            f"dataset.channel: {channel} is not simulated; set it to {SIMULATED_CHANNEL} or use "
            "an archive"
        )
    activity = simulate_activity(settings, seed)
    with atomic_directory(output) as unfinished:
        _write_frames(unfinished / "aia" / "sdomlv2.zarr", settings, activity, seed)
        rng = stream(seed, "instrument")
        (unfinished / "goes").mkdir()
        xrs_file.write_years(unfinished / "goes", settings.start, activity.series, rng)
        (unfinished / "hek").mkdir()
        _write_flares(unfinished / "hek", settings.start, activity, rng)
    files = (path for path in sorted(Path(output).rglob("*")) if path.is_file())
    folder = Path(output).parent
    write_manifest(output, (describe(path, f"simulated, seed {seed}", folder) for path in files))


def _write_frames(store: Path, settings: SimulationConfig, activity: Activity, seed: int) -> None:
    corona = Corona(
        regions=activity.regions,
        flares=activity.flares,
        days=settings.days,
        size_px=settings.size_px,
        rng=stream(seed, "corona"),
    )
    rng = np.random.default_rng([seed, len(STREAMS)])
    minutes = np.arange(0, settings.days * MINUTES_PER_DAY, settings.cadence_minutes)
    start = np.datetime64(settings.start, "ms")
    offset = np.timedelta64(round(1000 * FRAME_OFFSET_S), "ms")
    times = start + minutes.astype("timedelta64[m]") + offset
    bad = rng.random(len(times)) < BAD_FRAMES
    root = zarr.create_group(store, zarr_format=2)
    progress = tqdm(total=len(times), desc="frames", mininterval=2, file=sys.stderr)
    years = times.astype("datetime64[Y]")
    for year in np.unique(years):
        rows = np.flatnonzero(years == year)
        array = _create_array(root.create_group(str(year)), len(rows), settings.size_px)
        array.attrs.update(_header(times[rows], bad[rows], settings.size_px, rng))
        for first in range(0, len(rows), CHUNK):
            chunk = rows[first : first + CHUNK]
            images = [corona.frame((times[row] - start) / np.timedelta64(1, "D")) for row in chunk]
            for image, is_bad in zip(images, bad[chunk], strict=True):
                if is_bad:
                    image[...] = np.nan
            array[first : first + len(chunk)] = np.stack(images)
            progress.update(len(chunk))
    progress.close()


def _create_array(group: zarr.Group, frames: int, size_px: int) -> Any:
    return group.create_array(
        SIMULATED_CHANNEL,
        shape=(frames, size_px, size_px),
        chunks=(CHUNK, size_px, size_px),
        dtype="float32",
        compressors=Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE),
        fill_value=0.0,
    )


def _header(
    times: Times, bad: Booleans, size_px: int, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """Return the header keywords of a year, each with a list of values."""
    count, centre = len(times), (size_px + 1) / 2
    plate_scale = SIMULATED_FIELD_ARCSEC / size_px
    return {
        "T_OBS": [f"{str(time)[:-1]}Z" for time in times],
        "EXPTIME": [round(float(s), 6) for s in 1.9997 + rng.normal(0, 2e-5, count)],
        "QUALITY": [MISSING_DATA_FLAG if is_bad else 0 for is_bad in bad],
        "WAVELNTH": [int(SIMULATED_CHANNEL.removesuffix("A"))] * count,
        "DEG_COR": [round(float(f), 6) for f in np.linspace(0.93, 0.90, count)],
        "CDELT1": [plate_scale] * count,
        "CDELT2": [plate_scale] * count,
        "CRPIX1": [centre] * count,
        "CRPIX2": [centre] * count,
        "RSUN_OBS": [SOLAR_RADIUS_ARCSEC] * count,
        "PIXLUNIT": ["DN"] * count,
    }


def _write_flares(
    folder: Path, start: datetime.date, activity: Activity, rng: np.random.Generator
) -> None:
    """Write one response of the HEK service per month, also for months without flares."""
    midnight = datetime.datetime.combine(start, datetime.time())
    events = [_event(index, midnight, activity, rng) for index in range(len(activity.list.row))]
    last = midnight + datetime.timedelta(minutes=len(activity.series) - 1)
    for year, month in itertools.product(range(start.year, last.year + 1), range(1, 13)):
        if (start.year, start.month) <= (year, month) <= (last.year, last.month):
            name = f"{year}-{month:02d}"
            result = [event for event in events if event["event_peaktime"].startswith(name)]
            answer = {"result": result, "overmax": False}
            (folder / f"flares_{name}.json").write_text(json.dumps(answer), encoding="utf-8")


def goes_label(flux: float) -> str:
    """Return the class of a flux as SWPC writes it, truncated after tenths, such as ``M1.2``."""
    letter = max(sum(flux >= lower for lower in LOWER_FLUX) - 1, 0)
    # 1e-9 keeps rounding errors from lowering an exact tenth.
    factor = np.floor(10 * flux / LOWER_FLUX[letter] + 1e-9) / 10
    return f"{NAMES[letter]}{factor:.1f}"


def _event(
    index: int, midnight: datetime.datetime, activity: Activity, rng: np.random.Generator
) -> dict[str, Any]:
    """Return an event in the format of HEK."""
    listed_flares = activity.list
    host = int(activity.flares.region[listed_flares.row[index]])
    regions = activity.regions
    longitude = regions.longitudes(listed_flares.peak[index] / MINUTES_PER_DAY)[host, 0]
    x, y, _ = SOLAR_RADIUS_ARCSEC * unit_vector(regions.latitude[host], longitude)

    def at(minute: int) -> str:
        return (midnight + datetime.timedelta(minutes=int(minute))).isoformat()

    peak, label = at(listed_flares.peak[index]), goes_label(float(listed_flares.flux[index]))
    return {
        "event_type": "FL",
        "event_starttime": at(listed_flares.start[index]),
        "event_peaktime": peak,
        "event_endtime": at(listed_flares.end[index]),
        "fl_goescls": label,
        "frm_name": "SWPC",
        "frm_institute": "SWPC",
        "obs_observatory": "GOES",
        "obs_instrument": "GOES",
        "event_coordsys": "UTC-HPC-TOPO",
        # Some flares of SWPC's list have no region.
        "ar_noaanum": 0 if rng.random() < 0.1 else int(regions.number[host]),
        "hpc_x": round(float(x), 2),
        "hpc_y": round(float(y), 2),
        "hgs_x": round(float(np.degrees(longitude)), 2),
        "hgs_y": round(float(np.degrees(regions.latitude[host])), 2),
        "kb_archivid": f"ivo://helio-informatics.org/FL_SWPC_{peak}_{index:06d}",
    }
