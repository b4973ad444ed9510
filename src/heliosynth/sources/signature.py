"""A look at a file's first bytes, since servers answer with a web page under a good name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from heliosynth.errors import InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file, and so of a netCDF-4 file."""


def require_signature(path: Path | str, kind: Literal["netCDF", "JSON"]) -> None:
    """Check that a file begins as its kind does.

    Raises
    ------
    InputError
        If the file does not exist, is empty, holds a web page or is of another kind.
    """
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    # A text file may begin with a byte-order mark and blanks.
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    right = head.startswith(HDF5_SIGNATURE) if kind == "netCDF" else text[:1] in (b"{", b"[")
    if not right:
        found = "a web page" if text.startswith(b"<") else "something else" if head else "nothing"
        raise InputError(f"{path}: should be {kind} but holds {found}; delete it and fetch it anew")
