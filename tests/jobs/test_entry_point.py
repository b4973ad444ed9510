"""A script ends on what a user can mend with one line, on a mistake of ours with a traceback."""

import pytest

from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.jobs.entry_point import TIME_UP_STATUS, one_line_errors


def test_an_input_error_becomes_one_line_and_a_failing_exit() -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise InputError("flares.csv: no such file; run `make paper`")

    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == "error: flares.csv: no such file; run `make paper`"


def test_time_that_is_up_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise OutOfTimeError("time is up; submit again")

    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == TIME_UP_STATUS == 75
    assert capsys.readouterr().err == "time is up; submit again\n"


def test_an_interrupt_is_one_word_and_the_status_that_shells_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_pass_through() -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        main([])
