"""Layers that several networks share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens, by ``scaled_dot_product_attention``."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        heads = self.query_key_value(tokens).view(count, length, 3, self.heads, -1)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.output(attended.transpose(1, 2).reshape(count, length, width))
        return mixed


def sinusoids(values: Tensor, dim: int, lowest: float, highest: float) -> Tensor:
    """Embed numbers in sines and cosines of geometrically spaced angular frequencies.

    Parameters
    ----------
    values
        (N,).
    dim
        Length of the embedding, even.
    lowest, highest
        Range of the angular frequencies, both ends included.

    Returns
    -------
    (N, dim): the sines, then the cosines.
    """
    ramp = torch.linspace(0, 1, dim // 2, device=values.device, dtype=values.dtype)
    angles = values[:, None] * lowest * (highest / lowest) ** ramp
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def condition_layer(condition_dim: int, embedding_dim: int) -> nn.Linear:
    """Build the layer that embeds conditions, without a bias, so that a zero one adds nothing.

    A condition is a flag and a label, each of about unit length, so weights of variance 1/2
    lead to embeddings of unit variance.
    """
    layer = nn.Linear(condition_dim, embedding_dim, bias=False)
    nn.init.normal_(layer.weight, std=math.sqrt(0.5))
    return layer


def group_norm(channels: int, groups: int = 8) -> nn.GroupNorm:
    """Build a group norm of at most ``groups`` groups, a number that divides the channels."""
    return nn.GroupNorm(math.gcd(groups, channels), channels)
