"""Parts of a Blosc chunk, without reading or decoding the rest of it.

A chunk of Blosc's first format is a header of 16 bytes, the places of its blocks, and the
blocks, each compressed by itself. The blocks that cover some bytes, behind a header of their
own, are a chunk again, which any Blosc decodes.
"""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc

HEADER = struct.Struct("<4BIII")
"""Versions of the format and the codec, flags, item size; bytes decoded, a block, encoded."""
STORED = 0x2
"""The flag of a chunk that is not compressed."""

Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Chunk:
    """An encoded chunk.

    Attributes
    ----------
    stream
        An open file of the encoded bytes, which are read as they are needed.
    size
        Decoded bytes.

    Raises
    ------
    ValueError
        If it is cut short, or no chunk of this size.
    """

    stream: io.RawIOBase | io.BytesIO
    size: int

    def __post_init__(self) -> None:
        length = self._length
        if length < HEADER.size:
            raise ValueError(f"only {length} bytes, less than a header of Blosc")
        *_, decoded, block, encoded = self._header
        if decoded != self.size or encoded != length or not 0 < block <= max(decoded, 1):
            raise ValueError(
                f"says to be {encoded} bytes that decode to {decoded} in blocks of {block}, "
                f"but is {length} that should decode to {self.size}"
            )

    def decode(self, start: int, stop: int) -> Bytes:
        """Decode the bytes from ``start`` to ``stop``, and as little else as the blocks allow.

        Raises
        ------
        ValueError, RuntimeError
            If what the chunk says of its blocks is not so.
        """
        *_, flags, _, _, block, _ = self._header
        if flags & STORED:
            return self._bytes(HEADER.size + start, HEADER.size + stop)
        if stop <= start:
            return np.empty(0, np.uint8)
        first, last = start // block, -(-stop // block)
        if last * block > self.size:
            # A short block is told from the others by coming after one.
            first = max(0, min(first, last - 2))
        decoded = Blosc().decode(self._blocks(first, last, block))
        part = np.frombuffer(decoded, np.uint8)[start - first * block : stop - first * block]
        if len(part) != stop - start:
            raise ValueError(f"decodes to {len(part)} of the {stop - start} bytes asked for")
        return part

    @functools.cached_property
    def _length(self) -> int:
        return self.stream.seek(0, io.SEEK_END)

    @functools.cached_property
    def _header(self) -> tuple[int, ...]:
        return HEADER.unpack(self._bytes(0, HEADER.size).data)

    def _blocks(self, first: int, last: int, block: int) -> Bytes:
        """Put some blocks together as a chunk."""
        count = -(-self.size // block)
        if (first, last) == (0, count):
            return self._bytes(0, self._length)
        starts, stops = self._places(count)
        sizes = (stops - starts)[first:last]
        ahead = HEADER.size + 4 * len(sizes)
        chunk = np.empty(ahead + int(sizes.sum()), np.uint8)
        decoded = min(last * block, self.size) - first * block
        HEADER.pack_into(chunk.data, 0, *self._header[:4], decoded, block, len(chunk))
        places = ahead + np.cumsum(sizes) - sizes
        chunk[HEADER.size : ahead] = places.astype("<u4").view(np.uint8)
        # Blocks that lie one after the other, as nearly all do, are read in one go.
        gaps = np.flatnonzero(stops[first : last - 1] != starts[first + 1 : last]) + 1
        for run in np.split(np.arange(first, last), gaps):
            length = int(stops[run[-1]] - starts[run[0]])
            place = int(places[run[0] - first])
            self._read_into(chunk[place : place + length], int(starts[run[0]]))
        return chunk

    def _places(self, count: int) -> tuple[Places, Places]:
        """Tell where each block starts and stops; threads may have written them in any order."""
        ahead = HEADER.size + 4 * count
        if ahead > self._length:
            raise ValueError(f"has no room for the places of {count} blocks")
        starts = self._bytes(HEADER.size, ahead).view("<u4").astype(np.int64)
        in_order = np.sort(starts)
        if in_order[0] < ahead or in_order[-1] >= self._length:
            raise ValueError("has blocks outside itself")
        following = np.append(in_order[1:], self._length)
        return starts, following[np.searchsorted(in_order, starts)]

    def _bytes(self, start: int, stop: int) -> Bytes:
        content = np.empty(max(0, min(stop, self._length) - start), np.uint8)
        self._read_into(content, start)
        return content

    def _read_into(self, content: Bytes, start: int) -> None:
        self.stream.seek(start)
        if self.stream.readinto(content.data) != len(content):
            raise ValueError(f"ends before its byte {start + len(content)}")
