"""Stages of a U-Net, for the figure of a network."""

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
        Its layers in two or three words, such as ``double convolution``.
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
        The stage between ``down`` and ``up``.
    up
        From the lowest resolution to the highest, as many stages as ``down``.
    stem, head
        Labels of the layers before the first and after the last stage; empty for none.
    """

    down: tuple[Stage, ...]
    bottom: Stage
    up: tuple[Stage, ...]
    stem: str
    head: str
