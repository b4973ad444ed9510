"""A run that is interrupted leaves nothing running and nothing half-written, and goes on."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.processes import STATES, TRAINED, running, training
from helpers.project import run_snakemake

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]
SOON_S = 20
IMAGES = 12_800


@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_in_a_training_ends_all_and_the_next_run_goes_on_from_its_state(
    untrained: Path, processes: int
) -> None:
    model = (untrained / TRAINED).parent
    options = training(IMAGES, processes)
    with running(untrained, *options) as run:
        run.wait_until(lambda: len(list(untrained.glob(STATES))) > 1)
        # As a terminal does, to all that are in the foreground.
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(SOON_S) != 0
        assert run.seconds_until_gone(SOON_S) < SOON_S
        assert "Traceback" not in run.said
    assert not model.exists()
    assert list(untrained.glob("results/tiny/models/**/.unfinished-*")) == []
    kept = max(int(path.stem) for path in untrained.glob(STATES))
    assert 0 < kept < IMAGES // 16

    with running(untrained, *options, "--rerun-incomplete") as run:
        assert run.process.wait(200) == 0, run.said[-3000:]
        # The bar begins where the training was.
        begun = [int(share.split("/")[0]) for share in run.said.split("| ") if "/12800 [" in share]
        assert begun[0] >= 16 * kept
    assert json.loads((model / "training.json").read_text())["images"] == IMAGES
    if processes == 1:
        weights = load_file(model / "weights.safetensors")
        (untrained / TRAINED).unlink()
        for path in untrained.glob("results/tiny/models/.states/*"):
            path.rename(untrained / path.name)
        done = run_snakemake(untrained, *options)
        assert done.returncode == 0, done.stderr[-3000:]
        straight = load_file(model / "weights.safetensors")
        assert all(np.array_equal(straight[name], weights[name]) for name in straight)


def test_snakemake_that_is_asked_to_end_lets_its_jobs_end_and_starts_no_other(
    untrained: Path,
) -> None:
    options = training(1600)
    samples = "results/tiny/samples/cevae.h5"
    (untrained / samples).unlink()
    with running(untrained, samples, *options) as run:
        run.wait_until(lambda: list(untrained.glob(STATES)))
        run.process.terminate()
        assert run.process.wait(60) != 0
        assert run.left == {}
        assert "Traceback" not in run.said
    assert (untrained / TRAINED).is_file()
    assert not (untrained / samples).exists()
    done = run_snakemake(untrained, samples, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rule train:" not in done.stdout + done.stderr
