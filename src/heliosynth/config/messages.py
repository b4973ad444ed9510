"""Messages about a wrong configuration: where, which key, what is wrong, what to do."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from heliosynth.config.base import Misread
from heliosynth.config.suggestions import SIMILAR, one_of, similarity
from heliosynth.config.yaml_file import KeyPath

LONGEST_VALUE, LONGEST_PATH, LONGEST_MESSAGE = 80, 120, 200
"""Characters of a value, the path of a key and a message to show in an error."""
DISCRIMINATED = ("labels", "network", "denoiser", "condition")
"""Sections whose kind pydantic adds to the location of an error."""
SAME_SECTION_BONUS = 0.15
"""Added to the similarity of a key in the same section."""
MOST_SUGGESTED = 12
"""Largest number of keys to list where none is similar."""
TEXTS: Mapping[str, str] = {
    "string_type": "should be text",
    "int_type": "should be an integer",
    "int_from_float": "should be an integer",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "date_type": "should be a day (UTC), such as 2012-01-31",
    "date_from_datetime_parsing": "is no day of the calendar; write one as 2012-01-31",
    "list_type": "should be a list; write it in brackets, [first, second]",
    "dict_type": "should be a section with keys below it",
    "model_type": "should be a section with keys below it",
    "model_attributes_type": "should be a section with keys below it",
    "string_pattern_mismatch": "should consist of letters, digits, - and _ and begin with a letter "
    "or digit (pattern {pattern})",
}
"""Messages by pydantic's type of an error, where its own would not help."""


def text_of(error: ErrorDetails, root: type[BaseModel]) -> tuple[KeyPath, str]:
    """Return the key, below pydantic's location, and the message of an error.

    Parameters
    ----------
    error
        Error of pydantic, other than an unknown key.
    root
        The schema of the whole configuration.

    Returns
    -------
    key : tuple of str
        What to append to the location of the error: the key that a section lacks.
    message : str
        What is wrong, and what to do.
    """
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    if isinstance(value, Misread):
        return (), value.message + input_text(value.value)
    if kind == "missing":
        return (), "missing; add this key to the configuration"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        key = context["discriminator"].strip("'")
        tags = _tags(root, [str(part) for part in error["loc"]], key)
        if kind == "union_tag_not_found":
            return (key,), f"missing; set it to {_either(tags)}"
        return (key,), one_of(context["tag"], tags) + input_text(context["tag"])
    if kind == "literal_error":
        return (), one_of(value, re.findall(r"'([^']*)'", context["expected"])) + input_text(value)
    message = TEXTS.get(kind, "").format(**context)
    if not message:
        message = re.sub(r"^(Input|List|String|Dictionary|Value error,) ", "", error["msg"])
    return (), shortened(message, LONGEST_MESSAGE) + input_text(value)


def input_text(value: Any) -> str:
    """Return a value to append to a message; nothing for sections, which are too long."""
    if isinstance(value, BaseModel | Mapping):
        return ""
    return f" (got: {shortened(repr(value), LONGEST_VALUE)})"


def shortened(text: str, longest: int) -> str:
    """Cut a text to at most ``longest`` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def unknown_key(location: Sequence[str], path: KeyPath, root: type[BaseModel]) -> str:
    """Return the message about an unknown key, with where it belongs or what it may be.

    Parameters
    ----------
    location
        Location of the key as pydantic names it, with the kinds of sections.
    path
        The key as the user wrote it.
    root
        The schema of the whole configuration.
    """
    *parents, leaf = path
    section = _section_at(root, location[:-1])
    siblings = [*(section.model_fields if section else ()), *_other_keys(path)]
    candidates = {
        candidate: similarity(leaf, candidate[-1])
        for candidate in _keys_elsewhere(root, location, path)
    }
    for name in siblings:
        likeness = similarity(leaf, name)
        candidates[(*parents, name)] = likeness + (SAME_SECTION_BONUS if likeness >= SIMILAR else 0)
    candidates.pop(tuple(path), None)
    best = max(candidates, key=lambda candidate: candidates[candidate], default=None)
    if best is not None and candidates[best] >= SIMILAR:
        return f"unknown key; did you mean {'.'.join(best)}?"
    title = ".".join(parents) or "the configuration"
    if kind := _kind_of(section):
        title += f" of kind {kind}"
    listed = ", ".join(siblings[:MOST_SUGGESTED]) + (", …" if siblings[MOST_SUGGESTED:] else "")
    return f"unknown key; remove it, or use one of {title}: {listed}"


def _other_keys(path: KeyPath) -> tuple[str, ...]:
    """Return the keys next to a key that the schema lacks, since they stand for others."""
    if len(path) == 1:
        return ("defaults",)
    return ("preset",) if len(path) == 3 and path[0] in ("models", "defaults") else ()


def schema_paths(annotation: Any, parents: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every key of a schema, with ``*`` for names that are free."""
    for path, _ in _fields(annotation, parents):
        yield path


def nullable_paths(root: type[BaseModel]) -> dict[KeyPath, bool]:
    """Return for every key of a schema whether null is one of its values."""
    nullable: dict[KeyPath, bool] = {}
    for path, annotation in _fields(root, ()):
        accepts = type(None) in typing.get_args(annotation)
        nullable[path] = nullable.get(path, False) or accepts
    return nullable


def _fields(annotation: Any, parents: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if _is_section(annotation):
        for name, field in annotation.model_fields.items():
            yield (*parents, name), field.annotation
            yield from _fields(field.annotation, (*parents, name))
        return
    inside = (*parents, "*") if typing.get_origin(annotation) is dict else parents
    for argument in typing.get_args(annotation):
        yield from _fields(argument, inside)


def _keys_elsewhere(
    root: type[BaseModel], location: Sequence[str], path: KeyPath
) -> Iterator[KeyPath]:
    """Yield the keys of a schema as they are written: of models in this row, or in `defaults`."""
    in_row = location[0] == "models" and len(location) > 2
    for section in _flat(typing.get_args(root.model_fields["models"].annotation)[1:]):
        kind = _kind_of(section) if _is_section(section) else None
        if kind is not None and (not in_row or kind == location[2]):
            yield from schema_paths(section, path[:2] if in_row else ("defaults", kind))
    for pattern in schema_paths(root):
        if pattern[:2] != ("models", "*"):
            yield pattern


def _section_at(root: type[BaseModel], location: Sequence[str]) -> type[BaseModel] | None:
    """Return the section at a location of pydantic, whose kinds are part of it."""
    options: list[Any] = [root]
    for part in location:
        sections = [option for option in options if _is_section(option)]
        tagged = [option for option in sections if part in _literals(option)]
        if len(sections) > 1 and tagged:
            options = tagged
            continue
        found = [s.model_fields[part].annotation for s in sections if part in s.model_fields]
        found += [typing.get_args(o)[1] for o in options if typing.get_origin(o) is dict]
        options = [inner for annotation in found for inner in _flat(annotation)]
    sections = [option for option in options if _is_section(option)]
    return sections[0] if len(sections) == 1 else None


def _tags(root: type[BaseModel], location: Sequence[str], key: str) -> list[str]:
    """Return the values of the key that decides on the kind of a section."""
    parent = _section_at(root, location[:-1])
    if parent is None or location[-1] not in parent.model_fields:
        annotation = root.model_fields[location[0]].annotation
    else:
        annotation = parent.model_fields[location[-1]].annotation
    return [
        tag
        for option in _flat(annotation)
        for section in ([option] if _is_section(option) else _flat(typing.get_args(option)[1:]))
        if _is_section(section) and key in section.model_fields
        for tag in typing.get_args(section.model_fields[key].annotation)
    ]


def _flat(annotation: Any) -> list[Any]:
    """Return the alternatives of an annotation."""
    if isinstance(annotation, tuple):
        return [inner for item in annotation for inner in _flat(item)]
    if _is_section(annotation) or typing.get_origin(annotation) in (dict, list, Literal):
        return [annotation]
    arguments = typing.get_args(annotation)
    return [inner for item in arguments for inner in _flat(item)] if arguments else [annotation]


def _literals(section: type[BaseModel]) -> set[str]:
    return {
        value
        for field in section.model_fields.values()
        if typing.get_origin(field.annotation) is Literal
        for value in typing.get_args(field.annotation)
    }


def _kind_of(section: type[BaseModel] | None) -> str | None:
    field = section.model_fields.get("kind") if section else None
    return typing.get_args(field.annotation)[0] if field else None


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _either(choices: Sequence[str]) -> str:
    return " or ".join(choices)
