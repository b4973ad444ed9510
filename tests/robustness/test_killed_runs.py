"""Snakemake itself killed: its jobs end with it, and the next runs get to the same products."""

import random
import signal
import time
from pathlib import Path

import pytest

from helpers.contents import contents
from helpers.processes import STATES, TINY, TRAINED, running, training
from helpers.project import copy_project, run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
KILLS = 5
FAR_ENOUGH = ("metrics/cevae.json", "metrics/real.json", "samples/ddpm_cevae.h5")
"""The products of a run that has simulated, built, trained twice, generated and measured."""
KINDS = ("observations", "dataset", "models", "samples", "features", "metrics")
SOON_S = 20


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which nothing has run."""
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


def products(results: Path) -> list[Path]:
    """List what jobs of a run made, but the states of trainings, by their place in it."""
    made = (path for kind in KINDS for path in (results / kind).rglob("*") if path.is_file())
    return sorted(path.relative_to(results) for path in made if ".states" not in path.parts)


def test_snakemake_killed_five_times_in_a_run_gives_the_products_of_one_that_was_not(
    project: Path, finished: Path
) -> None:
    targets = [f"results/tiny/{name}" for name in FAR_ENOUGH]
    chance = random.Random(21)
    for _ in range(KILLS):
        with running(project, *targets, *TINY) as run:
            run.wait_until(lambda run=run: "Execute 1 jobs" in run.said or "Execute 2" in run.said)
            time.sleep(chance.uniform(1, 9))
            assert run.process.poll() is None, "it was too short to be killed so often"
            run.process.send_signal(signal.SIGKILL)
            run.process.wait()
            assert run.seconds_until_gone(SOON_S) < SOON_S
        assert run_snakemake(project, "--unlock", *TINY).returncode == 0
    done = run_snakemake(project, *targets, *TINY, "--rerun-incomplete")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    killed, straight = (folder / "results" / "tiny" for folder in (project, finished))
    made = products(killed)
    assert len(made) > 20
    assert [p for p in made if contents(killed / p) != contents(straight / p)] == []
    assert list(killed.rglob(".unfinished-*")) == []
    done = run_snakemake(project, *targets, *TINY, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_ends_with_the_snakemake_that_was_killed(
    untrained: Path, processes: int
) -> None:
    with running(untrained, *training(200_000, processes)) as run:
        run.wait_until(lambda: list(untrained.glob(STATES)))
        assert sum("train.py" in command for command in run.left.values()) > processes
        run.process.kill()
        run.process.wait()
        assert run.seconds_until_gone(SOON_S) < SOON_S
    assert not (untrained / TRAINED).exists()
