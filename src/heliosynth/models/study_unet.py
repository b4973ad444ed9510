"""The U-Net of the study (Ramunno et al. 2024)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from heliosynth.config.models import StudyUnetConfig
from heliosynth.errors import InputError
from heliosynth.models.blocks import SelfAttention, condition_layer, sinusoids
from heliosynth.models.stages import Stage, UnetStages

TITLE = "U-Net of the study"
DESCRIPTION = "the U-Net of the study, with self-attention after each stage"

HEADS = 4


class StudyUnet(nn.Module):
    """Three stages down, a bottleneck, three stages up; self-attention after every stage.

    At a 64 px image attention works on 32, 16 and 8 px going down and on 16, 32 and 64 px
    going up. The step t is embedded in sinusoids (Vaswani et al. 2017), to which the
    embedding of the condition is added.

    Parameters
    ----------
    config
        ``widths`` (w0, w1, w2, w3): channels at full size and after each stage down; the
        bottleneck is 2 w3 wide. ``embedding_dim``: length of the embedding.
    image_size
        Height and width of the images, pixels; a multiple of 8.
    condition_dim
        Length D of a condition.

    Raises
    ------
    InputError
        If the image size is not a multiple of 8.
    """

    def __init__(self, config: StudyUnetConfig, image_size: int, condition_dim: int) -> None:
        super().__init__()
        if image_size % config.size_multiple:
            raise InputError(
                f"dataset.image_size_px: {image_size} px do not fit the U-Net of the study; "
                f"choose a multiple of {config.size_multiple}"
            )
        full, half, quarter, eighth = config.widths
        embedding = config.embedding_dim
        self.embedding_dim = embedding
        self.condition = condition_layer(condition_dim, embedding)
        self.stem = _DoubleConv(1, full)
        self.down = nn.ModuleList(_Down(a, b, embedding) for a, b in pairwise(config.widths))
        self.bottleneck = nn.Sequential(
            _DoubleConv(eighth, 2 * eighth),
            _DoubleConv(2 * eighth, 2 * eighth),
            _DoubleConv(2 * eighth, eighth),
        )
        self.up = nn.ModuleList(
            _Up(inputs, outputs, embedding)
            for inputs, outputs in ((eighth + quarter, half), (2 * half, full), (2 * full, full))
        )
        self.head = nn.Conv2d(full, 1, 1)

    def forward(self, x: Tensor, noise_label: Tensor, condition: Tensor) -> Tensor:
        """Predict the noise (N, 1, H, W) in ``x`` at steps ``noise_label`` (N,)."""
        dim = self.embedding_dim
        # 10000^(−2i/d), i = 0…d/2−1, ends above 10⁻⁴.
        times = sinusoids(noise_label, dim, lowest=1.0, highest=10_000 ** (2 / dim - 1))
        embedding = times + self.condition(condition)
        x = self.stem(x)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x, embedding)
        x = self.bottleneck(x)
        for up in self.up:
            x = up(x, skips.pop(), embedding)
        predicted: Tensor = self.head(x)
        return predicted


build = StudyUnet


def stages(config: StudyUnetConfig, image_size: int) -> UnetStages:
    """Return the stages of the network for images of ``image_size`` pixels."""
    first, second, third, lowest = config.widths
    down = tuple(
        Stage(width, image_size // 2**level, "double convolution", attention=level > 0)
        for level, width in enumerate((first, second, third))
    )
    up = tuple(
        Stage(width, image_size // 2**level, "double convolution", attention=True)
        for level, width in ((2, second), (1, first), (0, first))
    )
    bottom = Stage(2 * lowest, image_size // 8, "bottleneck", attention=True)
    return UnetStages(down, bottom, up, stem="", head="1 × 1\nconv.")


class _DoubleConv(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, middle: int | None = None, residual: bool = False
    ) -> None:
        super().__init__()
        middle = middle or outputs
        self.residual = residual
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, middle, 3, padding=1, bias=False),
            nn.GroupNorm(1, middle),
            nn.GELU(),
            nn.Conv2d(middle, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(1, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.layers(x)
        return functional.gelu(x + changed) if self.residual else changed


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, embedding_dim: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.convolutions = nn.Sequential(
            _DoubleConv(inputs, inputs, residual=True), _DoubleConv(inputs, outputs)
        )
        self.embedding = nn.Sequential(nn.SiLU(), nn.Linear(embedding_dim, outputs))
        self.attention = _Attention(outputs)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        x = self.convolutions(self.pool(x)) + self.embedding(embedding)[:, :, None, None]
        attended: Tensor = self.attention(x)
        return attended


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, embedding_dim: int) -> None:
        super().__init__()
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.convolutions = nn.Sequential(
            _DoubleConv(inputs, inputs, residual=True), _DoubleConv(inputs, outputs, inputs // 2)
        )
        self.embedding = nn.Sequential(nn.SiLU(), nn.Linear(embedding_dim, outputs))
        self.attention = _Attention(outputs)

    def forward(self, x: Tensor, skip: Tensor, embedding: Tensor) -> Tensor:
        x = self.convolutions(torch.cat([skip, self.upsample(x)], dim=1))
        attended: Tensor = self.attention(x + self.embedding(embedding)[:, :, None, None])
        return attended


class _Attention(nn.Module):
    """Self-attention and a feed-forward layer over pixels, each with a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, HEADS)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(self.norm(tokens))
        tokens = tokens + self.feed_forward(tokens)
        return tokens.transpose(1, 2).reshape(x.shape)
