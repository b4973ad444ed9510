"""Base class and field types of all configuration sections."""

from __future__ import annotations

import datetime
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0, lt=2**31)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
"""A name that is safe in file names, wildcards and commands."""

SCALARS = (bool, int, float, str, datetime.date)
"""Types of single values in the configuration."""
WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)", re.ASCII)
NUMBER = re.compile(r"[-+]?([0-9]+(_[0-9]+)*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+", re.ASCII)
"""A number that is octal in YAML 1.1 and decimal in YAML 1.2."""
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ]00:00(:00(\.0*)?)?(Z|\+00:00)?)?", re.ASCII)
"""A day in ISO 8601, also as its midnight."""


@dataclass(frozen=True)
class Misread:
    """A value that cannot be meant as any type of its setting, which pydantic then rejects."""

    value: Any
    message: str


class Section(BaseModel):
    """A section of the configuration: frozen; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # Of the section rather than of each field, which pydantic forbids for those named `kind`.
    @model_validator(mode="before")
    @classmethod
    def _coerce(cls, section: Any) -> Any:
        if not isinstance(section, Mapping):
            return section
        return {key: cls._coerced(key, value) for key, value in section.items()}

    @classmethod
    def _coerced(cls, key: Any, value: Any) -> Any:
        if key not in cls.model_fields:
            return value
        kinds = scalar_types(cls.model_fields[key].annotation)
        items = value if isinstance(value, list) else [value]
        try:
            read = [item if isinstance(item, list) else coerced(item, kinds) for item in items]
        except ValueError as error:
            return Misread(value, str(error))
        return read if isinstance(value, list) else read[0]


def scalar_types(annotation: Any) -> frozenset[type]:
    """Return the types of :data:`SCALARS` that an annotation accepts, also as items of a list."""
    if annotation in SCALARS:
        return frozenset([annotation])
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return frozenset(map(type, arguments))
    if typing.get_origin(annotation) is dict:
        return frozenset()
    return frozenset().union(*map(scalar_types, arguments))


def coerced(value: Any, kinds: frozenset[type]) -> Any:
    """Convert a value as it was written to one of the types that a setting accepts.

    YAML and command lines do not write types: a name can look like a number, a number can be in
    quotes or without the point that YAML 1.1 asks for. Whatever has two readings is an error.

    Raises
    ------
    ValueError
        If the value cannot be meant as one of the types, with what to write instead.
    """
    if not kinds or not isinstance(value, SCALARS) or type(value) in kinds:
        return value
    if isinstance(value, bool):
        raise ValueError(f"is read as true or false, not as {_title(kinds)}; {_remedy(kinds)}")
    if isinstance(value, int | float):
        return _from_number(value, kinds)
    if isinstance(value, datetime.date):
        return _from_date(value, kinds)
    return _from_text(value, kinds)


def _from_number(value: float, kinds: frozenset[type]) -> Any:
    if kinds & {int, float, bool}:
        return value
    if str in kinds and isinstance(value, int):
        return str(value)
    if str in kinds:
        raise ValueError("is read as a number, not as text; put it in quotes")
    raise ValueError(f"should be {_title(kinds)}; {_remedy(kinds)}")


def _from_date(value: datetime.date, kinds: frozenset[type]) -> Any:
    if datetime.date in kinds:
        return _finite_date(value)
    if str in kinds:
        return value.isoformat()
    raise ValueError(f"is read as a date, not as {_title(kinds)}; {_remedy(kinds)}")


def _finite_date(value: datetime.date) -> datetime.date:
    """Return the day of a date or of a midnight in UTC."""
    if not isinstance(value, datetime.datetime):
        return value
    if value.utcoffset() or value.time() != datetime.time():
        raise ValueError("should be a day (UTC) without a time; write it as 2012-01-31")
    return value.date()


def _from_text(value: str, kinds: frozenset[type]) -> Any:
    text = value.strip()
    if kinds & {int, float}:
        if LEADING_ZERO.fullmatch(text):
            raise ValueError("has leading zeros, which YAML reads as octal; write it without them")
        if WHOLE_NUMBER.fullmatch(text):
            return int(text)
        if NUMBER.fullmatch(text):
            return float(text)
        raise ValueError(f"should be {_title(kinds)}; {_remedy(kinds)}")
    if datetime.date in kinds:
        match = DAY.fullmatch(text)
        if match is None:
            raise ValueError("should be a day (UTC); write it as 2012-01-31")
        return match.group(1)
    return value


def _title(kinds: frozenset[type]) -> str:
    names = {int: "an integer", float: "a number", str: "text", datetime.date: "a day (UTC)"}
    kind = next((kind for kind in (float, int, datetime.date, str) if kind in kinds), None)
    return names.get(kind, "true or false")  # type: ignore[arg-type]


def _remedy(kinds: frozenset[type]) -> str:
    if kinds & {int, float}:
        return "write it in decimal digits"
    if datetime.date in kinds:
        return "write it as 2012-01-31"
    return "put it in quotes" if str in kinds else "write true or false"
