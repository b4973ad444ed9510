"""Raw inputs of a simulated observation, written as the archives write theirs.

Frames go to an SDOMLv2 store (Zarr format 2), X-rays to NOAA netCDF files and flares to
answers of the HEK service; whoever reads them needs no other code than for the real ones.
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

from heliosynth.config.observations import SIMULATED_CHANNEL, SimulationConfig
from heliosynth.errors import InputError
from heliosynth.goes_class import LOWER_FLUX, NAMES
from heliosynth.io.files import atomic_directory
from heliosynth.sources.manifest import describe, write_manifest
from heliosynth.sources.simulated import xrs_file
from heliosynth.sources.simulated.activity import Regions, emerge
from heliosynth.sources.simulated.corona import FIELD_ARCSEC, SOLAR_RADIUS_ARCSEC, Corona
from heliosynth.sources.simulated.flares import (
    MINUTES_PER_DAY,
    FlareList,
    Flares,
    background,
    erupt,
    light_curve,
    listed,
)
from heliosynth.sources.simulated.geometry import Floats, unit_vector

STREAMS = ("regions", "flares", "background", "corona", "instrument")
"""Independent streams of random numbers: a change in one component leaves the others alone."""

CHUNK = 15
"""Frames a chunk of the store, as in SDOMLv2."""

FRAME_OFFSET_S = 10.34
"""Seconds from the full minute to a frame's T_OBS."""

BAD_FRAMES = 0.003
"""Share of frames that are flagged or lost, as in the archive."""

MISSING_DATA_FLAG = 1 << 30
"""Bit of QUALITY that AIA sets where a frame is not whole."""


@dataclass(frozen=True)
class Activity:
    """What happens on the Sun during an observation, and the X-rays of it.

    ``series`` is the XRS-B flux of every minute, W m⁻², operational scale.
    """

    regions: Regions
    flares: Flares
    series: Floats
    list: FlareList


def stream(seed: int, component: str) -> np.random.Generator:
    """Give the random numbers of one component."""
    return np.random.default_rng([seed, STREAMS.index(component)])


def act(settings: SimulationConfig, seed: int) -> Activity:
    """Let regions emerge and flares erupt."""
    minutes = settings.days * MINUTES_PER_DAY
    regions = emerge(settings.days, settings.cycle_days, stream(seed, "regions"))
    flares = erupt(regions, settings.days, settings.flares_per_day, stream(seed, "flares"))
    series = background(regions, minutes, stream(seed, "background")) + light_curve(flares, minutes)
    return Activity(regions, flares, series, listed(flares, series))


def simulate(settings: SimulationConfig, channel: str, seed: int, directory: Path | str) -> None:
    """Observe a simulated Sun and write what an archive would hold.

    Parameters
    ----------
    settings
        The section `simulation` of a configuration.
    channel
        AIA channel; only 171A is simulated.
    seed
        Seed of all random numbers.
    directory
        Folder to write, whole: ``aia/sdomlv2.zarr``, ``goes/*.nc`` and ``hek/*.json``.

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
    activity = act(settings, seed)
    with atomic_directory(directory) as unfinished:
        _write_frames(unfinished / "aia" / "sdomlv2.zarr", settings, activity, seed)
        rng = stream(seed, "instrument")
        (unfinished / "goes").mkdir()
        xrs_file.write_years(unfinished / "goes", settings.start, activity.series, rng)
        (unfinished / "hek").mkdir()
        _write_flares(unfinished / "hek", settings.start, activity, rng)
    written = (path for path in sorted(Path(directory).rglob("*")) if path.is_file())
    write_manifest(
        directory,
        (describe(path, f"simulated, seed {seed}", Path(directory).parent) for path in written),
    )


def _write_frames(store: Path, settings: SimulationConfig, activity: Activity, seed: int) -> None:
    corona = Corona(
        activity.regions,
        activity.flares,
        settings.days,
        settings.size_px,
        stream(seed, "corona"),
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
            for image, lost in zip(images, bad[chunk], strict=True):
                if lost:
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
    times: np.ndarray[Any, Any], bad: np.ndarray[Any, Any], size_px: int, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """Give the header keywords of a year, a list for each."""
    count, centre = len(times), (size_px + 1) / 2
    plate = FIELD_ARCSEC / size_px
    return {
        "T_OBS": [f"{str(time)[:-1]}Z" for time in times],
        "EXPTIME": [round(float(s), 6) for s in 1.9997 + rng.normal(0, 2e-5, count)],
        "QUALITY": [MISSING_DATA_FLAG if lost else 0 for lost in bad],
        "WAVELNTH": [int(SIMULATED_CHANNEL.removesuffix("A"))] * count,
        "DEG_COR": [round(float(f), 6) for f in np.linspace(0.93, 0.90, count)],
        "CDELT1": [plate] * count,
        "CDELT2": [plate] * count,
        "CRPIX1": [centre] * count,
        "CRPIX2": [centre] * count,
        "RSUN_OBS": [SOLAR_RADIUS_ARCSEC] * count,
        "PIXLUNIT": ["DN"] * count,
    }


def _write_flares(
    folder: Path, start: datetime.date, activity: Activity, rng: np.random.Generator
) -> None:
    """Write one answer of the HEK service a month, months without flares too."""
    midnight = datetime.datetime.combine(start, datetime.time())
    events = [_event(place, midnight, activity, rng) for place in range(len(activity.list.row))]
    last = midnight + datetime.timedelta(minutes=len(activity.series) - 1)
    for year, month in itertools.product(range(start.year, last.year + 1), range(1, 13)):
        if (start.year, start.month) <= (year, month) <= (last.year, last.month):
            name = f"{year}-{month:02d}"
            result = [event for event in events if event["event_peaktime"].startswith(name)]
            answer = {"result": result, "overmax": False}
            (folder / f"flares_{name}.json").write_text(json.dumps(answer), encoding="utf-8")


def goes_label(flux: float) -> str:
    """Write a flux as SWPC does: a letter and a figure cut off after tenths, ``M1.2``."""
    letter = max(sum(flux >= lower for lower in LOWER_FLUX) - 1, 0)
    # 1e-9 keeps a figure that stands exactly on a tenth from falling below it.
    figure = np.floor(10 * flux / LOWER_FLUX[letter] + 1e-9) / 10
    return f"{NAMES[letter]}{figure:.1f}"


def _event(
    place: int, midnight: datetime.datetime, activity: Activity, rng: np.random.Generator
) -> dict[str, Any]:
    found = activity.list
    host = int(activity.flares.region[found.row[place]])
    regions = activity.regions
    longitude = regions.longitudes(found.peak[place] / MINUTES_PER_DAY)[host, 0]
    x, y, _ = SOLAR_RADIUS_ARCSEC * unit_vector(regions.latitude[host], longitude)

    def at(minute: int) -> str:
        return (midnight + datetime.timedelta(minutes=int(minute))).isoformat()

    peak, label = at(found.peak[place]), goes_label(float(found.flux[place]))
    return {
        "event_type": "FL",
        "event_starttime": at(found.start[place]),
        "event_peaktime": peak,
        "event_endtime": at(found.end[place]),
        "fl_goescls": label,
        "frm_name": "SWPC",
        "frm_institute": "SWPC",
        "obs_observatory": "GOES",
        "obs_instrument": "GOES",
        "event_coordsys": "UTC-HPC-TOPO",
        # SWPC does not always know where a flare was.
        "ar_noaanum": 0 if rng.random() < 0.1 else int(regions.number[host]),
        "hpc_x": round(float(x), 2),
        "hpc_y": round(float(y), 2),
        "hgs_x": round(float(np.degrees(longitude)), 2),
        "hgs_y": round(float(np.degrees(regions.latitude[host])), 2),
        "kb_archivid": f"ivo://helio-informatics.org/FL_SWPC_{peak}_{place:06d}",
    }
