"""AIA level-1 FITS files, calibrated into frames as SDOMLv2 holds them.

The steps are those of Galvez et al. (2019): pointing, degradation, exposure, and one scale, at
which the solar radius is 976″ and a frame is 2457.6″ wide. SDOMLv2 itself has been through
them and is never corrected again.
"""

from __future__ import annotations

import functools
import shutil
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_directory, atomic_file
from heliosynth.io.provenance import digest, file_sha256
from heliosynth.sources.manifest import fetched, record

SOLAR_RADIUS_ARCSEC = 976.0
FIELD_ARCSEC = 2457.6
SIZE_PX = 512
CHUNK = 15
"""Frames a chunk of the store, as in SDOMLv2."""

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tables:
    """Calibration tables, as files.

    Attributes
    ----------
    degradation
        Response table of SSW or JSOC (``aia_V10_…_response_table.txt``); pinned, since a newer
        version gives other intensities.
    pointing
        Table of the 3-hourly pointing (``aia.master_pointing3h``) as ECSV; None keeps the
        pointing of the headers.
    """

    degradation: str
    pointing: str | None = None


@dataclass(frozen=True)
class Calibrated:
    """A frame in DN s⁻¹ (H, W), and the keywords that SDOMLv2 has of it."""

    image: Image
    t_obs: str
    exposure_s: float
    quality: int
    degradation: float


def files_of(folder: Path | str, channel: str) -> list[Path]:
    """List the level-1 files of a channel, in order of time.

    Raises
    ------
    InputError
        If there is none, or a file is no FITS.
    """
    from astropy.io import fits

    found: dict[Path, str] = {}
    for path in sorted(Path(folder).glob("*.fits*")):
        try:
            header = _header(fits, path)
        except (OSError, ValueError, IndexError) as error:
            raise InputError(f"{path}: cannot be read as FITS ({error})") from None
        if f"{header.get('WAVELNTH')}A" == channel:
            found[path] = str(header.get("T_OBS"))
    if not found:
        raise InputError(f"{folder}: holds no AIA FITS file of {channel}")
    return sorted(found, key=lambda path: found[path])


def calibrate(path: Path | str, tables: Tables, size_px: int = SIZE_PX) -> Calibrated:
    """Calibrate one level-1 file.

    Parameters
    ----------
    size_px
        Width of the frame; the file's must be a multiple.

    Raises
    ------
    InputError
        If the file is no full-disk AIA image of level 1, or has no exposure.
    """
    from aiapy.calibrate import degradation, update_pointing
    from sunpy.map import Map
    from sunpy.map.maputils import contains_full_disk
    from sunpy.map.sources import AIAMap

    with warnings.catch_warnings():
        # Level-1 headers break rules of FITS that do not matter here.
        warnings.simplefilter("ignore")
        smap = Map(path)
        if not isinstance(smap, AIAMap) or smap.processing_level != 1:
            raise InputError(f"{path}: is no AIA image of level 1; SDOMLv2 is read as a store")
        exposure_s = float(smap.meta.get("exptime", 0.0))
        if not exposure_s > 0:
            raise InputError(f"{path}: has no exposure time; delete it")
        if smap.data.shape[0] % size_px or not contains_full_disk(smap):
            raise InputError(
                f"{path}: should show the whole disk on a multiple of {size_px} pixels"
            )
        if tables.pointing is not None:
            smap = update_pointing(smap, pointing_table=_pointing(tables.pointing))
        table = _degradation(tables.degradation)
        factor = degradation(smap.wavelength, smap.date, correction_table=table).to_value("").item()
        image = _one_scale(smap, size_px) / factor / exposure_s
    return Calibrated(
        image=np.asarray(image, dtype=np.float32),
        t_obs=str(smap.meta["t_obs"]),
        exposure_s=exposure_s,
        quality=int(smap.meta.get("quality", 0)),
        degradation=factor,
    )


def write_store(
    folder: Path | str,
    channel: str,
    tables: Tables,
    output: Path | str,
    workers: int = 1,
    size_px: int = SIZE_PX,
    code: str = "",
) -> None:
    """Calibrate a folder of level-1 files into a store in SDOMLv2's layout, whole.

    Each frame is kept beside the output until all are done, so that a killed job goes on.

    Parameters
    ----------
    folder
        Level-1 FITS files; those of other channels are left alone.
    output
        Zarr store, with a manifest of the files and tables beside it.
    workers
        Files calibrated side by side.
    code
        Hash of the code, so that what other code calibrated is not gone on with.

    Raises
    ------
    InputError
        If a file is unfit; see :func:`calibrate`.
    """
    files, final = files_of(folder, channel), Path(output)
    named = [Path(table) for table in asdict(tables).values() if table is not None]
    for table in named:
        if not table.is_file():
            raise InputError(f"{table}: no such table; name it in the section `level1`")
    key = digest([[file_sha256(table) for table in named], size_px, code])[:16]
    kept = final.parent / f"{final.name}.calibrated-{key}"
    one = functools.partial(_keep, tables=tables, size_px=size_px, folder=kept)
    with ProcessPoolExecutor(workers) as pool:
        parts = list(
            tqdm(pool.map(one, files), total=len(files), desc=f"level 1 {channel}", mininterval=2)
        )
    with atomic_directory(final) as unfinished:
        _write_years(unfinished, channel, parts, size_px)
    sources = [asdict(fetched(path, str(path), path.parent)) for path in (*files, *named)]
    record(final, [source | {"path": ""} for source in sources])
    shutil.rmtree(kept)


def _keep(path: Path, tables: Tables, size_px: int, folder: Path) -> Path:
    """Calibrate a file, unless it has been, and give the path of what is kept."""
    part = folder / f"{path.name}.npz"
    if not part.exists():
        with atomic_file(part) as unfinished:
            np.savez(unfinished, **asdict(calibrate(path, tables, size_px)))
    return part


def _write_years(store: Path, channel: str, parts: Sequence[Path], size_px: int) -> None:
    import zarr
    from numcodecs import Blosc

    root = zarr.open_group(store, mode="w", zarr_format=2)
    by_year: dict[str, list[Path]] = {}
    for part in parts:
        with np.load(part) as frame:
            by_year.setdefault(str(frame["t_obs"])[:4], []).append(part)
    for year, frames in sorted(by_year.items()):
        array = root.create_group(year).create_array(
            channel,
            shape=(len(frames), size_px, size_px),
            chunks=(min(CHUNK, len(frames)), size_px, size_px),
            dtype="float32",
            compressors=Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE),
        )
        keywords: dict[str, list[Any]] = {"T_OBS": [], "EXPTIME": [], "QUALITY": [], "DEG_COR": []}
        for at in range(0, len(frames), CHUNK):
            loaded = list(_load(frames[at : at + CHUNK]))
            array[at : at + len(loaded)] = np.stack([frame.image for frame in loaded])
            for frame in loaded:
                keywords["T_OBS"].append(frame.t_obs)
                keywords["EXPTIME"].append(frame.exposure_s)
                keywords["QUALITY"].append(frame.quality)
                keywords["DEG_COR"].append(frame.degradation)
        array.attrs.update(keywords)


def _load(parts: Sequence[Path]) -> Iterator[Calibrated]:
    for part in parts:
        with np.load(part) as frame:
            yield Calibrated(
                frame["image"],
                str(frame["t_obs"]),
                float(frame["exposure_s"]),
                int(frame["quality"]),
                float(frame["degradation"]),
            )


def _one_scale(smap: Any, size_px: int) -> npt.NDArray[np.float64]:
    """Turn north up, centre the disk, give it one radius, and average by area."""
    raw = smap.data.shape[0]
    wanted = FIELD_ARCSEC / raw * smap.rsun_obs.to_value("arcsec") / SOLAR_RADIUS_ARCSEC
    turned = smap.rotate(
        recenter=True,
        scale=float(smap.scale[0].to_value("arcsec/pix")) / wanted,
        order=3,
        missing=np.nan,
    )
    # The frame around the disk's centre; sunpy pads what it turns.
    image = np.asarray(turned.data, dtype=np.float64)
    pad = max(0, raw - min(image.shape) + 2)
    image = np.pad(image, pad, constant_values=np.nan)
    x, y = (float(turned.meta[name]) - 0.5 + pad for name in ("crpix1", "crpix2"))
    left, low = round(x - raw / 2), round(y - raw / 2)
    cut = image[low : low + raw, left : left + raw]
    block = raw // size_px
    means: npt.NDArray[np.float64] = cut.reshape(size_px, block, size_px, block).mean(axis=(1, 3))
    # The corners of a turned frame see nothing, and are as dark as the darkest sky.
    return np.where(np.isfinite(means), means, np.nanmin(means))


def _header(fits: Any, path: Path) -> Any:
    with fits.open(path) as hdus:
        # Compressed level-1 files hold the image in the second part.
        return next(hdu.header for hdu in hdus if "T_OBS" in hdu.header)


@functools.cache
def _degradation(path: str) -> Any:
    from aiapy.calibrate.util import get_correction_table

    try:
        return get_correction_table(Path(path))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no AIA response table ({error})") from None


@functools.cache
def _pointing(path: str) -> Any:
    from astropy.table import QTable

    try:
        return QTable.read(path, format="ascii.ecsv")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no pointing table in ECSV ({error})") from None
