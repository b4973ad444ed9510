"""A training step of the study's U-Net against the same with attention as commonly written.

The peer calls ``nn.MultiheadAttention``, which also returns the averaged weights.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from benchmarks.pairs import Pair, time_pair
from heliosynth.config.schema import StudyUnet
from heliosynth.models import build_network
from heliosynth.models.blocks import SelfAttention

SIZE_PX, BATCH, CONDITION_DIM = 64, 12, 6
SETTINGS = StudyUnet(kind="study_unet", widths=[64, 128, 256, 256], embedding_dim=256)


class CommonAttention(nn.Module):
    """Attention with the weights of another, through ``nn.MultiheadAttention``."""

    def __init__(self, attention: SelfAttention) -> None:
        super().__init__()
        width = attention.output.in_features
        self.attention = nn.MultiheadAttention(width, attention.heads, batch_first=True)
        self.attention.in_proj_weight = attention.query_key_value.weight
        self.attention.in_proj_bias = attention.query_key_value.bias
        self.attention.out_proj.load_state_dict(attention.output.state_dict())

    def forward(self, tokens: Tensor) -> Tensor:
        return self.attention(tokens, tokens, tokens)[0]


def run(runs: int = 2) -> list[Pair]:
    """Time a step (forward, backward, AdamW) of both networks on the same batch."""
    torch.manual_seed(0)
    ours = build_network(SETTINGS, SIZE_PX, CONDITION_DIM)
    peer = _common(ours)
    x = torch.randn(BATCH, 1, SIZE_PX, SIZE_PX)
    inputs = (x, torch.randint(1000, (BATCH,)).float(), torch.randn(BATCH, CONDITION_DIM))
    with torch.no_grad():
        torch.testing.assert_close(ours(*inputs), peer(*inputs), rtol=1e-3, atol=1e-4)
    title = f"training step, study U-Net, {SIZE_PX} px, batch {BATCH}: attention"
    return [time_pair(title, _step(ours, inputs), _step(peer, inputs), runs)]


def _common(network: nn.Module) -> nn.Module:
    peer = copy.deepcopy(network)
    for parent in list(peer.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SelfAttention):
                setattr(parent, name, CommonAttention(child))
    return peer


def _step(network: nn.Module, inputs: tuple[Tensor, ...]):
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4)

    def step() -> None:
        optimiser.zero_grad()
        (network(*inputs) - inputs[0]).square().mean().backward()
        optimiser.step()

    return step
