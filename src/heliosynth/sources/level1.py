"""Calibration of AIA level-1 FITS files into frames like those of SDOMLv2.

The steps are those of Galvez et al. (2019): pointing, degradation, exposure, and a common
scale, on which the solar radius is 976″ and a frame is 2457.6″ wide. The frames of SDOMLv2
have already been calibrated in this way, and are not corrected again.
"""

from __future__ import annotations

import functools
import shutil
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from heliosynth.arrays import FIELD_ARCSEC, SOLAR_RADIUS_ARCSEC, Floats, Floats32
from heliosynth.errors import InputError
from heliosynth.io.files import atomic_directory, atomic_file
from heliosynth.io.provenance import digest, file_sha256
from heliosynth.sources import quality_flags
from heliosynth.sources.level1_files import (
    Level1File,
    UnusableFileError,
    observation_time,
    require_files,
    select_files,
    to_number,
)
from heliosynth.sources.manifest import describe, write_manifest
from heliosynth.sources.reading import ReadingReport

SIZE_PX = 512
"""Width of a frame, as in SDOMLv2."""
CHUNK = 15
"""Frames per chunk of the store, as in SDOMLv2."""


@dataclass(frozen=True)
class Tables:
    """Calibration tables, as files.

    Attributes
    ----------
    degradation
        Response table of SSW or JSOC (``aia_V10_…_response_table.txt``); its version matters,
        since a newer one yields other intensities.
    pointing
        Table of the 3-hourly pointing (``aia.master_pointing3h``) as ECSV; None uses the
        pointing of the headers.
    """

    degradation: str
    pointing: str | None = None


@dataclass(frozen=True)
class Calibrated:
    """A frame in DN s⁻¹ (H, W), and its keywords in SDOMLv2."""

    image: Floats32
    t_obs: str
    exposure_s: float
    quality: int
    degradation: float


def calibrate(path: Path | str, tables: Tables, size_px: int = SIZE_PX) -> Calibrated:
    """Calibrate one level-1 file.

    Parameters
    ----------
    path
        FITS file.
    tables
        Calibration tables.
    size_px
        Width of the calibrated frame, pixels; that of the file must be a multiple of it.

    Raises
    ------
    UnusableFileError
        If the file is not a full-disk AIA image of level 1, or has no exposure time.
    InputError
        If a table cannot be read or does not cover the file.
    """
    from sunpy.map.maputils import contains_full_disk
    from sunpy.map.sources import AIAMap

    with warnings.catch_warnings():
        # Level-1 headers violate FITS rules that do not matter here.
        warnings.simplefilter("ignore")
        smap = _read_map(path)
        if not isinstance(smap, AIAMap) or smap.processing_level != 1:
            raise UnusableFileError(path, "not an AIA image of level 1")
        exposure_s = to_number(smap.meta.get("exptime"))
        if not exposure_s > 0:
            raise UnusableFileError(path, "no exposure time")
        height, width = smap.data.shape
        if height != width or not contains_full_disk(smap):
            raise UnusableFileError(path, "not the full disk", f"{width} by {height} pixels")
        if height % size_px:
            raise UnusableFileError(
                path, f"width not a multiple of {size_px} pixels", f"{width} pixels"
            )
        if tables.pointing is not None:
            smap = _update_pointing(path, smap, tables.pointing)
        factor = _degradation_factor(path, smap, tables.degradation)
        image = _to_common_scale(smap, size_px) / factor / exposure_s
    return Calibrated(
        image=np.asarray(image, dtype=np.float32),
        t_obs=f"{observation_time(path, smap.meta['t_obs'])}Z",
        exposure_s=exposure_s,
        # An unknown word is kept as 0: frames are rejected only for bits that are set.
        quality=quality_flags.parse(smap.meta.get("quality")) or 0,
        degradation=factor,
    )


def write_store(
    folder: Path | str,
    channel: str,
    tables: Tables,
    output: Path | str,
    *,
    workers: int = 1,
    size_px: int = SIZE_PX,
    code: str = "",
    years: Sequence[int] = (),
) -> ReadingReport:
    """Calibrate a folder of level-1 files into a store in SDOMLv2's layout.

    The store appears atomically. Until then each frame is kept next to it, so that a killed job
    resumes. Files that are not full-disk level-1 images of the channel are left out and counted.

    Parameters
    ----------
    folder
        Level-1 FITS files; its subfolders are not searched.
    channel
        AIA channel.
    tables
        Calibration tables.
    output
        Zarr store; the manifest of the files and tables is written next to it.
    workers
        Number of files to calibrate in parallel.
    size_px
        Width of a calibrated frame, pixels.
    code
        Hash of the code, so that frames calibrated by an older version are not used.
    years
        Years that later stages read: each gets an array, without frames if there are none, and
        files of other years are left out. Empty: the years of the files.

    Returns
    -------
    ReadingReport
        Counts of the files, of the frames in the store, and of what was left out.

    Raises
    ------
    InputError
        If no file is left, or a table cannot be read or does not cover a file.
    """
    report, final = ReadingReport(), Path(output)
    files = _of_years(select_files(folder, channel, report), years, report)
    require_files(len(files), folder, channel, report)
    table_files = [Path(table) for table in asdict(tables).values() if table is not None]
    for table in table_files:
        if not table.is_file():
            raise InputError(f"{table}: no such table; name it in the section `level1`")
    key = digest([[file_sha256(table) for table in table_files], size_px, code])[:16]
    frames_folder = final.parent / f"{final.name}.calibrated-{key}"
    work = functools.partial(_calibrate_into, tables=tables, size_px=size_px, folder=frames_folder)
    with ProcessPoolExecutor(workers) as pool:
        results = pool.map(work, [file.path for file in files])
        frames = list(tqdm(results, total=len(files), desc=f"level 1 {channel}", mininterval=2))
    by_year: dict[int, list[Path]] = {year: [] for year in years}
    used: list[Path] = []
    for file, frame in zip(files, frames, strict=True):
        if isinstance(frame, UnusableFileError):
            frame.count(report)
        else:
            by_year.setdefault(file.year, []).append(frame)
            used.append(file.path)
    report.read = len(used)
    require_files(report.read, folder, channel, report)
    with atomic_directory(final) as unfinished:
        _write_years(unfinished, channel, by_year, size_px)
    sources = [describe(path, str(path), path.parent) for path in (*used, *table_files)]
    write_manifest(final, [replace(source, path="") for source in sources])
    shutil.rmtree(frames_folder)
    return report


def _of_years(
    files: list[Level1File], years: Sequence[int], report: ReadingReport
) -> list[Level1File]:
    """Return the files of some years, all if ``years`` is empty; count the others."""
    kept = []
    for file in files:
        if not years or file.year in years:
            kept.append(file)
        else:
            report.leave_out(
                "observed in a year that no name of a file has",
                example=f"{file.path}: {str(file.time)[:19]}",
            )
    return kept


def _calibrate_into(
    path: Path, tables: Tables, size_px: int, folder: Path
) -> Path | UnusableFileError:
    """Calibrate a file into a folder, unless the frame already exists.

    Returns
    -------
    Path or UnusableFileError
        Path of the frame, or why there is none.
    """
    frame = folder / f"{path.name}.npz"
    if not frame.exists():
        try:
            calibrated = calibrate(path, tables, size_px)
        except UnusableFileError as error:
            return error
        with atomic_file(frame) as unfinished:
            np.savez(unfinished, **asdict(calibrated))
    return frame


def _write_years(
    store: Path, channel: str, by_year: Mapping[int, Sequence[Path]], size_px: int
) -> None:
    """Write calibrated frames, in order of time, into one array per year."""
    import zarr
    from numcodecs import Blosc

    root = zarr.open_group(store, mode="w", zarr_format=2)
    for year, frames in sorted(by_year.items()):
        array = root.create_group(str(year)).create_array(
            channel,
            shape=(len(frames), size_px, size_px),
            chunks=(min(CHUNK, max(1, len(frames))), size_px, size_px),
            dtype="float32",
            compressors=Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE),
        )
        names = ("T_OBS", "EXPTIME", "QUALITY", "DEG_COR", "PIXLUNIT")
        keywords: dict[str, list[Any]] = {name: [] for name in names}
        for first in range(0, len(frames), CHUNK):
            loaded = [_load(path) for path in frames[first : first + CHUNK]]
            array[first : first + len(loaded)] = np.stack([frame.image for frame in loaded])
            for frame in loaded:
                keywords["T_OBS"].append(frame.t_obs)
                keywords["EXPTIME"].append(frame.exposure_s)
                keywords["QUALITY"].append(frame.quality)
                keywords["DEG_COR"].append(frame.degradation)
                keywords["PIXLUNIT"].append("DN/s")
        array.attrs.update(keywords)


def _load(path: Path) -> Calibrated:
    frame = _read_npz(path, [field.name for field in fields(Calibrated)])
    return Calibrated(
        image=frame["image"],
        t_obs=str(frame["t_obs"]),
        exposure_s=float(frame["exposure_s"]),
        quality=int(frame["quality"]),
        degradation=float(frame["degradation"]),
    )


def _read_npz(path: Path, names: list[str]) -> dict[str, Any]:
    try:
        with np.load(path) as arrays:
            return {name: arrays[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error}); delete it and rerun") from error


def _to_common_scale(smap: Any, size_px: int) -> Floats:
    """Rotate north up, centre the disk, scale its radius to 976″, and average by area."""
    raw_px = smap.data.shape[0]
    arcsec_per_px = FIELD_ARCSEC / raw_px * smap.rsun_obs.to_value("arcsec") / SOLAR_RADIUS_ARCSEC
    rotated = smap.rotate(
        recenter=True,
        scale=float(smap.scale[0].to_value("arcsec/pix")) / arcsec_per_px,
        order=3,
        missing=np.nan,
    )
    # Cut out the frame around the disk's centre, since sunpy pads rotated maps.
    image = np.asarray(rotated.data, dtype=np.float64)
    pad = max(0, raw_px - min(image.shape) + 2)
    image = np.pad(image, pad, constant_values=np.nan)
    x, y = (float(rotated.meta[name]) - 0.5 + pad for name in ("crpix1", "crpix2"))
    left, bottom = round(x - raw_px / 2), round(y - raw_px / 2)
    cut = image[bottom : bottom + raw_px, left : left + raw_px]
    block = raw_px // size_px
    means: Floats = cut.reshape(size_px, block, size_px, block).mean(axis=(1, 3))
    # The corners of a rotated frame have no data; they are set to the darkest sky.
    return np.where(np.isfinite(means), means, np.nanmin(means))


def _read_map(path: Path | str) -> Any:
    from sunpy.map import Map

    try:
        return Map(path)
    # astropy and sunpy raise errors of many types for damaged files.
    except Exception as error:
        raise UnusableFileError(path, "cannot be read as FITS", str(error)) from error


def _update_pointing(path: Path | str, smap: Any, table: str) -> Any:
    """Return a map with the pointing of a table."""
    from aiapy.calibrate import update_pointing

    pointing = _read_pointing_table(table)
    try:
        return update_pointing(smap, pointing_table=pointing)
    except (LookupError, ValueError) as error:
        raise InputError(
            f"{path}: has no pointing in {table} ({error}); use a later one"
        ) from error


def _degradation_factor(path: Path | str, smap: Any, table: str) -> float:
    """Return the factor by which a map's intensities have degraded since launch."""
    from aiapy.calibrate import degradation

    corrections = _read_degradation_table(table)
    try:
        factor = degradation(smap.wavelength, smap.date, correction_table=corrections)
    except (LookupError, ValueError) as error:
        raise InputError(
            f"{path}: has no correction in {table} ({error}); use a later one"
        ) from error
    return float(factor.to_value("").item())


@functools.cache
def _read_degradation_table(path: str) -> Any:
    from aiapy.calibrate.util import get_correction_table

    try:
        return get_correction_table(Path(path))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: not an AIA response table ({error}); set level1.degradation to one"
        ) from error


@functools.cache
def _read_pointing_table(path: str) -> Any:
    from astropy.table import QTable

    try:
        return QTable.read(path, format="ascii.ecsv")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a pointing table in ECSV ({error}); set level1.pointing to one, or null"
        ) from error
