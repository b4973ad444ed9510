"""Stages of a U-Net, as its drawing shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of a U-Net.

    Attributes
    ----------
    channels
        Number of channels.
    size_px
        Height and width, pixels.
    layers
        What it consists of, in two or three words.
    attention
        Whether it has self-attention.
    """

    channels: int
    size_px: int
    layers: str
    attention: bool


@dataclass(frozen=True)
class UnetStages:
    """The stages of a U-Net, in the order of the data.

    Attributes
    ----------
    down
        From the highest resolution to the lowest.
    bottom
        The stage between the two ways.
    up
        From the lowest resolution to the highest, as many as ``down``.
    stem, head
        The layers between image and first stage, and between last stage and output.
    """

    down: tuple[Stage, ...]
    bottom: Stage
    up: tuple[Stage, ...]
    stem: str
    head: str
