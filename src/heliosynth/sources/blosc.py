"""Parts of a Blosc chunk, without decoding the rest of it.

A chunk of Blosc's first format is a header of 16 bytes, the places of its blocks, and the
blocks, each compressed by itself. The blocks that cover some bytes, behind a header of their
own, are a chunk again, which any Blosc decodes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc

HEADER = struct.Struct("<4BIII")
"""Versions of the format and the codec, flags, item size; bytes decoded, a block, encoded."""
STORED = 0x2
"""The flag of a chunk that is not compressed."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """An encoded chunk.

    Attributes
    ----------
    content
        The encoded bytes.
    size
        Decoded bytes.

    Raises
    ------
    ValueError
        If it is cut short, or no chunk of this size.
    """

    content: bytes
    size: int

    def __post_init__(self) -> None:
        if len(self.content) < HEADER.size:
            raise ValueError(f"only {len(self.content)} bytes, less than a header of Blosc")
        *_, decoded, block, encoded = self._header
        if decoded != self.size or encoded != len(self.content) or not 0 < block <= max(decoded, 1):
            raise ValueError(
                f"says to be {encoded} bytes that decode to {decoded} in blocks of {block}, "
                f"but is {len(self.content)} that should decode to {self.size}"
            )

    def decode(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Decode the bytes from ``start`` to ``stop``, and as little else as the blocks allow.

        Raises
        ------
        ValueError, RuntimeError
            If what the chunk says of its blocks is not so.
        """
        *_, flags, _, _, block, _ = self._header
        if flags & STORED:
            return np.frombuffer(self.content, np.uint8)[HEADER.size :][start:stop]
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

    @property
    def _header(self) -> tuple[int, ...]:
        return HEADER.unpack_from(self.content)

    def _blocks(self, first: int, last: int, block: int) -> bytes:
        """Put some blocks together as a chunk."""
        count = -(-self.size // block)
        if (first, last) == (0, count):
            return self.content
        starts, stops = self._places(count)
        # Blocks that lie one after the other, as nearly all do, are copied in one go.
        wanted = slice(first, last)
        gaps = np.flatnonzero(stops[wanted][:-1] != starts[wanted][1:]) + 1
        whole = memoryview(self.content)
        body: list[Any] = [
            whole[starts[run[0]] : stops[run[-1]]] for run in np.split(np.arange(first, last), gaps)
        ]
        sizes = (stops - starts)[wanted]
        ahead = HEADER.size + 4 * len(sizes)
        header = HEADER.pack(
            *self._header[:4],
            min(last * block, self.size) - first * block,
            block,
            ahead + int(sizes.sum()),
        )
        places = (ahead + np.cumsum(sizes) - sizes).astype("<u4")
        return b"".join([header, places.tobytes(), *body])

    def _places(self, count: int) -> tuple[Places, Places]:
        """Tell where each block starts and stops; threads may have written them in any order."""
        ahead = HEADER.size + 4 * count
        if ahead > len(self.content):
            raise ValueError(f"has no room for the places of {count} blocks")
        starts = np.frombuffer(self.content, "<u4", count, HEADER.size).astype(np.int64)
        in_order = np.sort(starts)
        if in_order[0] < ahead or in_order[-1] >= len(self.content):
            raise ValueError("has blocks outside itself")
        following = np.append(in_order[1:], len(self.content))
        return starts, following[np.searchsorted(in_order, starts)]
