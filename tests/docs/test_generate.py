"""The page of all errors is that of the code, and each error says what to do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.generate import ERRORS as KINDS
from docs.generate import ORDER, PAGE, ROOT, SETTINGS, page, split
from docs.messages import Message, read_messages

from heliosynth.config.schema import RunConfig

pytestmark = pytest.mark.xdist_group("documentation")

MESSAGES = read_messages()
ERRORS = [message for message in MESSAGES if message.kind in KINDS]

WITHOUT_REMEDY = {
    "internal error in": "a defect; heliosynth.workflow.terminal adds the log to read",
    "‹label›: interrupted": "the user did it, and the run ends with how to continue",
}
"""Beginnings of messages without a remedy, and why they have none."""


def test_the_page_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/troubleshooting.md: run `make docs`"


def test_every_package_has_its_place_in_the_page() -> None:
    assert set(ORDER) == {path.parent.name for path in (ROOT / "src").glob("*/*/__init__.py")}


def test_every_error_says_what_to_do() -> None:
    silent = [
        f"{message.module}, line {message.line}: {message.text}"
        for message in ERRORS
        if not split(message)[1] and not is_excepted(message)
    ]
    assert silent == [], "add `; ` and what to do"


def test_every_exception_is_still_needed() -> None:
    beginnings = [message.text.removeprefix("error: ") for message in ERRORS]
    unused = [b for b in WITHOUT_REMEDY if not any(text.startswith(b) for text in beginnings)]
    assert unused == []


def is_excepted(message: Message) -> bool:
    return message.text.removeprefix("error: ").startswith(tuple(WITHOUT_REMEDY))


def test_errors_are_one_line() -> None:
    assert [message.text for message in MESSAGES if "\n" in message.text] == []


def test_rules_raise_no_errors_of_their_own() -> None:
    """The page is made from Python files; the Snakefile only prints what those raise."""
    for path in (ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        raised = re.findall(r"\braise\b.*|sys\.exit\(.*", text)
        assert set(raised) <= {'sys.exit(f"error: {error}")'}, path


def keywords(node: Any) -> Iterator[str]:
    """Yield what a JSON schema checks: its keywords, types and formats."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{key}={value}" if key in ("type", "format") else key
            yield from keywords(value)
    elif isinstance(node, list):
        for value in node:
            yield from keywords(value)


def test_every_check_of_the_schema_is_explained() -> None:
    checked = {
        "additionalProperties",
        "const",
        "discriminator",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "uniqueItems",
    }
    explained = {keyword for keyword, _, _ in SETTINGS.values()}
    # A constant is a choice of one value; sections with too few keys are lists that are too short.
    explained |= {"const", "minProperties", "type=null"}
    schema = set(keywords(RunConfig.model_json_schema()))
    used = {word for word in schema if word in checked or "=" in word}
    assert used - explained == set()
    assert explained - {"type=null"} <= used


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
def test_the_page_is_linked(path: Path) -> None:
    assert "docs/troubleshooting.md" in path.read_text(encoding="utf-8")
