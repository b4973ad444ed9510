"""Jobs killed at chosen points: no partial product is visible, and the final one is the same."""

import datetime
import json
import subprocess
from pathlib import Path

import pytest

from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated.observatory import simulate
from helpers import intensities
from helpers.contents import contents
from helpers.hold import Hold
from helpers.scripts import command, environment

pytestmark = pytest.mark.robustness
RENAME = "pathlib:Path.replace"
"""A file is complete but does not have its name yet."""
CREATE = "heliosynth.io.hdf5:create_dataset"
FILL = "h5py._hl.dataset:Dataset.__setitem__"


def run(job: list[str]) -> None:
    subprocess.run(job, check=True, capture_output=True, env=environment())


def kill(job: list[str], hold: Hold, point: str, call: int = 1) -> None:
    """Start a job and kill it before a call of a function, or as the import of a module begins."""
    hold.set(point, call)
    with subprocess.Popen(job, env=environment(hold.folder), stderr=subprocess.DEVNULL) as process:
        try:
            hold.wait(process)
        finally:
            process.kill()


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    """A hold under which averaged frames are saved after every chunk."""
    every = {"heliosynth.frames.averaging:SAVE_EVERY_S": 0.0}
    return Hold(tmp_path / "hold", constants=every)


@pytest.fixture(scope="module")
def half_a_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw frames in 26 chunks."""
    folder = tmp_path_factory.mktemp("half_a_month") / "raw"
    settings = SimulationConfig(
        start=datetime.date(2012, 7, 1), days=16, cadence_minutes=60, size_px=16, flares_per_day=6
    )
    simulate(settings, "171A", 1, folder)
    return folder


def saved(path: Path) -> dict[Path, int]:
    """Return the files of frames averaged so far and when they were written."""
    return {p: p.stat().st_mtime_ns for p in path.parent.glob(".unfinished-2012-*/*.h5")}


def test_a_killed_averaging_resumes(half_a_month: Path, tmp_path: Path, hold: Hold) -> None:
    store = half_a_month / "aia/sdomlv2.zarr"
    chunks = len(list(store.glob("2012/171A/*.0.0")))
    labels = intensities.write_labels(half_a_month, tmp_path / "labels.csv")
    straight, path = tmp_path / "straight" / "2012.h5", tmp_path / "killed" / "2012.h5"
    run(command("intensities", intensities.options(labels, store, straight)))
    job = command("intensities", intensities.options(labels, store, path))
    before: dict[Path, int] = {}
    for point, call, more in (
        (RENAME, 4, 3),
        (CREATE, 20, 1),
        ("numpy", 1, 0),
        # The remaining chunks are saved, and the product is about to be written.
        ("heliosynth.io.hdf5:open_write", chunks - 3, chunks - 4),
        (RENAME, 1, 0),
    ):
        kill(job, hold, point, call)
        after = saved(path)
        assert before.items() <= after.items(), f"it started over at {point}"
        assert len(after) - len(before) == more or point == CREATE, point
        assert not path.exists()
        before = after
    hold.release()
    run(job)
    for name in ("2012.h5", "2012.manifest.json"):
        assert contents(path.with_name(name)) == contents(straight.with_name(name))
    assert sorted(p.name for p in path.parent.iterdir()) == ["2012.h5", "2012.manifest.json"]


def kill_five_times(
    job: list[str], path: Path, hold: Hold, *points: tuple[str, int], writing: tuple[str, ...]
) -> None:
    """Kill a job at five points; at those of writing, only its own temporary folder is left."""
    assert len(points) == 5
    for point, call in points:
        kill(job, hold, point, call)
        assert not path.exists(), point
        if point in writing:
            assert len(list(path.parent.glob(".unfinished-*"))) == 1, point


@pytest.mark.workflow
def test_a_killed_dataset_job_is_repeated(finished: Path, tmp_path: Path, hold: Hold) -> None:
    inputs = finished / "results" / "tiny" / "dataset"
    path = tmp_path / "dataset" / "dataset.h5"
    tables = ["--index", str(inputs / "index.csv"), "--summary", str(inputs / "summary.json")]
    years = [str(inputs / "intensities" / f"{year}.h5") for year in (2012, 2013)]
    config = json.loads((finished / "results" / "tiny" / "config.json").read_text())
    about = ["--channel", "171A", "--observations", config["observations"], "--output"]
    options = [*tables, "--intensities", *years, *about]
    job = command("dataset", [*options, str(path)])
    kill_five_times(
        job,
        path,
        hold,
        ("heliosynth.dataset.store", 1),
        (CREATE, 1),
        (CREATE, 6),
        (FILL, 10),
        (RENAME, 1),
        writing=(CREATE, FILL, RENAME),
    )
    run(job)
    assert contents(path) == contents(inputs / "dataset.h5")
    assert [p.name for p in path.parent.iterdir()] == ["dataset.h5"]


@pytest.mark.workflow
def test_a_killed_sampling_job_is_repeated(finished: Path, tmp_path: Path, hold: Hold) -> None:
    inputs = finished / "results" / "tiny"
    path = tmp_path / "shards" / "0.h5"
    model = ["--model", str(inputs / "models" / "ddpm_continuous")]
    dataset = ["--dataset", str(inputs / "dataset" / "dataset.h5"), "--seed", "1", "--threads", "1"]
    steps = '"sampler": "heun", "steps": 2, "guidance": 0, "batch_size": 8'
    sampling = f'{{{steps}, "population": 24, "per_class": 4}}'
    options = [*model, *dataset, "--settings", sampling, "--output"]
    run(command("sample", [*options, str(tmp_path / "straight.h5")]))
    job = command("sample", [*options, str(path)])
    kill_five_times(
        job,
        path,
        hold,
        ("torch", 1),
        ("heliosynth.training.trained_model:load_model", 1),
        ("heliosynth.diffusion.noise:SampleNoise.normal", 2),
        (CREATE, 3),
        (RENAME, 1),
        writing=(CREATE, RENAME),
    )
    run(job)
    assert path.read_bytes() == (tmp_path / "straight.h5").read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["0.h5"]
