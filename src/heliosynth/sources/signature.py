"""Check of a file's first bytes, since servers can return HTML with status 200."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from heliosynth.errors import InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file, and so of a netCDF-4 file."""
CLASSIC_SIGNATURE = b"CDF"
"""The first bytes of a netCDF-3 file."""
HEAD_BYTES = 512


def require_signature(path: Path | str, kind: Literal["netCDF", "JSON"]) -> None:
    """Check that a file begins with the bytes of its kind.

    Raises
    ------
    InputError
        If the file does not exist, is empty, holds a web page or is of another kind.
    """
    try:
        head = _read_head(Path(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    # A text file can begin with a byte-order mark and blanks.
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(HDF5_SIGNATURE) if kind == "netCDF" else text[:1] in (b"{", b"["):
        return
    if head.startswith(CLASSIC_SIGNATURE) and kind == "netCDF":
        raise InputError(
            f"{path}: netCDF of the classic format, not netCDF-4; convert it, as by "
            "`nccopy -k nc4 old.nc new.nc`, or fetch it again"
        )
    content = "a web page" if text.startswith(b"<") else "something else" if head else "nothing"
    raise InputError(f"{path}: should be {kind} but holds {content}; delete it and fetch it again")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)
