"""Header keywords: forms of real stores, and frames that they declare unusable."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.sources import sdoml, sdoml_keywords
from helpers.project import ROOT

SAMPLES = ROOT.parent / "shared" / "samples"
N = 6
TIMES = [f"2012-01-01T00:{6 * i:02d}:10.34Z" for i in range(N)]
IMAGES = np.ones((N, 2, 2), np.float32)


@pytest.fixture
def read(make_store: Callable[..., Path], tmp_path: Path) -> Callable[..., sdoml.YearHeader]:
    """Return a function that writes a store with keywords and reads its header."""

    def read(**keywords: Any) -> sdoml.YearHeader:
        shutil.rmtree(tmp_path / "sdomlv2.zarr", ignore_errors=True)
        return sdoml.read_year(make_store(IMAGES, {"T_OBS": TIMES, **keywords}), 2012, "171A")

    return read


@pytest.mark.parametrize(
    ("keywords", "left_out"),
    [
        (
            {"T_OBS": [*TIMES[:4], "soon", None]},
            {"time cannot be read (T_OBS)": 1, "no time (T_OBS)": 1},
        ),
        (
            {"T_OBS": [*TIMES[:5], "1970-01-01T00:00:00Z"]},
            {"time before 1974 or in the future (T_OBS)": 1},
        ),
        ({"T_OBS": [*TIMES[:5], TIMES[2]]}, {sdoml_keywords.SAME_TIME: 1}),
        ({"T_OBS": [*TIMES, "2012-01-02T00:00:00Z"]}, {sdoml_keywords.NO_FRAME: 1}),
        ({"EXPTIME": [2.0, 0.0, -1.0, 2000.0, "long", math.nan]}, {sdoml_keywords.EXPOSURE: 4}),
        ({"QUALITY": [0, "0x0", "bad", 2.5, 0.0, "nan"]}, {sdoml_keywords.NOT_A_WORD: 2}),
        ({"WAVELNTH": [171, 171.0, "171", 193, None, "Fe"]}, {sdoml_keywords.OTHER_CHANNEL: 2}),
        ({"CROTA2": [0.0, 0.1, 359.9, 180.0, -90.0, None]}, {sdoml_keywords.ROLLED: 2}),
        (
            {"CDELT1": [4.8, 4.8, 4.8, 4.8, 2.4, math.nan], "RSUN_OBS": [976.0] * N},
            {sdoml_keywords.OTHER_SCALE: 1},
        ),
    ],
)
def test_frames_are_left_out_by_their_keywords(
    read: Callable[..., sdoml.YearHeader], keywords: dict[str, Any], left_out: dict[str, int]
) -> None:
    header = read(**keywords)
    assert header.report.left_out == left_out
    assert (
        header.report.read
        == len(header.table)
        == N - sum(count for name, count in left_out.items() if name != sdoml_keywords.NO_FRAME)
    )
    assert all("171A" in header.report.examples[reason] for reason in left_out)


def test_an_archive_in_other_units_is_an_error_with_the_reasons(
    read: Callable[..., sdoml.YearHeader],
) -> None:
    with pytest.raises(InputError, match=r"no frame that can be used: 6 exposure time not .*2000"):
        read(EXPTIME=[2000.0] * N)


@pytest.mark.parametrize(
    "unit", ["DN/s", "DN", "dn / s", "DN s-1", "DN s**-1", "DN/pix/s", "DN / (pix s)", "DN/sec"]
)
def test_units_of_intensity_are_accepted(read: Callable[..., sdoml.YearHeader], unit: str) -> None:
    assert len(read(PIXLUNIT=[unit] * (N - 1)).table) == N
    assert len(read(PIXLUNIT=unit, EXPTIME=[2.0, 2.01, 1.99, 2.0, 2.0, None]).table) == N


@pytest.mark.parametrize(
    "unit", ["erg/cm2/s", "counts", "log10(DN)", "electron", "normalised", "%"]
)
def test_other_units_are_errors(read: Callable[..., sdoml.YearHeader], unit: str) -> None:
    with pytest.raises(InputError, match=r"171A: PIXLUNIT is .*convert the frames to DN/s"):
        read(PIXLUNIT=[unit] * N)


def test_several_units_are_an_error(read: Callable[..., sdoml.YearHeader]) -> None:
    with pytest.raises(InputError, match="PIXLUNIT is DN and DN/s; convert all frames"):
        read(PIXLUNIT=["DN/s"] * 3 + ["DN"] * 3)


def test_exposures_must_be_equal_if_frames_are_not_divided_by_them(
    read: Callable[..., sdoml.YearHeader],
) -> None:
    exposure_s = [2.0, 2.0, 0.3, 2.0, 2.0, 2.0]
    assert len(read(PIXLUNIT="DN/s", EXPTIME=exposure_s).table) == N
    with pytest.raises(InputError, match=r"EXPTIME is from 0\.3 to 2 s; divide each frame"):
        read(PIXLUNIT="DN", EXPTIME=exposure_s)


def test_an_array_without_frames_has_an_empty_header(make_store: Callable[..., Path]) -> None:
    store = make_store(np.ones((0, 2, 2), np.float32), {"T_OBS": []})
    header = sdoml.read_year(store, 2012, "171A")
    assert (len(header.table), header.report.left_out) == (0, {})
    assert list(header.table) == ["time", "year", "store_row", "exposure_s", "quality"]


def test_times_without_frames_are_an_error(make_store: Callable[..., Path]) -> None:
    store = make_store(np.ones((0, 2, 2), np.float32), {"T_OBS": TIMES})
    with pytest.raises(InputError, match="171A holds no frame, but T_OBS has 6 times"):
        sdoml.read_year(store, 2012, "171A")


def test_leap_seconds_are_times(read: Callable[..., sdoml.YearHeader]) -> None:
    header = read(T_OBS=[*TIMES[:5], "2012-06-30T23:59:60.34Z"])
    assert str(header.table["time"].iloc[-1]) == "2012-07-01 00:00:00"


@pytest.mark.parametrize("name", ["attrs_6_channels_20100801", "attrs_193A_20100827T1500"])
def test_real_keywords_are_read(make_store: Callable[..., Path], name: str) -> None:
    path = SAMPLES / "sdoml_keywords" / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no real keywords at {path}")
    attributes = json.loads(path.read_text())
    count = len(attributes["T_OBS"]) if isinstance(attributes["T_OBS"], list) else 1
    channel = "193A"
    images = np.ones((count, 512, 512), np.float32)
    store = make_store(images, attributes, year=2010, channel=channel)
    header = sdoml.read_year(store, 2010, channel)
    # The six frames are of six channels at one time; one of them is of this array.
    others = {sdoml_keywords.OTHER_CHANNEL: count - 1} if count > 1 else {}
    assert header.report.left_out == others
    assert len(header.table) == 1
    assert header.table["quality"].tolist() == [0]
    assert header.table["exposure_s"][0] == pytest.approx(2, abs=1)
