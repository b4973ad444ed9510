"""Calibration of level-1 files of a synthetic Sun by aiapy."""

from pathlib import Path

import aiapy
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.time import Time

from heliosynth.arrays import DISK_RADIUS
from heliosynth.errors import InputError
from heliosynth.sources import level1, sdoml
from heliosynth.sources.manifest import verify

TABLE = str(Path(aiapy.__file__).parent / "tests/data/aia_V8_20171210_050627_response_table.txt")
TABLES = level1.Tables(TABLE)
RAW, SIZE = 256, 64


def write_sun(path: Path, **keywords: object) -> Path:
    """Write a level-1 file: a disk of 400 DN, brighter in a spot at the north-west limb."""
    header = {
        "TELESCOP": "SDO/AIA",
        "INSTRUME": "AIA_3",
        "WAVELNTH": 171,
        "WAVEUNIT": "angstrom",
        "LVL_NUM": 1.0,
        "T_OBS": "2012-07-12T16:00:01.34Z",
        "DATE-OBS": "2012-07-12T16:00:00.34",
        "EXPTIME": 2.0,
        "QUALITY": 0,
        "CTYPE1": "HPLN-TAN",
        "CTYPE2": "HPLT-TAN",
        "CUNIT1": "arcsec",
        "CUNIT2": "arcsec",
        "CDELT1": 0.6 * 4096 / RAW,
        "CDELT2": 0.6 * 4096 / RAW,
        "CRPIX1": RAW / 2 + 0.5,
        "CRPIX2": RAW / 2 + 0.5,
        "CRVAL1": 0.0,
        "CRVAL2": 0.0,
        "CROTA2": 0.0,
        "RSUN_OBS": 944.0,
        "RSUN_REF": 696000000.0,
        "DSUN_OBS": 1.52e11,
        "HGLN_OBS": 0.0,
        "HGLT_OBS": 4.0,
        **keywords,
    }
    angle = np.radians(float(header["CROTA2"]))  # type: ignore[arg-type]
    axis = np.arange(RAW) + 1.0
    dx = (axis[None, :] - float(header["CRPIX1"])) * header["CDELT1"]  # type: ignore[arg-type, operator]
    dy = (axis[:, None] - float(header["CRPIX2"])) * header["CDELT2"]  # type: ignore[arg-type, operator]
    x, y = dx * np.cos(angle) - dy * np.sin(angle), dx * np.sin(angle) + dy * np.cos(angle)
    radius = float(header["RSUN_OBS"])  # type: ignore[arg-type]
    image = np.where(np.hypot(x, y) < radius, 400.0, 4.0)
    image += 800 * np.exp(-((x - 0.6 * radius) ** 2 + (y - 0.6 * radius) ** 2) / 60**2)
    hdu = fits.PrimaryHDU(image.astype(np.float32))
    hdu.header.update(header)
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu.writeto(path)
    return path


def centre_and_radius(image: np.ndarray) -> tuple[float, float, float]:
    """Return the centre (x, y) and the radius of the disk, pixels."""
    disk = image > 0.5 * np.median(image[28:36, 28:36])
    rows, columns = np.nonzero(disk)
    return columns.mean() + 0.5, rows.mean() + 0.5, np.sqrt(disk.sum() / np.pi)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"CRPIX1": RAW / 2 + 7, "CRPIX2": RAW / 2 - 5},
        {"CROTA2": 33.0},
        {"RSUN_OBS": 974.0},
        {"CROTA2": -120.0, "CRPIX1": RAW / 2 - 4, "RSUN_OBS": 960.0},
    ],
)
def test_the_disk_is_centred_upright_and_has_one_radius(
    tmp_path: Path, keywords: dict[str, float]
) -> None:
    image = level1.calibrate(write_sun(tmp_path / "a.fits", **keywords), TABLES, SIZE).image
    assert image.shape == (SIZE, SIZE)
    x, y, radius = centre_and_radius(image)
    assert (x, y) == (pytest.approx(SIZE / 2, abs=0.3), pytest.approx(SIZE / 2, abs=0.3))
    assert radius == pytest.approx(DISK_RADIUS * SIZE, rel=0.01)
    brightest = np.unravel_index(image.argmax(), image.shape)
    spot = SIZE / 2 + 0.6 * DISK_RADIUS * SIZE - 0.5
    assert brightest == (pytest.approx(spot, abs=1), pytest.approx(spot, abs=1))


def test_intensities_are_corrected_for_exposure_and_degradation(tmp_path: Path) -> None:
    short = level1.calibrate(write_sun(tmp_path / "a.fits"), TABLES, SIZE)
    long = level1.calibrate(write_sun(tmp_path / "b.fits", EXPTIME=4.0), TABLES, SIZE)
    late = write_sun(tmp_path / "c.fits", **{"DATE-OBS": "2017-07-12T16:00:00.34"})
    assert np.median(short.image / long.image) == pytest.approx(2)
    quiet = short.image[30:34, 30:34].mean()
    assert quiet == pytest.approx(400 / 2 / short.degradation, rel=0.01)
    assert level1.calibrate(late, TABLES, SIZE).degradation < short.degradation < 1


def test_a_folder_becomes_a_store_that_sdoml_reads(tmp_path: Path) -> None:
    folder = tmp_path / "level1"
    for number, time in enumerate(("2013-01-01T00:00", "2012-07-12T16:00", "2012-07-12T15:00")):
        write_sun(
            folder / f"{number}.fits", **{"T_OBS": f"{time}:01.34Z", "DATE-OBS": f"{time}:00"}
        )
    write_sun(folder / "other.fits", WAVELNTH=193)
    output = tmp_path / "sdomlv2.zarr"
    level1.write_store(folder, "171A", TABLES, output, workers=2, size_px=SIZE)
    assert sdoml.years(output) == [2012, 2013]
    header = sdoml.read_header(output, 2012, "171A")
    assert header["time"].astype(str).tolist() == ["2012-07-12 15:00:01", "2012-07-12 16:00:01"]
    (part,) = sdoml.open_channel(output, 2012, "171A").read([1], np.copy)
    expected = level1.calibrate(folder / "1.fits", TABLES, SIZE).image
    np.testing.assert_array_equal(part.value[0], expected)
    assert verify([tmp_path / f"{output.name}.manifest.json"]) == 4


def test_a_failed_job_keeps_its_calibrated_frames(tmp_path: Path) -> None:
    folder, output = tmp_path / "level1", tmp_path / "sdomlv2.zarr"
    write_sun(folder / "a.fits")
    (folder / "b.fits").write_bytes(write_sun(tmp_path / "b.fits").read_bytes())
    with fits.open(folder / "b.fits", mode="update") as file:
        file[0].header["EXPTIME"] = 0.0
    with pytest.raises(InputError, match=r"b\.fits: has no exposure time"):
        level1.write_store(folder, "171A", TABLES, output, size_px=SIZE)
    assert not output.exists()
    assert [path.name for path in tmp_path.rglob("*.npz")] == ["a.fits.npz"]
    (folder / "b.fits").unlink()
    level1.write_store(folder, "171A", TABLES, output, size_px=SIZE)
    assert len(sdoml.read_header(output, 2012, "171A")) == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"LVL_NUM": 1.5}, "not an AIA image of level 1"), ({"EXPTIME": 0.0}, "no exposure time")],
)
def test_unusable_level1_files_are_errors(
    tmp_path: Path, keywords: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        level1.calibrate(write_sun(tmp_path / "a.fits", **keywords), TABLES, SIZE)


def test_damaged_files_and_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_text("<html>")
    with pytest.raises(InputError, match=r"a\.fits: cannot be read as FITS"):
        level1.files_of(tmp_path, "171A")
    with pytest.raises(InputError, match="holds no AIA FITS file of 171A"):
        level1.files_of(tmp_path / "nowhere", "171A")
    path = write_sun(tmp_path / "b.fits")
    (tmp_path / "table.txt").write_text("nothing")
    with pytest.raises(InputError, match="not an AIA response table"):
        level1.calibrate(path, level1.Tables(str(tmp_path / "table.txt")), SIZE)


def test_a_damaged_intermediate_frame_is_named(tmp_path: Path) -> None:
    write_sun(tmp_path / "level1" / "a.fits")
    frame = level1._calibrate_into(tmp_path / "level1" / "a.fits", TABLES, SIZE, tmp_path)
    content = bytearray(frame.read_bytes())
    content[len(content) // 2] ^= 1
    frame.write_bytes(content)
    with pytest.raises(InputError, match=rf"{frame}: cannot be read .*; delete it and rerun"):
        level1._load(frame)


def test_a_pointing_table_must_cover_the_file(tmp_path: Path) -> None:
    table = tmp_path / "pointing.ecsv"
    times = Time(["2019-01-01T00:00:00", "2019-01-01T03:00:00"])
    QTable({"T_START": times[:1], "T_STOP": times[1:]}).write(table, format="ascii.ecsv")
    path = write_sun(tmp_path / "a.fits")
    with pytest.raises(InputError, match=rf"{path}: has no pointing in {table}"):
        level1.calibrate(path, level1.Tables(TABLE, str(table)), SIZE)
