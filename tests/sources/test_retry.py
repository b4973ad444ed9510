"""Retries: pauses, the time limit of an attempt, and errors that no retry can fix."""

import http.client
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from heliosynth.errors import InputError
from heliosynth.sources import retry


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses instead of waiting; return their list."""
    slept: list[float] = []
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=slept.append))
    return slept


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a call that raises some errors, one per attempt, and then succeeds."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "good"

    return call


def test_pauses_grow_until_an_attempt_succeeds(pauses: list[float]) -> None:
    call = failing(OSError("busy"), http.client.IncompleteRead(b""), OSError("busy"))
    assert retry.retry(call, "a busy server") == "good"
    assert pauses == [5, 10, 20]


def test_warnings_name_the_error_and_the_pause(
    pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    retry.retry(failing(OSError("busy")), "a busy server")
    assert "a busy server: OSError('busy'); attempt 2 in 5 s" in caplog.text


def test_five_attempts_fail_with_the_last_error(pauses: list[float]) -> None:
    last = OSError("still busy")
    call = failing(*[OSError("busy")] * 4, last)
    with pytest.raises(InputError, match=r"a server: no valid answer in 5 .*still busy") as caught:
        retry.retry(call, "a server")
    assert caught.value.__cause__ is last
    assert pauses == [5, 10, 20, 40]


def test_an_attempt_has_a_time_limit(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "ATTEMPTS", 2)
    started, end = threading.Semaphore(0), threading.Event()

    def stall() -> None:
        started.release()
        end.wait()

    with pytest.raises(InputError, match=r"a stall: no valid answer in 2 attempts.*0 s"):
        retry.retry(stall, "a stall", limit_s=0.05)
    assert all(started.acquire(timeout=60) for _ in range(2))
    assert not started.acquire(blocking=False)
    end.set()


@pytest.mark.parametrize("error", [TypeError(), FileNotFoundError(), NotADirectoryError()])
@pytest.mark.parametrize("limit_s", [None, 5.0])
def test_other_errors_are_raised_at_once(
    pauses: list[float], error: Exception, limit_s: float | None
) -> None:
    with pytest.raises(type(error)):
        retry.retry(failing(error), "a mistake", limit_s=limit_s)
    assert pauses == []
