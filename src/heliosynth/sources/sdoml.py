"""SDOMLv2 (Galvez et al. 2019): AIA frames in Zarr format 2, on disk or on the network.

A store holds one group a year and in it one array (N, H, W) a channel, in DN, corrected for
degradation and set to one solar radius. Header keywords are lists in the array's attributes;
some are shorter than N or hold null, and ``T_OBS`` is not sure to be sorted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from heliosynth.errors import InputError
from heliosynth.provenance import whole_file

CHUNKS_AHEAD = 4
"""Chunks read at the same time, beside the one in use."""

ANONYMOUS: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "gcs": {"token": "anon"},
}
"""What a remote file system needs to let a reader in without an account."""

Rows = npt.NDArray[np.int64]
Images = npt.NDArray[np.float32]


def years(store: Path | str) -> list[int]:
    """List the years of a store, by its folders.

    Raises
    ------
    InputError
        If there is no folder of a year.
    """
    found = [int(name) for name in _names(store) if name.isdecimal() and len(name) == 4]
    if not found:
        raise InputError(f"{store}: is no SDOMLv2 store, there is no group of a year in it")
    return found


def read_header(store: Path | str, year: int, channel: str) -> pd.DataFrame:
    """Read the header keywords of all frames of a year that have a time.

    Returns
    -------
    pandas.DataFrame
        One row a frame in order of time: ``time`` (datetime64[s], UTC), ``store_row`` (int,
        place in the array), ``exposure_s`` (float, NaN where unknown) and ``quality`` (int,
        0 where good or unknown).

    Raises
    ------
    InputError
        If the store, the year or the channel is missing, or there are no times.
    """
    array = _open_array(store, year, channel)
    attributes, length = dict(array.attrs), int(array.shape[0])
    if not isinstance(attributes.get("T_OBS"), list):
        raise InputError(f"{store}: {year}/{channel} has no list T_OBS in its attributes")
    header = pd.DataFrame(
        {
            "time": _times(_keyword(attributes, "T_OBS", length)),
            "store_row": np.arange(length),
            "exposure_s": pd.to_numeric(
                pd.Series(_keyword(attributes, "EXPTIME", length), dtype=object), errors="coerce"
            ).astype(float),
            "quality": [_quality(value) for value in _keyword(attributes, "QUALITY", length)],
        }
    )
    header = header.dropna(subset="time")
    return header.sort_values(["time", "store_row"], ignore_index=True)


def write_frames(path: Path | str, store: Path | str, year: int, channel: str) -> None:
    """Write the header of a year as ``frames_<year>.csv``, with a column ``year``."""
    header = read_header(store, year, channel)
    header.insert(1, "year", year)
    with whole_file(path) as unfinished:
        header.to_csv(unfinished, index=False, date_format="%Y-%m-%dT%H:%M:%S")


def read_rows(
    store: Path | str, year: int, channel: str, rows: Sequence[int] | npt.NDArray[np.integer[Any]]
) -> Iterator[tuple[Rows, Images]]:
    """Read frames, each chunk of the store once and some chunks ahead.

    A frame costs its whole chunk, so the rows are taken chunk by chunk, in the store's order
    whatever the order asked for.

    Parameters
    ----------
    rows
        Places in the array; one that is asked for twice is read once.

    Yields
    ------
    rows, images
        The rows of one chunk (n,), ascending, and their frames (n, H, W) float32, DN.

    Raises
    ------
    InputError
        If the store, year or channel is missing, a row lies outside it, or a chunk is broken.
    """
    array = _open_array(store, year, channel)
    wanted = np.unique(np.asarray(rows, dtype=np.int64))
    if wanted.size and (wanted[0] < 0 or wanted[-1] >= array.shape[0]):
        raise InputError(
            f"{store}: {year}/{channel} has rows 0 to {array.shape[0] - 1}, "
            f"not {wanted[0]} to {wanted[-1]}; build the index again"
        )
    borders = np.flatnonzero(np.diff(wanted // array.chunks[0])) + 1
    name = f"{store}: {year}/{channel}"
    with ThreadPoolExecutor(CHUNKS_AHEAD) as pool:
        waiting: deque[Any] = deque()
        for group in np.split(wanted, borders) if wanted.size else []:
            waiting.append((group, pool.submit(_read_chunk, array, group, name)))
            if len(waiting) > CHUNKS_AHEAD:
                done, images = waiting.popleft()
                yield done, images.result()
        while waiting:
            done, images = waiting.popleft()
            yield done, images.result()


def _read_chunk(array: Any, rows: Rows, name: str) -> Images:
    start = int(rows[0] // array.chunks[0] * array.chunks[0])
    stop = min(start + int(array.chunks[0]), int(array.shape[0]))
    try:
        frames = np.asarray(array[start:stop], dtype=np.float32)
    # Codecs and remote file systems each raise errors of their own.
    except Exception as error:
        raise InputError(f"{name}, rows {start} to {stop - 1}: cannot be read ({error})") from error
    return np.asarray(frames[rows - start])


def _open_array(store: Path | str, year: int, channel: str) -> Any:
    # zarr takes a second to import, which listing years need not wait for.
    import zarr

    location = f"{str(store).rstrip('/')}/{year}/{channel}"
    options = _access(location)
    try:
        array = zarr.open_array(location, mode="r", zarr_format=2, storage_options=options or None)
    except FileNotFoundError:
        raise InputError(_what_is_missing(store, year, channel)) from None
    # Remote file systems each raise errors of their own.
    except Exception as error:
        raise InputError(f"{location}: cannot be opened as a Zarr array ({error})") from error
    if array.ndim != 3:
        raise InputError(f"{location}: should have axes (frame, y, x), not {array.ndim} axes")
    return array


def _what_is_missing(store: Path | str, year: int, channel: str) -> str:
    found = years(store)
    if year not in found:
        return f"{store}: holds no year {year}, only {', '.join(map(str, found))}"
    channels = [name for name in _names(f"{store}/{year}") if not name.startswith(".")]
    return f"{store}: {year} holds no channel {channel}, only {', '.join(channels) or 'nothing'}"


def _names(location: Path | str) -> list[str]:
    try:
        files, path = fsspec.core.url_to_fs(str(location), **_access(str(location)))
        return sorted(Path(entry).name for entry in files.ls(path, detail=False))
    except FileNotFoundError:
        raise InputError(f"{location}: no such Zarr store") from None
    except NotADirectoryError:
        raise InputError(f"{location}: is a file, not a Zarr store") from None


def _access(location: str) -> dict[str, Any]:
    protocol, separator, _ = location.partition("://")
    return dict(ANONYMOUS.get(protocol, {})) if separator else {}


def _keyword(attributes: dict[str, Any], keyword: str, length: int) -> list[Any]:
    values = attributes.get(keyword)
    listed = values if isinstance(values, list) else []
    return (listed + [None] * length)[:length]


def _times(values: list[Any]) -> pd.Series[Any]:
    texts = pd.Series([v if isinstance(v, str) else None for v in values], dtype=object)
    times = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    return times.dt.tz_localize(None).dt.round("s").astype("datetime64[s]")


def _quality(value: Any) -> int:
    try:
        # Bit masks also come as text, "0x40000000".
        return int(value, 0) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
