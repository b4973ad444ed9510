"""CSV tables checked against a schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

TIME = "datetime64[s]"


def table_schema(columns: dict[str, pa.Column], **rules: Any) -> pa.DataFrameSchema:
    """Make the schema of a table that has these columns, in this order, and no others."""
    return pa.DataFrameSchema(columns, strict=True, ordered=True, **rules)


def write(path: Path | str, content: pd.DataFrame, schema: pa.DataFrameSchema) -> None:
    """Write a table whole, after checking it."""
    schema.validate(content)
    with atomic_file(path) as unfinished:
        content.to_csv(unfinished, index=False, date_format="%Y-%m-%dT%H:%M:%S")


def read(path: Path | str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a table: empty texts stay texts, times are whole seconds UTC.

    Raises
    ------
    InputError
        If the file cannot be read or breaks its schema; says where.
    """
    try:
        return schema.validate(_typed(path, schema))
    except (OSError, ValueError, pa.errors.SchemaError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: cannot be read as its table ({reason}); build it again"
        ) from None


def _typed(path: Path | str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    kinds = {name: str(column.dtype) for name, column in schema.columns.items()}
    texts = [name for name, kind in kinds.items() if kind.startswith("str")]
    content: pd.DataFrame = pd.read_csv(path, dtype=dict.fromkeys(texts, str))
    found = [str(name) for name in content]
    if found != list(kinds):
        differ = sorted(set(found) ^ set(kinds)) or found
        raise ValueError(f"wrong columns: {', '.join(differ)}")
    for name, kind in kinds.items():
        if name in texts:
            content[name] = content[name].fillna("")
        elif kind.startswith("datetime"):
            content[name] = pd.to_datetime(content[name], format="ISO8601").astype(TIME)
        elif kind.startswith("float"):
            # A column without a single value has no type of its own.
            content[name] = content[name].astype(np.float64)
    return content
