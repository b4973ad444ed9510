"""Text files in several encodings, and tables as spreadsheets save them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.errors import InputError
from heliosynth.sources.text_files import decode, read_table, read_text

TABLE = "Time,XRSB\n2014-02-25,1.5e-6\n2014-02-26,\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_an_encoding_is_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes('{"observatory": "Ångström"}'.encode(encoding))
    assert read_text(path) == '{"observatory": "Ångström"}'


@given(st.text(min_size=1))
def test_utf8_is_read_as_it_was_written(text: str) -> None:
    if text.isascii() and "\0" not in text:
        assert decode(text.encode()) == text
    assert decode(text.encode("utf-8-sig")) == text
    assert decode(text.encode("utf-16")) == text


@given(st.binary())
def test_any_bytes_are_text(content: bytes) -> None:
    assert isinstance(decode(content), str)


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace(",", ";").replace("1.5e-6", "1,5e-6"),
        TABLE.replace("\n", "\r\n"),
        "\ufeff" + TABLE,
        "# GOES-15\n\n" + TABLE,
        "sep=;\n" + TABLE.replace(",", ";"),
        TABLE.replace("\n", ",,\n"),
        ",Time,XRSB\n0,2014-02-25,1.5e-6\n1,2014-02-26,---\n",
        "Time,XRSB\n2014-02-25,1.5e-6,\n2014-02-26,,\n",
        '"Time" , "XRSB"\n"2014-02-25", 1.5e-6\n 2014-02-26 ,NaN\n',
    ],
)
def test_a_table_is_read_whatever_wrote_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, newline="")
    table = read_table(path)
    assert list(table.columns.columns)[:2] == ["time", "xrsb"]
    assert len(table.columns.columns) == 2
    assert table.columns["time"].tolist() == ["2014-02-25", "2014-02-26"]
    numbers, wrong = table.numbers("xrsb")
    np.testing.assert_array_equal(numbers, [1.5e-6, np.nan])
    assert not wrong.any()


def test_text_that_is_not_a_number_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time,xrsb\n1,C1.2\n2,\n3,1e-6\n4,1\n")
    numbers, wrong = read_table(path).numbers("xrsb")
    assert wrong.tolist() == [True, False, False, False]
    assert numbers[2:].tolist() == [1e-6, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"# nothing\n", "holds only comments"),
        (b"<html>busy</html>", "holds a web page"),
        (b"PK\x03\x04\0\0", "a spreadsheet or a zip archive; save the sheet as CSV"),
        (b"\x1f\x8b\x08\0", "compressed data; decompress it"),
        (b"\x89HDF\r\n\x1a\n", "give it the suffix .nc"),
        (b"time,xrsb\n1,2\n3,\0\0\0", "null characters"),
        (b"time,xrsb\n1,2\n1,2,3,4\n", "cannot be read as CSV"),
        (
            b"time,xrsb\n2014-01-01,1,2e-6\n",
            r"first line names 2 columns .time,xrsb., but rows have 3; .* decimal points",
        ),
        (b"GOES-15\ntime,xrsb\n1,2\n", r"first line names 1 columns .GOES-15., but rows have 2"),
        (b"time,Time\n1,2\n", "has several columns time"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_table(path).require(["time"], "a light curve")


def test_missing_columns_are_named_with_those_present(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time_tag,flux\n1,2\n")
    with pytest.raises(
        InputError,
        match="not a light curve: lacks the columns time, xrsb, and has time_tag, flux",
    ):
        read_table(path).require(["time", "xrsb"], "a light curve")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path / "none.csv")
