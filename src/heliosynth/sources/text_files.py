"""Text files as people and services write them: encodings, and tables with any delimiter."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heliosynth.arrays import Booleans, Floats
from heliosynth.errors import InputError

BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
BINARY_KINDS = {
    b"PK\x03\x04": ("a spreadsheet or a zip archive", "save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("a spreadsheet of an old version", "save the sheet as CSV"),
    b"\x1f\x8b": ("compressed data", "decompress it"),
    b"BZh": ("compressed data", "decompress it"),
    b"\xfd7zXZ": ("compressed data", "decompress it"),
    b"\x89HDF": ("HDF5 or netCDF", "give it the suffix .nc"),
    b"CDF": ("netCDF", "give it the suffix .nc"),
    b"SIMPLE  =": ("FITS", "write its table as CSV"),
}
"""First bytes of files that are not text, what they are and what to do."""
DELIMITERS = ",;\t|"
MISSING = ["-", "--", "---", "...", "…"]
"""Texts for no value, besides those that pandas knows, such as NA, NaN and null."""
MOST_COLUMNS = 12
"""Columns to name in a message."""
LONGEST_REASON = 200
"""Characters of a library's own message to show."""


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes
    ----------
    path
        The file, for messages.
    columns
        The table; names in lower case, NaN where there is no text.
    delimiter
        The character between columns.
    """

    path: Path
    columns: pd.DataFrame
    delimiter: str

    def require(self, names: list[str], content: str, remedy: str = "") -> None:
        """Check that the table has some columns.

        Parameters
        ----------
        names
            The columns.
        content
            What the table should be, for the message.
        remedy
            What else to do.

        Raises
        ------
        InputError
            If one is missing. The message names the columns that there are.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            present = [str(name) for name in self.columns]
            shown = ", ".join(name[:LONGEST_REASON] for name in present[:MOST_COLUMNS])
            more = ", …" * (len(present) > MOST_COLUMNS)
            raise InputError(
                f"{self.path}: not {content}: lacks the columns {', '.join(missing)}, and has "
                f"{shown}{more}; {remedy or 'rename its columns'}"
            )

    def numbers(self, name: str) -> tuple[Floats, Booleans]:
        """Return a column as numbers, and where it holds something that is not a number.

        Returns
        -------
        tuple
            Numbers (N,), NaN where there is none, and whether there is other text (N,).
        """
        texts = self.columns[name]
        if self.delimiter != ",":
            texts = texts.str.replace(r"^([-+]?\d+),(\d*(?:[eE][-+]?\d+)?)$", r"\1.\2", regex=True)
        return to_numbers(texts)


def to_numbers(values: pd.Series[Any]) -> tuple[Floats, Booleans]:
    """Return values as numbers (N,), and whether each is given but is not a number (N,)."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    given = values.notna().to_numpy(dtype=np.bool_)
    return numbers, given & np.isnan(numbers)


def read_text(path: Path | str) -> str:
    """Read a text file in UTF-8, UTF-16 or, if it is neither, in Windows' Latin-1.

    Raises
    ------
    InputError
        If the file cannot be read, is empty or is not text.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    for head, (kind, remedy) in BINARY_KINDS.items():
        if content.startswith(head):
            raise InputError(f"{path}: is not text but {kind}; {remedy}")
    text = decode(content)
    if not text.strip():
        raise InputError(f"{path}: is empty; delete it, or fetch or save it again")
    if "\0" in text:
        raise InputError(f"{path}: is not text (it holds null characters); save or fetch it again")
    return text


def decode(content: bytes) -> str:
    """Return bytes as text: UTF-8 or UTF-16, else Windows' Latin-1, which HEK sends at times."""
    encodings = [name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    # Without a mark, characters of ASCII in UTF-16 have a null byte each.
    if not encodings and len(content) % 2 == 0:
        encodings += ["utf-16-be"] * (content[:1] == b"\0" != content[1:2])
        encodings += ["utf-16-le"] * (content[1:2] == b"\0" != content[:1])
    for encoding in [*encodings, "utf-8", "cp1252"]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def read_table(path: Path) -> TextTable:
    """Read a table with a header, whose delimiter is the one that the header has most of.

    Lines that begin with ``#`` are comments; columns without a name are left out, such as the
    row numbers that pandas writes.

    Raises
    ------
    InputError
        If the file cannot be read or is not a table.
    """
    text = read_text(path)
    if text.lstrip().startswith("<"):
        raise InputError(
            f"{path}: should be CSV but holds a web page; delete it and fetch it again"
        )
    # Not splitlines(), which also breaks lines at characters that texts can contain.
    lines = re.split(r"\r\n|\n|\r", text)
    first = next((n for n, line in enumerate(lines) if _is_content(line)), None)
    if first is None:
        raise InputError(f"{path}: holds only comments; delete it, or fetch or save it again")
    rows = [line for line in lines[first:] if _is_content(line)]
    stated = re.fullmatch(r"sep=(.)\s*", rows[0], re.IGNORECASE)
    rows = rows[1:] if stated and len(rows) > 1 else rows
    delimiter = stated.group(1) if stated else max(DELIMITERS, key=rows[0].count)
    return TextTable(path, _parsed(path, rows, delimiter), delimiter)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _parsed(path: Path, rows: list[str], delimiter: str) -> pd.DataFrame:
    """Return the columns of a table of rows of text, the first of which is the header."""
    try:
        header, *others = csv.reader(rows[:2], delimiter=delimiter, skipinitialspace=True)
        # Spreadsheets end every row with a delimiter, but not always the header.
        names = [*header, *[""] * (max(map(len, others), default=0) - len(header))]
        table = pd.read_csv(
            io.StringIO("\n".join(rows[1:])),
            sep=delimiter,
            names=range(len(names)),
            index_col=False,
            dtype=str,
            skipinitialspace=True,
            na_values=MISSING,
        )
    except (ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise InputError(
            f"{path}: cannot be read as CSV ({reason}); save or fetch it again"
        ) from error
    beyond = [number for number in range(len(header), len(names)) if table[number].notna().any()]
    if beyond:
        raise InputError(
            f"{path}: its first line names {len(header)} columns ({delimiter.join(header)[:60]}), "
            f"but rows have {beyond[-1] + 1}; let the first line name all columns, and write "
            "numbers with decimal points"
        )
    names = [name.strip().lower() for name in names]
    repeated = next((name for name in names if name and names.count(name) > 1), None)
    if repeated:
        raise InputError(f"{path}: has several columns {repeated}; keep one of them")
    kept = table[[number for number, name in enumerate(names) if name]]
    kept.columns = pd.Index([name for name in names if name])
    texts: pd.DataFrame = kept.apply(lambda column: column.str.strip())
    return texts.where(texts != "")
