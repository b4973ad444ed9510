"""Write ``docs/troubleshooting.md`` from the messages of the code: ``python -m docs.generate``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic_core import ErrorDetails, PydanticKnownError

from docs.messages import Message, read_messages
from docs.templates import PACKAGE, PLACEHOLDER, ROOT, Module, read_modules
from heliosynth.config.messages import text_of
from heliosynth.config.schema import RunConfig

PAGE = ROOT / "docs" / "troubleshooting.md"
ORDER = (
    "config",
    "sources",
    "catalogue",
    "frames",
    "dataset",
    "models",
    "diffusion",
    "training",
    "sampling",
    "evaluation",
    "results",
    "figures",
    "paper",
    "io",
    "jobs",
    "workflow",
)
"""Packages in the order of the data, then those that all of them use."""
ERRORS = ("error", "configuration", "setting")
"""Kinds of messages that end a run."""
IMPERATIVES = "add|choose|correct|lower|make|name|put|raise|remove|set|use|widen"
"""Verbs that begin what to do behind a colon; behind a semicolon it may begin with any."""
REQUIRED = re.compile(r"\b(should|must)\b")
"""How a message says which values a setting may have."""
OTHER = "General"
"""Heading of the modules that are in no package."""

LOCATION = ("dataset", "labels")
"""A section of several kinds, as an example."""
SETTINGS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "missing": ("required", {}, "add the key"),
    "extra_forbidden": (
        "additionalProperties",
        {},
        "correct the key; the message names a known one",
    ),
    "int_type": ("type=integer", {}, "write a whole number"),
    "float_type": ("type=number", {}, "write a number"),
    "finite_number": ("type=number", {}, "write a number other than infinity and nan"),
    "string_type": ("type=string", {}, "write text, in quotes if YAML takes it for something else"),
    "bool_type": ("type=boolean", {}, "write `true` or `false`"),
    "list_type": ("type=array", {}, "write a list, `[…]`"),
    "dict_type": ("type=object", {}, "write a section: keys with values"),
    "model_type": ("type=object", {"class_name": "‹section›"}, "write a section: keys with values"),
    "date_type": ("format=date", {}, "write a date as 2012-01-31"),
    "literal_error": ("enum", {"expected": "'‹values›'"}, "choose one of the values"),
    "greater_than": ("exclusiveMinimum", {"gt": "‹bound›"}, "raise the value"),
    "greater_than_equal": ("minimum", {"ge": "‹bound›"}, "raise the value"),
    "less_than": ("exclusiveMaximum", {"lt": "‹bound›"}, "lower the value"),
    "less_than_equal": ("maximum", {"le": "‹bound›"}, "lower the value"),
    "too_short": (
        "minItems",
        {"field_type": "‹List or Dictionary›", "min_length": 1, "actual_length": 0},
        "add a value",
    ),
    "too_long": (
        "maxItems",
        {"field_type": "‹List or Dictionary›", "max_length": 9, "actual_length": 10},
        "remove values",
    ),
    "multiple_of": ("multipleOf", {"multiple_of": "‹number›"}, "choose a multiple of it"),
    "string_pattern_mismatch": (
        "pattern",
        {"pattern": "‹pattern›"},
        "use letters, digits, `_` and `-`, beginning with a letter or digit",
    ),
    "string_too_long": ("maxLength", {"max_length": 100}, "shorten it"),
    "union_tag_invalid": (
        "discriminator",
        {"discriminator": "rule", "tag": "‹value›", "expected_tags": "‹kinds›"},
        "choose one of the kinds",
    ),
    "union_tag_not_found": ("discriminator", {"discriminator": "rule"}, "add the key"),
}
"""What pydantic finds: the part of the schema that it follows from, values, and what to do."""

SNAKEMAKE = (
    (
        "Error: Directory cannot be locked",
        "another Snakemake runs here, or one was killed: when none runs, "
        "`snakemake --cores 2 --unlock`",
    ),
    (
        "Target rules may not contain wildcards / unrecognized arguments",
        "put the names of products behind `--`: "
        "`snakemake --cores 2 -- results/quickstart/dataset/summary.json`",
    ),
    (
        "MissingRuleException: No rule to produce",
        "correct the name of the product; the run is part of it, `results/<run>/…`",
    ),
)
"""Messages of Snakemake itself that people meet, and what to do."""

HEAD = """# Troubleshooting

Every message of this version, and what to do. `python -m docs.generate` writes this page from the
code (`make docs`); a test compares both. To find a message, search this page for its words: ‹…›
stands for a value. The last line of a run says why it failed; the log of the job that it names has
the traceback. After you have corrected the cause, run the same command again: what was finished is
kept. "Rebuild it" means: delete the named file and run the same command again.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the text of ``docs/troubleshooting.md``."""
    modules, messages = read_modules(), read_messages()
    errors = [m for m in messages if m.kind in ERRORS and not _is_composed(m)]
    parts = [HEAD, _configuration_types()]
    for package in (*ORDER, ""):
        parts += _package(package, modules, errors)
    parts.append("## Installation\n\n" + _table(_of_shell()))
    parts.append("## Snakemake\n\n" + _table(SNAKEMAKE))
    parts.append(
        "## Warnings\n\nThe run goes on. They are in the log of the job.\n\n"
        + _listing(modules, [m for m in messages if m.kind == "warning"])
    )
    if left_out := [m for m in messages if m.kind == "left out"]:
        parts.append(
            "## Left out, and counted\n\nThe run goes on without these rows, files or frames. The "
            "log and `dataset/summary.json` have their number and an example.\n\n"
            + _listing(modules, left_out)
        )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def split(message: Message) -> tuple[str, str]:
    """Return what is wrong, as the user sees it, and what to do, which may be missing."""
    wrong, todo = split_text(_shown(message))
    if not todo and message.kind != "error" and REQUIRED.search(wrong):
        return wrong, "set it so"
    return wrong, todo


def split_text(text: str) -> tuple[str, str]:
    """Split a text into what is wrong and what to do, which may be missing."""
    match = re.search(rf"; |: (?=(?:{IMPERATIVES})\b)", text)
    return (text[: match.start()], text[match.end() :]) if match else (text, "")


def package_of(module: str) -> str:
    """Return the package of a module, empty for those that are in none."""
    parts = module.split(".")
    return parts[1] if module.startswith(f"{PACKAGE}.") and parts[1] in ORDER else ""


def _package(
    package: str, modules: Mapping[str, Module], messages: Iterable[Message]
) -> Iterator[str]:
    inside = [m for m in messages if package_of(m.module) == package]
    if not inside:
        return
    name = f"{PACKAGE}.{package}"
    yield f"## {modules[name].docstring}" if package else f"## {OTHER}"
    for module in dict.fromkeys(m.module for m in inside):
        title = modules[module].docstring
        rows = [split(m) for m in inside if m.module == module]
        yield f"### {title} (`{module}`)\n\n" + _table(rows)


def _is_composed(message: Message) -> bool:
    """Return whether what is wrong is another message, which is listed itself."""
    wrong, _ = split_text(message.text)
    return message.kind == "error" and not re.search(r"\w", PLACEHOLDER.sub("", wrong))


def _shown(message: Message) -> str:
    """Return a message as the user sees it; pydantic puts the key in front of some."""
    if message.kind == "configuration" and not re.match(r"^[\w.‹›]+:", message.text):
        return f"‹key›: {message.text}"
    return message.text.removeprefix("error: ")


def _configuration_types() -> str:
    rows = [
        (f"‹key›: {_checked(kind, values)}", todo)
        for kind, (_, values, todo) in SETTINGS.items()
        if kind not in ("missing", "extra_forbidden")
    ]
    return "## Values of the configuration\n\n" + _table(rows)


def _checked(kind: str, values: dict[str, Any]) -> str:
    """Return the message about a value that pydantic rejects."""
    example = {"type": kind, "ctx": values, "loc": LOCATION, "input": "‹value›"}
    text = PydanticKnownError(kind, values).message()  # type: ignore[arg-type]
    _, message = text_of(cast(ErrorDetails, {**example, "msg": text}), RunConfig)
    return re.sub(r"'(‹[^›]*›)'", r"\1", message)


def _of_shell() -> list[tuple[str, str]]:
    """Return the errors of the Makefile and of the scripts that it runs."""
    rows = []
    for path in (ROOT / "Makefile", *sorted((ROOT / "envs").glob("*.sh"))):
        text = re.sub(r'" \\\n\s*"', " ", path.read_text(encoding="utf-8"))
        for match in re.finditer(r'"error: (.+?)"(?: >&2|\))', text):
            shown = re.sub(r'" \+ .*? \+ "', " ‹version›", match[1])
            shown = re.sub(r"\$\{?(\w+)(\[\*\])?\}?", r"‹\1›", shown)
            rows.append(split_text(shown))
    return rows


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = ["| message | what to do |", "|---|---|"]
    lines += [f"| {_code(wrong)} | {_text(todo)} |" for wrong, todo in dict.fromkeys(rows)]
    return "\n".join(lines) + "\n"


def _listing(modules: Mapping[str, Module], messages: Iterable[Message]) -> str:
    lines = ["| where | message |", "|---|---|"]
    lines += [f"| {_text(modules[m.module].docstring)} | {_code(m.text)} |" for m in messages]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Return text as a code span in a cell of a table."""
    fence = "``" if "`" in text else "`"
    space = " " if "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{_bars(text)}{space}{fence}"


def _text(text: str) -> str:
    """Return text for a cell of a table; Markdown must change nothing but its code spans."""
    parts = _bars(text).split("`")
    parts[::2] = [re.sub(r"([*<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _bars(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    main()
