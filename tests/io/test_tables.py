"""CSV tables with a schema."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from heliosynth.catalogue import schemas
from heliosynth.errors import InputError
from heliosynth.io import tables

SCHEMA = tables.table_schema(
    {
        "time": pa.Column(tables.TIME),
        "number": pa.Column(np.int64, pa.Check.ge(0, error="0 or more")),
        "flux": pa.Column(np.float64, nullable=True),
        "name": pa.Column(str, unique=True),
        "used": pa.Column(bool),
    },
    checks=[pa.Check(lambda t: ~t["used"] | t["flux"].notna(), error="`used` needs a `flux`")],
    unique=["time", "number"],
)


@pytest.fixture
def content() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": np.array(["2012-01-01", "2012-01-01", "2012-01-02T00:06:10"], "M8[s]"),
            "number": [0, 1, 1],
            "flux": [1.5, np.nan, 2.5],
            "name": ["a", "", "c"],
            "used": [True, False, True],
        }
    )


@pytest.fixture
def path(content: pd.DataFrame, tmp_path: Path) -> Path:
    """The table on disk."""
    path = tmp_path / "table.csv"
    tables.write(path, content, SCHEMA)
    return path


def test_a_table_is_read_as_it_was_written(content: pd.DataFrame, path: Path) -> None:
    pd.testing.assert_frame_equal(tables.read(path, SCHEMA), content)


def test_a_column_of_floats_can_be_empty(tmp_path: Path) -> None:
    frames = pd.DataFrame(
        {
            "time": np.array(["2012-01-01T00:00:10"], "M8[s]"),
            "year": [2012],
            "store_row": [1],
            "exposure_s": [np.nan],
            "quality": [0],
        }
    )
    tables.write(tmp_path / "frames.csv", frames, schemas.FRAMES)
    read = tables.read(tmp_path / "frames.csv", schemas.FRAMES)
    pd.testing.assert_frame_equal(read, frames)


ROW = "2012-01-01T00:00:00,1,,,False"
"""The second row of the table on disk."""
FAULTS: dict[str, tuple[Callable[[str], str], str]] = {
    "a missing column": (
        lambda t: t.replace(",used", "").replace(",True", "").replace(",False", ""),
        "no column used",
    ),
    "a renamed column": (
        lambda t: t.replace("flux", "fluxes"),
        "no column flux and unknown column fluxes",
    ),
    "columns in another order": (
        lambda t: t.replace("number,flux", "flux,number"),
        "columns in the wrong order",
    ),
    "a text for a number": (
        lambda t: t.replace(ROW, ROW.replace(",1,", ",one,")),
        "column number: 'one' in row 2 is not an integer",
    ),
    "a decimal for an integer": (
        lambda t: t.replace(ROW, ROW.replace(",1,", ",1.5,")),
        "column number: 1.5 in row 2 is not an integer",
    ),
    "an empty integer": (
        lambda t: t.replace(ROW, ROW.replace(",1,", ",,")),
        "column number: an empty cell in row 2 is not an integer",
    ),
    "a text for a float": (
        lambda t: t.replace("2.5", "much"),
        "column flux: 'much' in row 3 is not a number",
    ),
    "a wrong time": (
        lambda t: t.replace("2012-01-02T00:06:10", "yesterday"),
        "column time: 'yesterday' in row 3 is not a time",
    ),
    "times of several zones": (
        lambda t: t.replace("2012-01-02T00:06:10", "2012-01-02T00:06:10+01:00"),
        "column time: ",
    ),
    "an empty time": (
        lambda t: t.replace("2012-01-02T00:06:10", ""),
        "column time: no value in row 3",
    ),
    "a text for a boolean": (
        lambda t: t.replace(ROW, ROW.replace("False", "perhaps")),
        "column used: 'perhaps' in row 2 is not True or False",
    ),
    "numbers for booleans": (
        lambda t: t.replace("True", "1").replace("False", "0"),
        "column used: 1 in row 1 is not True or False",
    ),
    "a value out of range": (
        lambda t: t.replace(ROW, ROW.replace(",1,", ",-3,")),
        "column number: -3 in row 2 is not allowed, must be 0 or more",
    ),
    "a repeated value": (
        lambda t: t.replace("2.5,c", "2.5,a"),
        "column name: 'a' in row 3 is repeated",
    ),
    "a repeated key": (
        lambda t: t.replace("2012-01-02T00:06:10", "2012-01-01T00:00:00"),
        "column time, number: 2012-01-01 00:00:00, 1 in row 3 is repeated",
    ),
    "values that disagree": (lambda t: t.replace("2.5", ""), "row 3: `used` needs a `flux`"),
    "one longer row": (
        lambda t: t.replace("c,True", "c,True,1"),
        "cannot be read as CSV",
    ),
    "longer rows": (lambda t: t.replace("0,", "0,7,"), "rows have more values"),
    "no rows": (lambda t: t.splitlines()[0], "no rows below the header"),
    "an empty file": (lambda t: "", "cannot be read as CSV"),
    "null bytes": (lambda t: "\0" * 20, ""),
    "long nonsense": (lambda t: "x" * 5000 + "\n1\n", "no column time, number, flux and 2 more"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_described_in_one_line(path: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    text = path.read_text()
    path.write_text(change(text))
    assert path.read_text() != text
    with pytest.raises(InputError) as caught:
        tables.read(path, SCHEMA)
    line = str(caught.value)
    assert line.startswith(f"{path}: {message}")
    assert line.endswith("; rebuild it")
    assert "\n" not in line
    assert len(line) < 400


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n\xff\xfe", b"\xff\xfe\x00,\xb0"])
def test_a_binary_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv: cannot be read as CSV"):
        tables.read(path, SCHEMA)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read as CSV"):
        tables.read(tmp_path / "nowhere.csv", SCHEMA)


def test_a_wrong_table_without_sources_raises_the_schema_error(
    content: pd.DataFrame, tmp_path: Path
) -> None:
    content["number"] = -1
    with pytest.raises(pa.errors.SchemaError):
        tables.write(tmp_path / "table.csv", content, SCHEMA)
    assert not list(tmp_path.iterdir())


def test_a_table_from_wrong_input_names_the_input(content: pd.DataFrame, tmp_path: Path) -> None:
    content.loc[1, "number"] = -1
    sources = ["hek.json", "xrs.h5"]
    message = r"^hek\.json, xrs\.h5: column number: -1 in row 2 .* 0 or more; correct the input$"
    with pytest.raises(InputError, match=message):
        tables.write(tmp_path / "table.csv", content, SCHEMA, sources)
    with pytest.raises(InputError, match="f0, f1, f2 and 7 more: column number"):
        tables.write(tmp_path / "table.csv", content, SCHEMA, [f"f{n}" for n in range(10)])
    with pytest.raises(InputError, match=r"^hek\.json, xrs\.h5: .*; correct the input$"):
        tables.write(tmp_path / "table.csv", content[["number"]], SCHEMA, sources)
    assert not list(tmp_path.iterdir())


def test_errors_count_rows_in_the_order_of_the_table(content: pd.DataFrame, tmp_path: Path) -> None:
    content.loc[0, "number"] = -1
    shuffled = content.iloc[[2, 1, 0]]
    with pytest.raises(InputError, match="column number: -1 in row 3"):
        tables.write(tmp_path / "table.csv", shuffled, SCHEMA, ["hek.json"])
