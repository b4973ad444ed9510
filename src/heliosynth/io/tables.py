"""CSV tables with a schema, checked when written and when read.

Rows are counted from 1, without the header, in all messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pandera.pandas as pa

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

TIME: Literal["datetime64[s]"] = "datetime64[s]"

LONGEST_REASON = 200
LONGEST_VALUE = 60
"""Characters to show of a reason and of a value."""
MOST_NAMES = 3
"""Columns or files to name in one message."""

MEANINGS = {
    "datetime": "a time (ISO 8601)",
    "float": "a number",
    "int": "an integer",
    "bool": "True or False",
}
"""Types of columns, in words."""


def table_schema(columns: dict[str, pa.Column], **rules: Any) -> pa.DataFrameSchema:
    """Return the schema of a table with exactly these columns, in this order."""
    return pa.DataFrameSchema(columns, strict=True, ordered=True, **rules)


def write(
    path: Path | str,
    content: pd.DataFrame,
    schema: pa.DataFrameSchema,
    sources: Sequence[Path | str] = (),
) -> None:
    """Check a table against its schema, and write it atomically.

    Parameters
    ----------
    path
        The file to write.
    content, schema
        The table and its schema.
    sources
        The input files that the values come from, if bad input can break the schema.

    Raises
    ------
    InputError
        If the table breaks its schema and there are sources, which the message names.
    pandera.errors.SchemaError
        If the table breaks its schema and there are none: a bug of this program.
    """
    if sources:
        _validate(content, schema, _listed([str(path) for path in sources]), "correct the input")
    else:
        schema.validate(content)
    with atomic_file(path) as unfinished:
        content.to_csv(unfinished, index=False, date_format="%Y-%m-%dT%H:%M:%S")


def read(path: Path | str, schema: pa.DataFrameSchema, allow_empty: bool = False) -> pd.DataFrame:
    """Read a table: empty strings stay strings, times are whole seconds UTC.

    Parameters
    ----------
    path
        CSV file.
    schema
        Its columns and their types.
    allow_empty
        Whether it can have no rows.

    Raises
    ------
    InputError
        If the file cannot be read or breaks its schema. Names the file, and the column, the
        value and the row of the first fault.
    """
    content = _parse(path, schema)
    if content.empty and not allow_empty:
        raise InputError(f"{path}: no rows below the header; rebuild it")
    return _validate(content, schema, str(path), "rebuild it")


def _parse(path: Path | str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a CSV file with the column types of a schema."""
    kinds = {name: str(column.dtype) for name, column in schema.columns.items()}
    texts = [name for name, kind in kinds.items() if kind.startswith(("str", "datetime"))]
    try:
        content: pd.DataFrame = pd.read_csv(path, dtype=dict.fromkeys(texts, str))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise InputError(f"{path}: cannot be read as CSV ({reason}); rebuild it") from error
    _check_shape(path, content, list(kinds))
    for name, kind in kinds.items():
        try:
            content[name] = _convert(content[name], kind)
        except (ValueError, TypeError, OverflowError) as error:
            fault = _misfit(content[name], kind)
            raise InputError(f"{path}: column {name}: {fault}; rebuild it") from error
    return content


def _check_shape(path: Path | str, content: pd.DataFrame, expected: list[str]) -> None:
    columns = [str(name) for name in content]
    missing = [name for name in expected if name not in columns]
    unknown = [name for name in columns if name not in expected]
    if missing or unknown:
        faults = [f"no column {_listed(missing)}"] if missing else []
        faults += [f"unknown column {_listed(map(_shortened, unknown))}"] if unknown else []
        raise InputError(f"{path}: {' and '.join(faults)}; rebuild it")
    if columns != expected:
        raise InputError(f"{path}: columns in the wrong order; rebuild it")
    # pandas takes additional values of all rows as an index.
    if not isinstance(content.index, pd.RangeIndex):
        raise InputError(f"{path}: rows have more values than the header has columns; rebuild it")


def _convert(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    if kind.startswith("str"):
        return values.fillna("")
    if kind.startswith("datetime"):
        return pd.to_datetime(values, format="ISO8601").astype(TIME)
    if kind.startswith("float"):
        # pandas reads a column without any value as another type.
        return values.astype(np.float64)
    if values.empty:
        return values.astype(np.dtype(kind))
    if str(values.dtype) != kind:
        raise TypeError(f"{values.dtype}, not {kind}")
    return values


def _misfit(values: pd.Series[Any], kind: str) -> str:
    """Describe the first value that does not have a type."""
    if kind.startswith("datetime"):
        parsed = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
        bad = parsed.isna() & values.notna()
    elif kind.startswith("bool"):
        bad = ~values.astype(str).isin(["True", "False"])
    else:
        numbers = pd.to_numeric(values, errors="coerce")
        is_integer = kind.startswith("int")
        bad = ~(numbers % 1 == 0) if is_integer else numbers.isna() & values.notna()
    meaning = next((text for name, text in MEANINGS.items() if kind.startswith(name)), kind)
    if not bad.any():
        return f"holds {values.dtype}, not {kind}"
    row = int(np.argmax(bad.to_numpy()))
    return f"{_shown(values.iloc[row])} in row {row + 1} is not {meaning}"


def _validate(
    content: pd.DataFrame, schema: pa.DataFrameSchema, source: str, remedy: str
) -> pd.DataFrame:
    """Return a table that fits its schema, else raise InputError."""
    try:
        return schema.validate(content)
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as error:
        raise InputError(f"{source}: {_first_fault(content, error)}; {remedy}") from error


def _first_fault(
    content: pd.DataFrame, error: pa.errors.SchemaError | pa.errors.SchemaErrors
) -> str:
    """Describe the first fault of a table in one line: its column, value and row."""
    if isinstance(error, pa.errors.SchemaErrors):
        error = error.schema_errors[0]
    code, name = pa.errors.SchemaErrorReason, getattr(error.schema, "name", None)
    if error.reason_code == code.SERIES_CONTAINS_DUPLICATES:
        return _repeat(content, [str(name)])
    if error.reason_code == code.DUPLICATES:
        return _repeat(content, list(error.schema.unique))
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or not len(cases):
        return " ".join(str(error).split())[:LONGEST_REASON]
    position = int(np.flatnonzero(content.index == cases["index"].iloc[0])[0])
    if error.reason_code == code.SERIES_CONTAINS_NULLS:
        return f"column {name}: no value in row {position + 1}"
    rule = getattr(error.check, "error", None) or str(error.check)
    if not isinstance(error.schema, pa.Column):
        return f"row {position + 1}: {rule}"
    value = _shown(content[name].iloc[position])
    return f"column {name}: {value} in row {position + 1} is not allowed, must be {rule}"


def _repeat(content: pd.DataFrame, columns: list[str]) -> str:
    row = int(np.argmax(content.duplicated(columns).to_numpy()))
    values = ", ".join(_shown(content[name].iloc[row]) for name in columns)
    return f"column {', '.join(columns)}: {values} in row {row + 1} is repeated, must be unique"


def _shown(value: Any) -> str:
    """Return a value as messages show it."""
    if pd.isna(value):
        return "an empty cell"
    return _shortened(repr(value) if isinstance(value, str) else str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - MOST_NAMES
    return ", ".join(listed[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
