"""Jobs killed at random moments: no part of a product is ever seen, and the end is the same."""

import datetime
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heliosynth.config.observations import SimulationConfig
from heliosynth.sources.simulated.observatory import simulate
from helpers.contents import contents
from robustness.test_raw_inputs import intensities_options, labelled

pytestmark = pytest.mark.robustness

ROOT = Path(__file__).resolve().parents[2]
SLOWLY = Path(__file__).with_name("slowly.py")
KILLS = 5
STORE = "aia/sdomlv2.zarr"
LEFT = ".unfinished-*"


def command(script: str, options: list[str], *before: str) -> list[str]:
    return [sys.executable, *before, str(ROOT / "workflow" / "scripts" / script), *options]


def slowly(script: str, options: list[str]) -> list[str]:
    return command(script, options, str(SLOWLY))


@contextmanager
def killed(given: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a job, and kill it at the end of the block, which it must outlive."""
    on_cpu = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CUDA_VISIBLE_DEVICES": ""}
    with subprocess.Popen(given, env=on_cpu, stderr=subprocess.DEVNULL) as job:
        try:
            yield job
            assert job.poll() is None, "it was too short to be killed so often"
        finally:
            job.kill()


def run(given: list[str]) -> None:
    on_cpu = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(given, check=True, capture_output=True, env=on_cpu)


@pytest.fixture(scope="module")
def observed_longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a month of raw frames, in 26 chunks."""
    folder = tmp_path_factory.mktemp("longer") / "raw"
    settings = SimulationConfig(
        start=datetime.date(2012, 7, 1), days=16, cadence_minutes=60, size_px=16, flares_per_day=6
    )
    simulate(settings, "171A", 1, folder)
    return folder


def kept_by(path: Path) -> dict[Path, int]:
    """Give the files of what was averaged so far, and when they were written."""
    return {kept: kept.stat().st_mtime_ns for kept in path.parent.glob(".unfinished-2012-*/*.h5")}


def test_the_averaging_of_a_year_killed_five_times_goes_on_and_gives_the_same_file(
    observed_longer: Path, tmp_path: Path
) -> None:
    store, labels = observed_longer / STORE, labelled(observed_longer, tmp_path / "labels.csv")
    straight, path = tmp_path / "straight" / "2012.h5", tmp_path / "killed" / "2012.h5"
    run(command("intensities.py", intensities_options(labels, store, straight)))
    given = slowly("intensities.py", intensities_options(labels, store, path))
    chance, before = random.Random(11), dict[Path, int]()
    for _ in range(KILLS):
        with killed(given) as job:
            # At some moment after it has got on.
            while job.poll() is None and kept_by(path).keys() <= before.keys():
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.3))
        after = kept_by(path)
        assert before.items() < after.items(), "it began anew"
        assert not path.exists()
        before = after
    run(given)
    for name in ("2012.h5", "2012.manifest.json"):
        assert contents(path.with_name(name)) == contents(straight.with_name(name))
    assert sorted(p.name for p in path.parent.iterdir()) == ["2012.h5", "2012.manifest.json"]


def kill_while_it_writes(given: list[str], path: Path, chance: random.Random) -> None:
    with killed(given) as job:
        before = set(path.parent.glob(f"{LEFT}/*"))
        while job.poll() is None and set(path.parent.glob(f"{LEFT}/*")) <= before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
    assert not path.exists()
    # That of the one killed before is gone, that of this one is left.
    assert len(list(path.parent.glob(LEFT))) == 1


@pytest.mark.workflow
def test_a_dataset_killed_five_times_while_it_is_written_is_the_same(
    finished: Path, tmp_path: Path
) -> None:
    made = finished / "results" / "tiny" / "dataset"
    path = tmp_path / "dataset" / "dataset.h5"
    inputs = ["--index", str(made / "index.csv"), "--summary", str(made / "summary.json")]
    years = [str(made / "intensities" / f"{year}.h5") for year in (2012, 2013)]
    about = ["--channel", "171A", "--observations", "simulated", "--output"]
    options = [*inputs, "--intensities", *years, *about]
    run(command("dataset.py", [*options, str(tmp_path / "straight.h5")]))
    given = slowly("dataset.py", [*options, str(path)])
    chance = random.Random(12)
    for _ in range(KILLS):
        kill_while_it_writes(given, path, chance)
    run(given)
    assert path.read_bytes() == (tmp_path / "straight.h5").read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["dataset.h5"]


@pytest.mark.workflow
def test_a_shard_of_samples_killed_five_times_is_the_same(finished: Path, tmp_path: Path) -> None:
    made = finished / "results" / "tiny"
    path = tmp_path / "shards" / "0.h5"
    inputs = ["--model", str(made / "models" / "ddpm_continuous")]
    dataset = ["--dataset", str(made / "dataset" / "dataset.h5"), "--seed", "1", "--threads", "1"]
    steps = '"sampler": "heun", "steps": 6, "guidance": 0, "batch_size": 8'
    sampling = f'{{{steps}, "population": 96, "per_class": 4}}'
    options = [*inputs, *dataset, "--settings", sampling, "--output"]
    began = time.monotonic()
    run(command("sample.py", [*options, str(tmp_path / "straight.h5")]))
    takes, chance = time.monotonic() - began, random.Random(13)
    given = slowly("sample.py", [*options, str(path)])
    for _ in range(3):
        # While it starts, loads the model, or draws.
        with killed(given):
            time.sleep(chance.uniform(0.1, 0.6) * takes)
        assert not path.exists()
    for _ in range(2):
        kill_while_it_writes(given, path, chance)
    run(given)
    assert path.read_bytes() == (tmp_path / "straight.h5").read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["0.h5"]
