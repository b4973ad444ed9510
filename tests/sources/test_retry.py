import time
from types import SimpleNamespace

import pytest

from heliosynth.errors import InputError
from heliosynth.sources import retry


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=slept.append))
    return slept


def test_pauses_grow_until_there_is_an_answer(pauses: list[float]) -> None:
    answers = iter([OSError("busy"), OSError("busy"), OSError("busy"), "good"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert retry.retry(ask, "a busy server") == "good"
    assert pauses == [5, 10, 20]


def test_patience_has_a_limit(pauses: list[float]) -> None:
    asked = []

    def stall() -> None:
        asked.append(1)
        time.sleep(30)

    with pytest.raises(InputError, match=r"a stall: no good answer in 2 attempts.*0 s"):
        retry.retry(stall, "a stall", limit_s=0.05, attempts=2)
    assert len(asked) == 2


def test_a_mistake_is_not_repeated(pauses: list[float]) -> None:
    asked = []

    def mistake() -> None:
        asked.append(1)
        raise TypeError

    with pytest.raises(TypeError):
        retry.retry(mistake, "a mistake", limit_s=5)
    assert len(asked) == 1
