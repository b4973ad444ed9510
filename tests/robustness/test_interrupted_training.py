"""Trainings interrupted at chosen points: one line, status 130, and a resumed training."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.contents import contents
from helpers.hold import STEP, Hold
from helpers.processes import LIMIT_S, background
from helpers.scripts import command, environment

pytestmark = [pytest.mark.robustness, pytest.mark.workflow, pytest.mark.timeout(3600)]
TRAINER = "heliosynth.training.trainer:Trainer"
STEPS, BATCH = 16, 16
INTERRUPTED = 130


def job(finished: Path, folder: Path, processes: int = 1) -> list[str]:
    """Return the command that trains the tiny ceVAE for 16 steps, with 4 validations."""
    results = finished / "results" / "tiny"
    config = json.loads((results / "config.json").read_text())["models"]["cevae"]
    length = {"images": STEPS * BATCH, "batch_size": BATCH, "validations": 4, "checkpoints": 8}
    config["training"] |= {**length, "epochs": None, "gpus": processes}
    model = ["--model", "cevae", "--settings", json.dumps(config), "--seed", "1"]
    inputs = ["--dataset", str(results / "dataset" / "dataset.h5"), "--threads", str(processes)]
    outputs = ["--checkpoints", str(folder / "checkpoints"), "--output", str(folder / "model")]
    return command("train", [*model, *inputs, *outputs, "--processes", str(processes)])


def train(job: list[str], folder: Path) -> None:
    with background(job, folder, environment()) as run:
        assert run.process.wait(LIMIT_S) == 0, run.log


def interrupt(job: list[str], folder: Path, hold: Hold, processes: int = 1) -> int:
    """Interrupt a training that is held as Ctrl-C does; return the step of its checkpoint."""
    with background(job, folder, environment(hold.folder)) as run:
        hold.wait(run.process, processes)
        run.interrupt()
        status = run.process.wait(LIMIT_S)
        run.wait_until_all_ended()
        lines = run.log.splitlines()
        assert lines[-1:] == ["interrupted"], run.log
        assert lines.count("interrupted") == 1, run.log
        assert "Traceback" not in run.log, run.log
        assert status == INTERRUPTED
    assert not (folder / "model" / "training.json").exists()
    assert list(folder.rglob(".unfinished-*")) == []
    return max((int(path.stem) for path in folder.glob("checkpoints/*/*.safetensors")), default=0)


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    return Hold(tmp_path / "hold")


def test_an_interrupted_training_resumes(finished: Path, tmp_path: Path, hold: Hold) -> None:
    folder, straight = tmp_path / "interrupted", tmp_path / "straight"
    folder.mkdir()
    straight.mkdir()
    for point, call, step in (
        # Imports.
        ("torch", 1, 0),
        ("heliosynth.training.train_model", 1, 0),
        # In the fourth step, before a validation, and between validation and checkpoint.
        (STEP, 4, 2),
        (f"{TRAINER}.validate", 1, 2),
        (f"{TRAINER}.save", 1, 2),
        # While the tensors of a checkpoint are written, and before it has its name.
        ("safetensors.torch:save_file", 2, 4),
        ("pathlib:Path.replace", 2, 6),
        # After the last step, before the weights have their name, and before the report has.
        ("heliosynth.training.checkpoint:CheckpointFolder.finish", 1, STEPS),
        ("pathlib:Path.replace", 2, STEPS),
        ("pathlib:Path.replace", 4, STEPS),
    ):
        hold.set(point, call)
        assert interrupt(job(finished, folder), folder, hold) == step, point
    train(job(finished, folder), folder)
    train(job(finished, straight), straight)
    for name in ("weights.safetensors", "history.csv", "training.json"):
        assert contents(folder / "model" / name) == contents(straight / "model" / name)


def test_both_processes_are_interrupted(finished: Path, tmp_path: Path, hold: Hold) -> None:
    for point, call, processes, step in (
        # In the launcher, and while both processes import.
        ("heliosynth.jobs.launch:run_ranks", 1, 1, 0),
        ("torch", 1, 2, 0),
        (STEP, 4, 2, 2),
        # The second process waits for the first.
        ("safetensors.torch:save_file", 1, 1, 2),
    ):
        hold.set(point, call)
        assert interrupt(job(finished, tmp_path, 2), tmp_path, hold, processes) == step, point
    train(job(finished, tmp_path, 2), tmp_path)
    report = json.loads((tmp_path / "model" / "training.json").read_text())
    assert report["images"] == STEPS * BATCH
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    assert all(np.isfinite(values).all() for values in weights.values())
