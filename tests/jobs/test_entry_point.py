"""A script ends with one line; the traceback precedes that of an internal error."""

from collections.abc import Callable

import pytest

from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.jobs.entry_point import TIME_UP_STATUS, TRACEBACK_VARIABLE, one_line_errors

Script = Callable[..., None]


def script(error: BaseException, cause: BaseException | None = None) -> Script:
    """Return a script that fails with an error."""

    @one_line_errors
    def main(argv: object = None) -> None:
        raise error from cause

    return main


def exit_code(main: Script) -> object:
    with pytest.raises(SystemExit) as caught:
        main([])
    return caught.value.code


@pytest.fixture(autouse=True)
def no_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACEBACK_VARIABLE, raising=False)


def test_an_input_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("flares.csv: not found; run `make paper`")
    assert exit_code(script(error)) == "error: flares.csv: not found; run `make paper`"
    assert capsys.readouterr().err == ""


def test_the_traceback_with_its_cause_is_printed_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRACEBACK_VARIABLE, "1")
    main = script(InputError("flares.csv: not a table"), ValueError("line 3"))
    assert exit_code(main) == "error: flares.csv: not a table"
    printed = capsys.readouterr().err
    assert printed.index("ValueError: line 3") < printed.index("InputError: flares.csv")


def test_time_that_is_up_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(script(OutOfTimeError("time is up"))) == TIME_UP_STATUS == 75
    assert capsys.readouterr().err == "time is up\n"


def test_an_interrupt_is_one_word_and_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(script(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_internal_error_has_a_traceback_then_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = exit_code(script(TypeError("unsupported:\n'int' and 'str'")))
    assert code == (
        "error: internal error in test_entry_point.py: TypeError: unsupported: 'int' and 'str'"
    )
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")
