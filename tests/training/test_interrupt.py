"""Ctrl-C in a training: one line and status 130, at its start and later, on one rank and on two."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from factories.training import ddpm_config
from helpers.hold import STEP, Hold
from helpers.training import on_cpu, started, train_command

TIMEOUT_S = 300
PROGRESS_BAR = re.compile(r"^.* images/s.*$|^.*\? images.*$", re.MULTILINE)


IMPORT = "heliosynth.training.train_model"


@pytest.mark.parametrize(
    ("point", "processes"),
    [
        ("torch", 1),
        ("torch", 2),
        (STEP, 1),
        # Each imports torch in every process.
        pytest.param(IMPORT, 1, marks=pytest.mark.robustness),
        pytest.param(IMPORT, 2, marks=pytest.mark.robustness),
        pytest.param(STEP, 2, marks=pytest.mark.robustness),
    ],
)
def test_an_interrupt_is_one_line(
    dataset: Path, tmp_path: Path, point: str, processes: int
) -> None:
    hold, log = Hold(tmp_path / "hold", point, call=7), tmp_path / "train.log"
    config = ddpm_config(images=800, checkpoints=50)
    checkpoints, output = tmp_path / "checkpoints", tmp_path / "model"
    command = train_command(
        dataset, config, checkpoints=checkpoints, output=output, processes=processes
    )
    with started(command, log, on_cpu(**hold.variables)) as training:
        pids = hold.wait(training, processes)
        # As a terminal does, to every process in the foreground.
        os.killpg(training.pid, signal.SIGINT)
        assert training.wait(TIMEOUT_S) == 130
    lines = PROGRESS_BAR.sub("", log.read_text().replace("\r", "\n")).split()
    assert lines == ["interrupted"]
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert not output.exists()
    assert list(tmp_path.rglob(".unfinished-*")) == []
    saved = {int(path.stem) for path in checkpoints.glob("*/*.safetensors")}
    assert saved == ({4, 6} if point == STEP else set())
