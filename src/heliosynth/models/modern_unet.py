"""A residual U-Net on patches, designed for speed on a CPU.

Almost all of its time goes into 3×3 convolutions, so the other layers are few and small: the
stem folds patches into channels, skips are added rather than concatenated (which would double
the first convolution of every block going up), and channels change at the lower resolution.

The solar disk has the same position in every image, so each level adds a learned positional
map: the network does not have to infer the limb and the active-region belts from the image borders.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.models import ModernUnetConfig
from heliosynth.errors import InputError
from heliosynth.models.blocks import SelfAttention, condition_layer, group_norm, sinusoids
from heliosynth.models.stages import Stage, UnetStages

TITLE = "residual U-Net"
DESCRIPTION = (
    "a residual U-Net on patches of pixels with self-attention at its lowest levels and, since "
    "the solar disk has the same position in every image, a learned positional map at each level"
)

Layer = TypeVar("Layer", bound=nn.Module)

HEAD_WIDTH = 32
"""Channels of an attention head, where they divide the level's channels; else one head."""
LOWEST_FREQUENCY, HIGHEST_FREQUENCY = 1.0, 100.0
"""Angular frequencies that embed the noise label c_noise = ln(σ)/4, within about ±1.2."""


class ModernUnet(nn.Module):
    """A U-Net of residual blocks whose channels are scaled and shifted by the embedding.

    Parameters
    ----------
    config
        Section ``network`` of a model.
    image_size
        Height and width of the images, pixels.
    condition_dim
        Length D of a condition.

    Raises
    ------
    InputError
        If the image size is not a multiple of the patch size times 2 for each level below the
        first.
    """

    def __init__(self, config: ModernUnetConfig, image_size: int, condition_dim: int) -> None:
        super().__init__()
        widths = _widths(config)
        if image_size % config.size_multiple:
            raise InputError(
                f"dataset.image_size_px: {image_size} px do not fit the residual U-Net; "
                f"choose a multiple of {config.size_multiple}"
            )
        self.patch_px = config.patch_px
        self.embedding = _Embedding(condition_dim, config.embedding_dim)
        self.stem = nn.Conv2d(config.patch_px**2, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            attention = level >= len(widths) - config.attention_levels
            self.down.append(_level(width, config, attention))
            self.up.insert(0, _level(width, config, attention))
        self.middle = nn.ModuleList(
            _Block(widths[-1], config.embedding_dim, attention=first) for first in (True, False)
        )
        sizes = [image_size // config.patch_px // 2**level for level in range(len(widths))]
        # The positional maps; trained weights are stored under the name `places`.
        self.places = nn.ParameterList(
            nn.Parameter(torch.zeros(width, size, size))
            for width, size in zip(widths, sizes, strict=True)
        )
        pairs = list(pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.head = nn.Sequential(
            group_norm(widths[0]),
            nn.SiLU(),
            _zeroed(nn.Conv2d(widths[0], config.patch_px**2, 3, padding=1)),
        )

    def forward(self, x: Tensor, noise_label: Tensor, condition: Tensor) -> Tensor:
        """Return F(x; c_noise, c) (N, 1, H, W) for the preconditioned denoiser, or ε."""
        embedding = self.embedding(noise_label, condition)
        x = self.stem(functional.pixel_unshuffle(x, self.patch_px))
        skips = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                x = self.shrink[level - 1](x)
            x = x + self.places[level]
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, embedding)
                skips.append(x)
        for block in self.middle:
            x = block(x, embedding)
        for level, blocks in enumerate(self.up):
            if level > 0:
                x = functional.interpolate(
                    self.grow[level - 1](x), scale_factor=2.0, mode="nearest"
                )
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x + skips.pop(), embedding)
        return functional.pixel_shuffle(self.head(x), self.patch_px)


build = ModernUnet


def stages(config: ModernUnetConfig, image_size: int) -> UnetStages:
    """Return the stages of the network for images of ``image_size`` pixels."""
    levels = len(config.multipliers)
    blocks = f"{config.blocks} residual block{'s' if config.blocks > 1 else ''}"
    down = tuple(
        Stage(
            width,
            image_size // config.patch_px // 2**level,
            blocks,
            attention=level >= levels - config.attention_levels,
        )
        for level, width in enumerate(_widths(config))
    )
    bottom = Stage(down[-1].channels, down[-1].size_px, "middle blocks", attention=True)
    patch = f"{config.patch_px} × {config.patch_px} px"
    return UnetStages(down, bottom, down[::-1], stem=f"fold\n{patch}", head=f"unfold\n{patch}")


class _Embedding(nn.Module):
    """Embedding of noise level and condition in one vector (as in the networks of EDM)."""

    def __init__(self, condition_dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.dim = embedding_dim
        self.noise = nn.Linear(2 * (embedding_dim // 2), embedding_dim)
        self.condition = condition_layer(condition_dim, embedding_dim)
        self.mixed = nn.Linear(embedding_dim, embedding_dim)

    def forward(self, noise_label: Tensor, condition: Tensor) -> Tensor:
        features = sinusoids(noise_label, self.dim, LOWEST_FREQUENCY, HIGHEST_FREQUENCY)
        return functional.silu(
            self.mixed(functional.silu(self.noise(features) + self.condition(condition)))
        )


class _Block(nn.Module):
    """Two convolutions with a residual, scaled and shifted by the embedding in between."""

    def __init__(self, width: int, embedding_dim: int, *, attention: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.norm = group_norm(width)
        self.modulation = nn.Linear(embedding_dim, 2 * width)
        self.second = _zeroed(nn.Conv2d(width, width, 3, padding=1))
        self.attention = _Attention(width) if attention else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.norm(self.first(x))
        x = x + self.second(functional.silu(torch.addcmul(hidden + shift, hidden, scale)))
        attended: Tensor = self.attention(x)
        return attended


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = group_norm(width)
        self.attention = SelfAttention(width, width // HEAD_WIDTH if width % HEAD_WIDTH == 0 else 1)
        _zeroed(self.attention.output)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        attended: Tensor = self.attention(tokens)
        return x + attended.transpose(1, 2).reshape(x.shape)


def _widths(config: ModernUnetConfig) -> list[int]:
    """Return the channels of each level."""
    return [config.width * multiplier for multiplier in config.multipliers]


def _level(width: int, config: ModernUnetConfig, attention: bool) -> nn.ModuleList:
    return nn.ModuleList(
        _Block(width, config.embedding_dim, attention=attention) for _ in range(config.blocks)
    )


def _zeroed(layer: Layer) -> Layer:
    """Set a layer's parameters to zero, so that its block starts as the identity."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
