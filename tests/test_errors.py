"""A script ends on a mistake of the user with one line, on a mistake of ours with a traceback."""

import pytest

from heliosynth.errors import InputError, one_line_errors


def test_an_input_error_becomes_one_line_and_a_failing_exit() -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise InputError("flares.csv: no such file; run `make paper`")

    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == "error: flares.csv: no such file; run `make paper`"


def test_other_errors_pass_through() -> None:
    @one_line_errors
    def main(argv: object = None) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        main([])
