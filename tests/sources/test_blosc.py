"""Partial decoding of Blosc chunks."""

import contextlib
import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import Blosc

from heliosynth.sources import blosc

NOISE = np.random.default_rng(0).normal(300, 20, 50_000).astype(np.float32)


def chunk_of(content: bytes, size: int) -> blosc.Chunk:
    return blosc.Chunk(io.BytesIO(content), size)


def encoded(values: np.ndarray, codec: str = "zstd", shuffle: int = Blosc.BITSHUFFLE) -> bytes:
    return bytes(Blosc(codec, 3, shuffle, blocksize=4096).encode(values))


@settings(max_examples=60, deadline=None)
@given(
    codec=st.sampled_from(["zstd", "lz4", "blosclz", "zlib"]),
    shuffle=st.sampled_from([Blosc.NOSHUFFLE, Blosc.SHUFFLE, Blosc.BITSHUFFLE]),
    count=st.integers(1, len(NOISE)),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    dtype=st.sampled_from(["<f4", "<f8", "<i2"]),
)
def test_a_part_equals_the_same_bytes_of_the_full_chunk(
    codec: str, shuffle: int, count: int, ends: tuple[float, float], dtype: str
) -> None:
    values = NOISE[:count].astype(dtype)
    content = values.tobytes()
    start, stop = sorted(round(end * len(content)) for end in ends)
    chunk = chunk_of(encoded(values, codec, shuffle), len(content))
    assert chunk.decode(start, stop).tobytes() == content[start:stop]


def test_only_the_blocks_of_a_part_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded_sizes: list[int] = []

    class Counting(Blosc):
        def decode(self, buf: bytes, out: object = None) -> bytes:
            decoded_sizes.append(len(buf))
            return bytes(super().decode(buf, out))

    monkeypatch.setattr(blosc, "Blosc", Counting)
    content = encoded(NOISE)
    chunk_of(content, NOISE.nbytes).decode(20_000, 20_100)
    assert decoded_sizes[0] < len(content) / 40


def test_only_the_blocks_of_a_part_are_read() -> None:
    class Counting(io.BytesIO):
        read_bytes = 0

        def readinto(self, buffer: Any) -> int:
            self.read_bytes += len(buffer)
            return super().readinto(buffer)

    content = encoded(NOISE)
    stream = Counting(content)
    blosc.Chunk(stream, NOISE.nbytes).decode(20_000, 20_100)
    assert stream.read_bytes < len(content) / 30


def test_incompressible_bytes_are_stored() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, 9_000, dtype=np.uint8)
    content = bytes(Blosc("lz4", 1, Blosc.NOSHUFFLE).encode(values))
    assert content[2] & blosc.STORED
    assert (chunk_of(content, 9_000).decode(100, 200) == values[100:200]).all()


def test_a_stored_chunk_that_is_too_short_is_an_error() -> None:
    content = bytearray(encoded(NOISE))
    content[2] |= blosc.STORED
    with pytest.raises(blosc.DamagedChunkError, match="ends before its byte 200016"):
        chunk_of(bytes(content), NOISE.nbytes).decode(199_000, 200_000)


@pytest.mark.parametrize("cut", [5, 16, 1000, -1])
def test_a_truncated_chunk_is_an_error(cut: int) -> None:
    with pytest.raises(blosc.DamagedChunkError, match="bytes"):
        chunk_of(encoded(NOISE)[:cut], NOISE.nbytes)


def test_a_chunk_of_another_size_is_an_error() -> None:
    with pytest.raises(blosc.DamagedChunkError, match="should decode to 17"):
        chunk_of(encoded(NOISE), 17)


@settings(max_examples=200, deadline=None)
@given(
    position=st.integers(0, 100),
    value=st.integers(0, 255),
    part=st.tuples(st.integers(0, 199_999), st.integers(1, 5_000)),
)
def test_a_changed_header_never_crashes_the_decoder(
    position: int, value: int, part: tuple[int, int]
) -> None:
    content = bytearray(encoded(NOISE))
    content[position] = value
    start, stop = part[0], min(sum(part), NOISE.nbytes)
    # Either this error or the right number of bytes.
    with contextlib.suppress(blosc.DamagedChunkError):
        decoded = chunk_of(bytes(content), NOISE.nbytes).decode(start, stop)
        assert len(decoded) == stop - start


def test_blocks_outside_the_chunk_are_an_error() -> None:
    content = bytearray(encoded(NOISE))
    struct.pack_into("<I", content, blosc.HEADER.size + 8, len(content) + 5)
    with pytest.raises(blosc.DamagedChunkError, match="outside itself"):
        chunk_of(bytes(content), NOISE.nbytes).decode(0, 100)
