"""Chunks of a raw store, as the readers of frames return them."""

from dataclasses import dataclass

from heliosynth.arrays import Integers
from heliosynth.frames.averaging import Averaged


@dataclass(frozen=True)
class Source:
    """The origin of a chunk."""

    key: str


@dataclass(frozen=True)
class Chunk:
    """Averaged frames of a chunk.

    Attributes
    ----------
    rows
        Rows of the store (N,).
    value
        What the averaging returned for their frames.
    source
        The origin of the chunk.
    """

    rows: Integers
    value: Averaged
    source: Source

    @property
    def sources(self) -> tuple[Source]:
        """The origins of the chunk."""
        return (self.source,)
