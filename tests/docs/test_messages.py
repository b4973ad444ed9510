"""Messages that are read from the code, here from small modules."""

import ast
from pathlib import Path

import pytest
from docs.messages import find_messages
from docs.templates import PLACEHOLDER, Module

BASE = """
class InputError(Exception):
    ...
class OwnError(InputError):
    ...
"""


def texts(source: str, name: str = "heliosynth.part.module") -> list[str]:
    """Return the messages of a module with this source."""
    tree = ast.parse(BASE + source)
    return [message.text for message in find_messages({name: Module(name, Path(), tree)})]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('raise InputError("no frames; add some")', ["no frames; add some"]),
        ('raise OwnError(f"{path}: empty; add rows") from error', ["‹path›: empty; add rows"]),
        ('raise InputError(f"{len(rows)} rows")', ["‹number of rows› rows"]),
        ("raise InputError(f\"{', '.join(missing)} lack\")", ["‹missing› lack"]),
        ('raise InputError(f"bad ({error.strerror})")', ["bad (‹reason›)"]),
        ('raise InputError(f"bad ({str(error)[:200]})")', ["bad (‹reason›)"]),
        ("raise InputError(f\"{n} file{'s' * (n > 1)}\")", ["‹n› file(s)"]),
        ('raise InputError("old" if x else f"new {y}")', ["old", "new ‹y›"]),
        ('LIMIT = 3\nraise InputError(f"at most {LIMIT}")', ["at most 3"]),
        ('TITLES = {"a": 1, "b": 2}\nraise InputError(f"not {\', \'.join(TITLES)}")', ["not a, b"]),
        ('raise InputError(f"row {n + 1} is bad")', ["row ‹n› is bad"]),
        ('raise InputError("two\\nlines  here")', ["two lines here"]),
        ("raise InputError(str(error))", []),
        ('raise KeyError("not for users")', []),
        ('sys.exit(f"error: {path}: broken; mend it")', ["error: ‹path›: broken; mend it"]),
        ('_log.warning("%s: skipped", path)', ["‹path›: skipped"]),
        ('report.leave_out("no time", 3, example)', ["no time"]),
    ],
)
def test_a_message_is_a_template(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_a_message_in_a_variable_has_its_alternatives() -> None:
    source = """
def check(path, empty):
    reason = "no rows" if empty else f"{path.name} rows"
    if path:
        raise InputError(f"{path}: {reason}; rebuild it")
"""
    assert texts(source) == ["‹path›: no rows; rebuild it", "‹path›: ‹path› rows; rebuild it"]


def test_a_message_of_a_function_is_what_it_returns() -> None:
    source = """
def _missing(store) -> str:
    if store:
        return f"{store}: holds nothing; fill it"
    return "no store; name one"

def open(store):
    raise InputError(_missing(store))
"""
    assert texts(source) == ["‹store›: holds nothing; fill it", "no store; name one"]


def test_a_message_in_an_argument_is_what_callers_pass() -> None:
    source = """
def _fail(path, reason):
    raise InputError(f"{path}: {reason}; rebuild it")

def read(path):
    _fail(path, "no header")
    _fail(path, reason="no rows")
"""
    assert texts(source) == ["‹path›: no header; rebuild it", "‹path›: no rows; rebuild it"]


def test_a_message_from_a_mapping_has_its_values() -> None:
    source = """
KINDS = {b"PK": "a zip archive; unpack it", b"BZh": "compressed; decompress it"}
def read(path, content):
    kind = next((kind for head, kind in KINDS.items() if content.startswith(head)), None)
    raise InputError(f"{path}: holds {kind}")
"""
    assert texts(source) == [
        "‹path›: holds a zip archive; unpack it",
        "‹path›: holds compressed; decompress it",
    ]


def test_an_error_that_a_function_returns_is_found() -> None:
    source = """
def _unreadable(path, error) -> InputError:
    return InputError(f"{path}: cannot be read ({error}); fetch it again")
"""
    assert texts(source) == ["‹path›: cannot be read (‹reason›); fetch it again"]


def test_value_errors_are_messages_of_the_configuration_only() -> None:
    source = 'raise ValueError("not an encoder")'
    assert texts(source) == []
    assert texts(source, "heliosynth.config.part") == ["not an encoder"]


def test_placeholders_are_found_in_a_template() -> None:
    assert PLACEHOLDER.sub("_", "‹path›: holds ‹number of rows› rows") == "_: holds _ rows"
