"""An archive whose parts do not fit together stops at the first rules, in one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

pytestmark = pytest.mark.workflow

FIRST = pd.Timestamp("2012-03-01")
FRAMES = 48


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[[int], Path]:
    """Write an archive of two days of frames and so many hours of light curve."""

    def make(hours: int) -> Path:
        folder = tmp_path / "an archive"
        for part in ("aia", "goes", "hek"):
            (folder / part).mkdir(parents=True)
        root = zarr.open_group(folder / "aia/sdomlv2.zarr", mode="w", zarr_format=2)
        frames = np.full((FRAMES, 16, 16), 200, np.float32)
        array = root.create_group("2012").create_array("171A", data=frames, chunks=(15, 16, 16))
        times = FIRST + pd.to_timedelta(np.arange(FRAMES), unit="h")
        array.attrs["T_OBS"] = times.strftime("%Y-%m-%dT%H:%M:%S.00Z").tolist()
        minutes = pd.date_range(FIRST - pd.Timedelta("1h"), periods=12 * hours, freq="5min")
        series = pd.DataFrame({"time": minutes, "xrsa": 1e-8, "xrsb": 2e-7})
        series.to_csv(folder / "goes/xrs.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S")
        (folder / "hek/flares.csv").write_text(
            "event_starttime,event_peaktime,event_endtime,fl_goescls,frm_name\n"
            "2012-03-01T05:00:00,2012-03-01T05:10:00,2012-03-01T05:30:00,C2.0,SWPC\n"
        )
        return folder

    return make


@pytest.mark.parametrize(
    ("hours", "scarce", "parts"),
    [
        (24, "report", ["XRS", "2012-03-01", "2012-03-02"]),
        (60, "refuse", ["class", "A", "M", "X"]),
    ],
)
def test_what_does_not_fit_is_named(
    project: Path, snakemake, make_archive, hours: int, scarce: str, parts: list[str]
) -> None:
    archive = make_archive(hours)
    overrides = [f"archive={archive}", f"dataset={{scarce_classes: {scarce}}}", f"run=of_{hours}"]
    done = snakemake(
        project, "--configfile", "config/archive.yaml", "--config", *overrides, "--until", "labels"
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    message = next(line for line in output.splitlines() if line.startswith("error: "))
    assert [part for part in parts if part not in message] == []
    assert not (project / f"results/of_{hours}/dataset/labels.csv").exists()
