"""Interrupted runs leave no process and no partial product, and the next run resumes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.hold import STEP, Hold
from helpers.processes import LIMIT_S, running
from helpers.project import TINY, run_snakemake, snakemake_log

pytestmark = [pytest.mark.robustness, pytest.mark.workflow, pytest.mark.timeout(3600)]
MODEL = "results/tiny/models/cevae"
TRAINED = f"{MODEL}/weights.safetensors"
CHECKPOINTS = "results/tiny/models/.states/*/*.safetensors"
LOG = "results/tiny/logs/train_cevae.log"
SAMPLES = "results/tiny/samples/cevae.h5"
IMAGES, BATCH = 256, 16
"""Of the tiny configuration."""


def training(processes: int = 1) -> tuple[str, ...]:
    """Return the options of a run whose ceVAE writes a checkpoint every second step."""
    changes = f"checkpoints: {IMAGES // BATCH // 2}, gpus: {processes}"
    return (*TINY, "--config", f"models={{cevae: {{training: {{{changes}}}}}}}")


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("moment", "call"), [("heliosynth.training.trainer", 1), (STEP, 6)], ids=["imports", "step"]
)
def test_ctrl_c_in_a_training_ends_all_and_it_resumes(
    untrained: Path, finished: Path, tmp_path: Path, moment: str, call: int, processes: int
) -> None:
    options = (TRAINED, *training(processes))
    hold = Hold(tmp_path / "hold", moment, call, within="train.py")
    hold.install(untrained / "src")
    with running(untrained, *options) as run:
        hold.wait(run.process, processes)
        run.interrupt()
        assert run.process.wait(LIMIT_S) != 0
        run.wait_until_all_ended()
        assert "Traceback" not in run.log
    job_log = (untrained / LOG).read_text()
    assert job_log.splitlines()[-1] == "interrupted", job_log
    assert "Traceback" not in job_log, job_log
    assert not (untrained / MODEL).exists()
    assert list(untrained.glob("results/tiny/models/**/.unfinished-*")) == []
    step = max((int(path.stem) for path in untrained.glob(CHECKPOINTS)), default=0)
    assert step == (4 if moment == STEP else 0)

    hold.release()
    with running(untrained, *options, "--rerun-incomplete") as run:
        assert run.process.wait(LIMIT_S) == 0, run.log[-3000:]
    # The progress bar begins at the checkpoint.
    bars = [bar for bar in (untrained / LOG).read_text().split("| ") if f"/{IMAGES} [" in bar]
    assert int(bars[0].split("/")[0]) == step * BATCH
    report = json.loads((untrained / MODEL / "training.json").read_text())
    assert report["images"] == IMAGES
    if processes == 1:
        weights, straight = (load_file(project / TRAINED) for project in (untrained, finished))
        assert all(np.array_equal(weights[name], straight[name]) for name in straight)


def test_snakemake_that_is_terminated_lets_its_jobs_end(untrained: Path, tmp_path: Path) -> None:
    (untrained / SAMPLES).unlink()
    hold = Hold(tmp_path / "hold", STEP, call=2, within="train.py")
    hold.install(untrained / "src")
    with running(untrained, SAMPLES, *training()) as run:
        hold.wait(run.process)
        run.process.terminate()
        run.wait_until(lambda: "finishing currently running jobs" in snakemake_log(untrained))
        hold.release()
        assert run.process.wait(LIMIT_S) != 0
        assert run.alive == {}
        assert "Traceback" not in run.log
    assert (untrained / TRAINED).is_file()
    assert not (untrained / SAMPLES).exists(), "another job was started"
    resumed = run_snakemake(untrained, SAMPLES, *training())
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    assert "rule train:" not in snakemake_log(untrained)
