"""An archive whose parts do not fit together stops the run at its first rules, in one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

pytestmark = pytest.mark.workflow

START, PEAK = pd.Timestamp("2012-03-01"), pd.Timestamp("2012-03-01T05:10")
FRAMES = 48

MakeArchive = Callable[[int], Path]


@pytest.fixture
def make_archive(tmp_path: Path) -> MakeArchive:
    """Write an archive with two days of frames, and some hours of light curve."""

    def make(hours: int) -> Path:
        folder = tmp_path / "an archive"
        for part in ("aia", "goes", "hek"):
            (folder / part).mkdir(parents=True)
        root = zarr.open_group(folder / "aia/sdomlv2.zarr", mode="w", zarr_format=2)
        frames = np.full((FRAMES, 64, 64), 200, np.float32)
        array = root.create_group("2012").create_array("171A", data=frames, chunks=(15, 64, 64))
        times = START + pd.to_timedelta(np.arange(FRAMES), unit="h")
        array.attrs["T_OBS"] = times.strftime("%Y-%m-%dT%H:%M:%S.00Z").tolist()
        minutes = pd.date_range(START - pd.Timedelta("1h"), periods=12 * hours, freq="5min")
        since_peak = np.abs((minutes - PEAK) / pd.Timedelta("5min"))
        flux = 3e-7 * (1 + 0.1 * np.sin(np.arange(len(minutes)))) + 2e-6 * np.exp(-since_peak)
        series = pd.DataFrame({"time": minutes, "xrsa": flux / 30, "xrsb": flux})
        series.to_csv(folder / "goes/xrs.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S")
        (folder / "hek/flares.csv").write_text(
            "event_starttime,event_peaktime,event_endtime,fl_goescls,frm_name\n"
            "2012-03-01T05:00:00,2012-03-01T05:10:00,2012-03-01T05:30:00,C2.0,SWPC\n"
        )
        return folder

    return make


@pytest.mark.parametrize(
    ("hours", "scarce_classes", "rule", "parts"),
    [
        (24, "report", "labels", ["XRS", "2012-03-01", "2012-03-02"]),
        # Five jobs come before; tests/dataset/test_scripts.py has the messages of the script.
        pytest.param(
            *(60, "refuse", "cross_check", ["class", "A", "M", "X"]), marks=pytest.mark.robustness
        ),
    ],
)
def test_the_last_line_names_what_does_not_fit(
    project: Path,
    snakemake,
    make_archive: MakeArchive,
    hours: int,
    scarce_classes: str,
    rule: str,
    parts: list[str],
) -> None:
    settings = (f"archive={make_archive(hours)}", f"dataset={{scarce_classes: {scarce_classes}}}")
    options = ("--configfile", "config/archive.yaml", "--config", *settings, "run=archive")
    result = snakemake(project, *options, "--until", "cross_check")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert [part for part in parts if part not in last] == []
    assert "Traceback" in (project / f"results/archive/logs/{rule}.log").read_text()
    assert not (project / "results/archive/dataset/cross_check.json").exists()


def test_an_internal_error_names_the_log_with_its_traceback(
    project: Path, snakemake, make_archive: MakeArchive
) -> None:
    script = project / "workflow/scripts/flares.py"
    text = script.read_text()
    script.write_text(text.replace("    args = parser", '    1 + "a"\n    args = parser'))
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={make_archive(60)}")
    result = snakemake(project, *options, "run=archive", "--until", "flares")
    assert result.returncode != 0
    log = "results/archive/logs/flares.log"
    assert result.stderr.splitlines()[-1] == (
        "error: internal error in flares.py: TypeError: unsupported operand type(s) for +: "
        f"'int' and 'str'; the traceback is in {log}"
    )
    assert "Traceback" not in result.stderr
    assert '1 + "a"' in (project / log).read_text()
