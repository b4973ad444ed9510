"""The tables that rooms hand to each other, as CSV checked against a schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.errors import InputError
from heliosynth.provenance import whole_file

TIME = "datetime64[s]"
LETTERS = [*goes_class.NAMES, ""]


def table(columns: dict[str, pa.Column], **rules: Any) -> pa.DataFrameSchema:
    """Make the schema of a table that has these columns, in this order, and no others."""
    return pa.DataFrameSchema(columns, strict=True, ordered=True, **rules)


FRAME_COLUMNS = {
    "time": pa.Column(TIME),
    "year": pa.Column(np.int64),
    "store_row": pa.Column(np.int64, pa.Check.ge(0)),
    "exposure_s": pa.Column(np.float64, nullable=True),
    "quality": pa.Column(np.int64),
}
FRAMES = table(FRAME_COLUMNS, unique=["year", "store_row"])
"""``frames_<year>.csv``: the header of every frame that has a time."""

FLARES = table(
    {
        "start": pa.Column(TIME, nullable=True),
        "peak": pa.Column(TIME),
        "end": pa.Column(TIME, nullable=True),
        "goes_class_label": pa.Column(str, pa.Check.str_matches(r"^[ABCMX]\d*\.?\d*$")),
        "peak_flux": pa.Column(np.float64, pa.Check.in_range(1e-10, 1e-1)),
        "active_region": pa.Column(np.int64, pa.Check.ge(0)),
        "hpc_x": pa.Column(np.float64, nullable=True),
        "hpc_y": pa.Column(np.float64, nullable=True),
        "identifier": pa.Column(str, unique=True),
    }
)
"""``flares.csv``: every flare once; see :func:`heliosynth.sources.hek.read_flares`."""

LABEL_COLUMNS = {
    **FRAME_COLUMNS,
    "goes_class": pa.Column(str, pa.Check.isin(LETTERS)),
    "log10_flux": pa.Column(np.float64, pa.Check.in_range(-10, -1), nullable=True),
    "flare": pa.Column(str),
    "flare_peak": pa.Column(TIME, nullable=True),
    "measured_log10_flux": pa.Column(np.float64, nullable=True),
    "flare_measured_log10_flux": pa.Column(np.float64, nullable=True),
    "selected": pa.Column(bool),
    "reason": pa.Column(str),
}
LABELLED = pa.Check(
    lambda t: ~t["selected"] | ((t["goes_class"] != "") & t["log10_flux"].notna()),
    error="a selected frame has a class and a flux",
)
LABELS = table(LABEL_COLUMNS, checks=[LABELLED], unique=["year", "store_row"])
"""``labels.csv``: see :func:`heliosynth.catalogue.labels.label_frames`."""

RESPONSE_SETS = ("grid", "population", "train", "test")
FLUX_RESPONSE = table(
    {
        "set": pa.Column(str, pa.Check.isin(RESPONSE_SETS)),
        "group": pa.Column(np.int64),
        "log10_flux": pa.Column(np.float64),
        "bright_area": pa.Column(np.float64, pa.Check.in_range(0, 1)),
    }
)
"""``metrics/flux_response/<model>.csv``: a row an image. ``grid`` are a model's images at a grid of
fluxes, ``population`` those with the class mix of the training split, ``train`` and ``test`` real
frames; ``group`` is the seed of a generated image and the day, since 1970, of a real frame."""


def write(path: Path | str, content: pd.DataFrame, schema: pa.DataFrameSchema) -> None:
    """Write a table whole, after checking it."""
    schema.validate(content)
    with whole_file(path) as unfinished:
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
