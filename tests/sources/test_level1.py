"""Calibration of level-1 files of a synthetic Sun by aiapy."""

import gzip
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

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
from helpers.project import ROOT
from helpers.scripts import load

TABLE = str(Path(aiapy.__file__).parent / "tests/data/aia_V8_20171210_050627_response_table.txt")
TABLES = level1.Tables(TABLE)
RAW, SIZE = 256, 64
SAMPLES = ROOT.parent / "shared" / "samples" / "fits"


def at(time: str) -> dict[str, str]:
    """Return the keywords of a time."""
    return {"T_OBS": f"{time}.34Z", "DATE-OBS": f"{time}.00"}


def cut_out(source: Path, path: Path) -> None:
    """Write the central part of an image, of other height than width."""
    with fits.open(source) as hdus:
        image, header = hdus[0].data[100:150, 90:170], hdus[0].header
        header["CRPIX1"] -= 90
        header["CRPIX2"] -= 100
        fits.PrimaryHDU(image, header).writeto(path)


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


def test_a_failed_job_keeps_its_calibrated_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, output = tmp_path / "level1", tmp_path / "sdomlv2.zarr"
    write_sun(folder / "a.fits")
    write_sun(folder / "b.fits", **at("2012-07-12T17:00:01"))
    calibrate = level1.calibrate

    def failing(path: Path, *options: Any) -> level1.Calibrated:
        if path.name == "b.fits":
            raise InputError(f"{path}: has no correction in the table")
        return calibrate(path, *options)

    monkeypatch.setattr(level1, "calibrate", failing)
    with pytest.raises(InputError, match=r"b\.fits: has no correction"):
        level1.write_store(folder, "171A", TABLES, output, size_px=SIZE)
    assert not output.exists()
    assert [path.name for path in tmp_path.rglob("*.npz")] == ["a.fits.npz"]
    monkeypatch.undo()
    level1.write_store(folder, "171A", TABLES, output, size_px=SIZE)
    assert len(sdoml.read_header(output, 2012, "171A")) == 2


def test_files_that_are_not_images_are_left_out_and_counted(tmp_path: Path) -> None:
    folder, output = tmp_path / "level1", tmp_path / "sdomlv2.zarr"
    write_sun(folder / "a.fits")
    write_sun(folder / "b.fits", **at("2012-07-12T17:00:01"))
    # A copy of the first, compressed; and what lies in the folders of real downloads.
    (folder / "z.fits.gz").write_bytes(gzip.compress((folder / "a.fits").read_bytes()))
    write_sun(folder / "aia.lev1.2012-07-12T160001Z.171.spikes.fits")
    write_sun(folder / "other_channel.FITS", WAVELNTH=193)
    write_sun(folder / "level15.fts", LVL_NUM=1.5)
    write_sun(folder / "no_exposure.fits", EXPTIME=0.0)
    write_sun(folder / "negative.fits", EXPTIME=-2.0)
    write_sun(folder / "hmi.fits", TELESCOP="SDO/HMI", INSTRUME="HMI_SIDE1")
    write_sun(folder / "no_time.fits", T_OBS="soon")
    write_sun(folder / "flags.fits", QUALITY="good")
    write_sun(folder / "zoom.fits", **at("2012-07-12T18:00:01"), CDELT1=4.8, CDELT2=4.8)
    fits.PrimaryHDU(np.ones((3, 40))).writeto(folder / "table.fits")
    cut_out(folder / "a.fits", folder / "cutout.fits")
    content = write_sun(tmp_path / "c.fits", **at("2012-07-12T19:00:01")).read_bytes()
    (folder / "truncated.fits").write_bytes(content[: len(content) // 2])
    (folder / "page.fits").write_text("<html>")
    (folder / "readme.txt").write_text("files of a download")
    (folder / "older").mkdir()
    write_sun(folder / "older" / "d.fits")
    report = level1.write_store(folder, "171A", TABLES, output, size_px=SIZE)
    assert report.read == 2
    left_out = {
        "another file of the same time": 1,
        "list of cosmic-ray spikes, not an image": 1,
        "of another channel": 1,
        "not of level 1": 1,
        "no exposure time": 2,
        "not of AIA": 1,
        "time cannot be read": 1,
        "QUALITY is not a 32-bit word": 1,
        "not the full disk": 2,
        "FITS without the header of an AIA image (no T_OBS)": 1,
        "cannot be read as FITS": 2,
    }
    assert {name: report.left_out.get(name) for name in left_out} == left_out
    others = {name: count for name, count in report.left_out.items() if name not in left_out}
    assert all(name.startswith("file: ") for name in others)
    assert sum(others.values()) == 2, "the text and the folder"
    assert "level15.fts" in report.examples["not of level 1"]
    assert len(sdoml.read_header(output, 2012, "171A")) == 2


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    plain = write_sun(tmp_path / "a.fits")
    (tmp_path / "level1").mkdir()
    with fits.open(plain) as hdus:
        compressed = fits.CompImageHDU(
            hdus[0].data, hdus[0].header, compression_type="GZIP_2", quantize_level=0
        )
        compressed.writeto(tmp_path / "level1" / "b.FITS")
    report = level1.write_store(
        tmp_path / "level1", "171A", TABLES, tmp_path / "store.zarr", size_px=SIZE
    )
    assert (report.read, report.left_out) == (1, {})
    (part,) = sdoml.open_channel(tmp_path / "store.zarr", 2012, "171A").read([0], np.copy)
    expected = level1.calibrate(plain, TABLES, SIZE).image
    np.testing.assert_allclose(part.value[0], expected, rtol=1e-5)


def test_a_folder_without_a_usable_file_names_the_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "level1"
    write_sun(folder / "a.fits", LVL_NUM=1.5)
    write_sun(folder / "b.fits", LVL_NUM=1.5)
    (folder / "c.fits").write_text("<html>")
    message = r"level1: holds no AIA level-1 image of 171A that can be used, of 3 FITS files: "
    with pytest.raises(
        InputError, match=message + r"2 not of level 1 \(.*a\.fits.*1 cannot be read"
    ):
        level1.write_store(folder, "171A", TABLES, tmp_path / "store.zarr", size_px=SIZE)
    write_sun(folder / "d.fits", CDELT1=4.8, CDELT2=4.8)
    with pytest.raises(InputError, match="1 not the full disk"):
        level1.write_store(folder, "171A", TABLES, tmp_path / "store.zarr", size_px=SIZE)
    assert not (tmp_path / "store.zarr").exists()


def test_years_that_are_planned_get_an_array_and_others_are_counted(tmp_path: Path) -> None:
    folder, output = tmp_path / "level1", tmp_path / "store.zarr"
    write_sun(folder / "a.fits")
    write_sun(folder / "b.fits", **at("2014-02-25T00:49:01"))
    report = level1.write_store(folder, "171A", TABLES, output, size_px=SIZE, years=[2012, 2013])
    assert (report.read, len(sdoml.read_header(output, 2012, "171A"))) == (1, 1)
    assert report.left_out == {"observed in a year that no name of a file has": 1}
    assert sdoml.years(output) == [2012, 2013]
    assert len(sdoml.read_header(output, 2013, "171A")) == 0


def test_times_of_headers_are_read_in_utc(tmp_path: Path) -> None:
    forms = {
        "2012-06-30T23:59:60.34Z": "2012-07-01T00:00:00.340",
        "2012.07.12_16:00:36.34_TAI": "2012-07-12T16:00:01.340",
        "2012-07-12T16:00:01.34": "2012-07-12T16:00:01.340",
    }
    times = {text: level1.observation_time(tmp_path, text) for text in forms}
    assert times == {text: np.datetime64(time, "ms") for text, time in forms.items()}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no real files at {SAMPLES}")
def test_real_cutouts_and_a_truncated_file_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "level1"
    shutil.copytree(SAMPLES, folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    write_sun(folder / "a.fits")
    report = level1.write_store(folder, "171A", TABLES, tmp_path / "store.zarr", size_px=SIZE)
    assert report.read == 1
    assert report.left_out == {
        "not the full disk": 1,
        "of another channel": 1,
        "not of level 1": 1,
    }


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"LVL_NUM": 1.5}, "not an AIA image of level 1"), ({"EXPTIME": 0.0}, "no exposure time")],
)
def test_unusable_level1_files_are_errors(
    tmp_path: Path, keywords: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        level1.calibrate(write_sun(tmp_path / "a.fits", **keywords), TABLES, SIZE)


def test_damaged_tables_are_named(tmp_path: Path) -> None:
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


def test_the_script_writes_the_store_and_the_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sun(tmp_path / "level1" / "a.fits")
    write_sun(tmp_path / "level1" / "b.fits", WAVELNTH=193)
    settings, report = {"degradation": TABLE, "pointing": None}, tmp_path / "level1.json"
    script = load("calibrate")
    monkeypatch.setattr(script, "write_store", partial(level1.write_store, size_px=SIZE))
    script.main(
        [
            *("--files", str(tmp_path / "level1"), "--settings", json.dumps(settings)),
            *("--channel", "171A", "--years", "2012", "2013"),
            *("--output", str(tmp_path / "store.zarr"), "--report", str(report)),
        ]
    )
    counts = json.loads(report.read_text())
    assert (counts["files"], counts["read"]) == (2, 1)
    assert list(counts["left_out"]) == ["of another channel"]
    assert sdoml.years(tmp_path / "store.zarr") == [2012, 2013]
