"""Two trainings of one model: the second waits, then resumes from the first."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from factories.training import ddpm_config
from heliosynth.errors import OutOfTimeError
from heliosynth.training import lock
from heliosynth.training.distributed import DistributedContext
from helpers.forked import forked
from helpers.hold import Hold
from helpers.training import assert_same_model, train_command, train_on_cpu

CONFIG = ddpm_config(images=240, checkpoints=6)
TIMEOUT_S = 300


def wait_for(text: str, path: Path) -> None:
    """Wait until a file has a text."""
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path.exists() and path.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("killed", [False, True])
def test_the_second_resumes_from_the_first(dataset: Path, tmp_path: Path, killed: bool) -> None:
    checkpoints, hold = tmp_path / "checkpoints", Hold(tmp_path / "hold", call=12)
    commands = {
        name: train_command(dataset, CONFIG, checkpoints=checkpoints, output=tmp_path / name)
        for name in ("first", "second")
    }
    log = tmp_path / "second.log"
    with forked(commands["first"], tmp_path / "first.log", hold) as first:
        hold.wait(first)
        with forked(commands["second"], log) as second:
            wait_for(f"m: waiting for another training of this model, process {first.pid} on ", log)
            if killed:
                first.kill()
            else:
                hold.release()
                assert first.wait(TIMEOUT_S) == 0
            assert second.wait(TIMEOUT_S) == 0, log.read_text()
    if killed:
        other = tmp_path / "uninterrupted"
        train_on_cpu(dataset, CONFIG, checkpoints=tmp_path / "other", output=other)
    else:
        other = tmp_path / "first"
        # It did not train again: even the seconds are those of the first.
        reports = [json.loads((tmp_path / n / "training.json").read_text()) for n in commands]
        assert reports[0]["seconds"] == reports[1]["seconds"]
    assert_same_model(tmp_path / "second", other)


def test_waiting_ends_with_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "POLL_S", 0.05)
    alone = DistributedContext()
    with lock.exclusive(tmp_path, "m", alone):
        deadline = time.monotonic() + 0.3
        with (
            pytest.raises(
                OutOfTimeError, match=r"m: another training .* is still running; resubmit"
            ),
            lock.exclusive(tmp_path, "m", alone, deadline),
        ):
            pytest.fail("two at once")
        assert time.monotonic() >= deadline
    with lock.exclusive(tmp_path, "m", alone, deadline=0):
        pass
