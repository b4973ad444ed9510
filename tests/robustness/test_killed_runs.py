"""Snakemake killed: its jobs end with it, and the next runs make the same products."""

from pathlib import Path

import pytest

from helpers.contents import contents
from helpers.hold import STEP, Hold
from helpers.processes import Background, running
from helpers.project import TINY, copy_project, run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow, pytest.mark.timeout(3600)]
TARGETS = tuple(
    f"results/tiny/{name}"
    for name in (
        "features/efficientnet_lite0/cevae.h5",
        "features/efficientnet_lite0/real.h5",
        "samples/ddpm_cevae.h5",
    )
)
"""Products of a run that simulates, builds, trains two models, samples and encodes."""
KINDS = ("observations", "dataset", "models", "samples", "features")
MOMENTS = (
    ("simulate.py", "pathlib:Path.replace", 1),
    ("intensities.py", "heliosynth.frames.averaging:average", 3),
    ("dataset.py", "heliosynth.io.hdf5:create_dataset", 5),
    ("train.py", STEP, 3),
    ("sample.py", "heliosynth.io.hdf5:create_dataset", 3),
)
"""Scripts, and the call of a function that each is held before when Snakemake is killed."""


def products(results: Path) -> list[Path]:
    """List the files that jobs of a run made, but no checkpoints, relative to its results."""
    files = (path for kind in KINDS for path in (results / kind).rglob("*") if path.is_file())
    return sorted(path.relative_to(results) for path in files if ".states" not in path.parts)


def kill(run: Background) -> None:
    run.process.kill()
    run.process.wait()
    run.wait_until_all_ended()


def test_a_run_killed_five_times_makes_the_same_products(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    hold = Hold(tmp_path / "hold")
    hold.install(project / "src")
    for script, point, call in MOMENTS:
        hold.set(point, call, within=script)
        with running(project, *TARGETS, *TINY, "--rerun-incomplete") as run:
            hold.wait(run.process)
            kill(run)
        assert run_snakemake(project, "--unlock", *TINY).returncode == 0
    hold.release()
    resumed = run_snakemake(project, *TARGETS, *TINY, "--rerun-incomplete")
    assert resumed.returncode == 0, resumed.stdout[-3000:] + resumed.stderr[-5000:]
    killed, straight = (folder / "results" / "tiny" for folder in (project, finished))
    paths = products(killed)
    assert len(paths) > 20
    assert [p for p in paths if contents(killed / p) != contents(straight / p)] == []
    assert list(killed.rglob(".unfinished-*")) == []
    again = run_snakemake(project, *TARGETS, *TINY, "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_both_processes_of_a_training_end_with_snakemake(untrained: Path, tmp_path: Path) -> None:
    hold = Hold(tmp_path / "hold", STEP, call=3, within="train.py")
    hold.install(untrained / "src")
    model = "results/tiny/models/cevae"
    two = ("--config", "models={cevae: {training: {gpus: 2}}}")
    with running(untrained, f"{model}/weights.safetensors", *TINY, *two) as run:
        hold.wait(run.process, processes=2)
        kill(run)
    assert not (untrained / model / "weights.safetensors").exists()
