"""Partial decoding of Blosc chunks, without reading or decoding the rest of a chunk.

A chunk of Blosc's first format is a header of 16 bytes, the offsets of its blocks, and the
blocks, each compressed separately. The blocks that cover a range of bytes, behind a new header,
form a smaller chunk, which any Blosc library decodes.
"""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass

import numpy as np
from numcodecs import Blosc

from heliosynth.arrays import Bytes, Integers

HEADER = struct.Struct("<4BIII")
"""Versions of the format and the codec, flags, item size; bytes decoded, per block, encoded."""
STORED = 0x2
"""Flag of a chunk that is not compressed."""


class DamagedChunkError(ValueError):
    """The bytes are not a complete chunk."""


@dataclass(frozen=True)
class Chunk:
    """An encoded chunk.

    Attributes
    ----------
    stream
        Open file of the encoded bytes, which are read when needed.
    size
        Decoded bytes.

    Raises
    ------
    DamagedChunkError
        If it is truncated, or not a chunk of this size.
    """

    stream: io.RawIOBase | io.BytesIO
    size: int

    def __post_init__(self) -> None:
        length = self._length
        if length < HEADER.size:
            raise DamagedChunkError(f"has only {length} bytes, fewer than a Blosc header")
        *_, decoded, block, encoded = self._header
        if decoded != self.size or encoded != length or not 0 < block <= max(decoded, 1):
            raise DamagedChunkError(
                f"header says {encoded} bytes that decode to {decoded} in blocks of {block}, "
                f"but there are {length} bytes, which should decode to {self.size}"
            )

    def decode(self, start: int, stop: int) -> Bytes:
        """Decode the bytes from ``start`` to ``stop``, and only the blocks that contain them.

        Returns
        -------
        numpy.ndarray
            (stop − start,) uint8.

        Raises
        ------
        DamagedChunkError
            If the blocks contradict the header, or cannot be decoded.
        """
        *_, flags, _, _, block, _ = self._header
        if flags & STORED:
            return self._bytes(HEADER.size + start, HEADER.size + stop)
        if stop <= start:
            return np.empty(0, np.uint8)
        first, last = start // block, -(-stop // block)
        if last * block > self.size:
            # Blosc recognises the short last block only behind a full one.
            first = max(0, min(first, last - 2))
        content = self._blocks(first, last, block)
        try:
            decoded = Blosc().decode(content)
        except (RuntimeError, ValueError) as error:
            raise DamagedChunkError(f"cannot be decoded ({error})") from error
        part = np.frombuffer(decoded, np.uint8)[start - first * block : stop - first * block]
        if len(part) != stop - start:
            raise DamagedChunkError(f"decodes to {len(part)} of {stop - start} requested bytes")
        return part

    @functools.cached_property
    def _length(self) -> int:
        return self.stream.seek(0, io.SEEK_END)

    @functools.cached_property
    def _header(self) -> tuple[int, ...]:
        return HEADER.unpack(self._bytes(0, HEADER.size).data)

    def _blocks(self, first: int, last: int, block: int) -> Bytes:
        """Return the blocks from ``first`` up to, not including, ``last`` as a smaller chunk."""
        count = -(-self.size // block)
        if (first, last) == (0, count):
            return self._bytes(0, self._length)
        starts, stops = self._block_ranges(count)
        sizes = (stops - starts)[first:last]
        head = HEADER.size + 4 * len(sizes)
        chunk = np.empty(head + int(sizes.sum()), np.uint8)
        decoded = min(last * block, self.size) - first * block
        HEADER.pack_into(chunk.data, 0, *self._header[:4], decoded, block, len(chunk))
        offsets = head + np.cumsum(sizes) - sizes
        chunk[HEADER.size : head] = offsets.astype("<u4").view(np.uint8)
        # Contiguous blocks, the usual case, are read at once.
        gaps = np.flatnonzero(stops[first : last - 1] != starts[first + 1 : last]) + 1
        for run in np.split(np.arange(first, last), gaps):
            length = int(stops[run[-1]] - starts[run[0]])
            offset = int(offsets[run[0] - first])
            self._read_into(chunk[offset : offset + length], int(starts[run[0]]))
        return chunk

    def _block_ranges(self, count: int) -> tuple[Integers, Integers]:
        """Return where each block starts and stops; threads can have written them in any order."""
        head = HEADER.size + 4 * count
        if head > self._length:
            raise DamagedChunkError(f"is too short for the offsets of {count} blocks")
        starts = self._bytes(HEADER.size, head).view("<u4").astype(np.int64)
        ascending = np.sort(starts)
        if ascending[0] < head or ascending[-1] >= self._length:
            raise DamagedChunkError("has blocks outside itself")
        following = np.append(ascending[1:], self._length)
        return starts, following[np.searchsorted(ascending, starts)]

    def _bytes(self, start: int, stop: int) -> Bytes:
        content = np.empty(stop - start, np.uint8)
        self._read_into(content, start)
        return content

    def _read_into(self, content: Bytes, start: int) -> None:
        self.stream.seek(start)
        if self.stream.readinto(content.data) != len(content):
            raise DamagedChunkError(f"ends before its byte {start + len(content)}")
