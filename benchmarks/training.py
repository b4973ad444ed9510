"""Training step, compared with the study's U-Net as commonly written and with two libraries.

Commonly written means ``nn.MultiheadAttention``, which also returns the averaged weights, and
eager mode. The libraries' networks have about the same number of parameters.
denoising-diffusion-pytorch uses linear attention above the lowest level, which is a different
architecture; it is also timed with full attention of the study's width at the study's stages.
``python -m benchmarks.training`` runs only this benchmark.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from contextlib import nullcontext

import torch
from denoising_diffusion_pytorch import Unet
from diffusers import UNet2DModel
from torch import Tensor, nn

from benchmarks.floors import TimeLimits, count
from benchmarks.pairs import Pair, time_pair
from benchmarks.work import CONDITION_DIM
from heliosynth.config.loading import presets
from heliosynth.config.models import ModernUnetConfig, StudyUnetConfig
from heliosynth.models import build_network
from heliosynth.models.blocks import SelfAttention

SIZE_PX, BATCH = 64, 12
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MATCHING_WIDTH = 96
"""Width at which the modern network has about as many parameters as the study's."""

Forward = Callable[[Tensor, Tensor, Tensor], Tensor]


class CommonAttention(nn.Module):
    """Attention by ``nn.MultiheadAttention``, with the weights of our module."""

    def __init__(self, attention: SelfAttention) -> None:
        super().__init__()
        width = attention.output.in_features
        self.attention = nn.MultiheadAttention(width, attention.heads, batch_first=True)
        self.attention.in_proj_weight = attention.query_key_value.weight
        self.attention.in_proj_bias = attention.query_key_value.bias
        self.attention.out_proj.load_state_dict(attention.output.state_dict())

    def forward(self, tokens: Tensor) -> Tensor:
        return self.attention(tokens, tokens, tokens)[0]


def run(runs: int = 3) -> tuple[list[Pair], list[TimeLimits]]:
    """Time a step (forward, backward, AdamW) of each network against its peers."""
    torch.manual_seed(0)
    study, modern = study_unet(), modern_unet(MATCHING_WIDTH)
    common = _commonly_written(study)
    _check_equal(study, common)
    libraries = [
        ("denoising-diffusion-pytorch", _lucidrains),
        ("diffusers UNet2DModel", _diffusers),
    ]
    pairs = [
        _pair("study U-Net", study, "as commonly written", lambda: (common, common.forward), runs)
    ]
    full_attention = (
        "denoising-diffusion-pytorch with the study's attention",
        _lucidrains_full_attention,
    )
    for ours, network, peers in (
        ("study U-Net", study, [*libraries, full_attention]),
        ("modern U-Net", modern, libraries),
    ):
        pairs += [_pair(ours, network, name, make, runs) for name, make in peers]
    limits = [
        count(f"training step, {name}, {SIZE_PX} px, batch {BATCH}", step_of(network))
        for name, network in (("study U-Net", study), ("modern U-Net", modern))
    ]
    return pairs, limits


def study_unet() -> nn.Module:
    """Return the network of the `study` preset."""
    settings = StudyUnetConfig(**presets()["ddpm"]["study"]["network"])
    return build_network(settings, SIZE_PX, CONDITION_DIM).to(DEVICE)


def modern_unet(width: int | None = None, size_px: int = SIZE_PX) -> nn.Module:
    """Return the network of the `modern` preset, or a wider one."""
    settings = presets()["ddpm"]["modern"]["network"]
    config = ModernUnetConfig(**{**settings, **({} if width is None else {"width": width})})
    return build_network(config, size_px, CONDITION_DIM).to(DEVICE)


def step_of(
    network: nn.Module, forward: Forward | None = None, batch: int = BATCH, size_px: int = SIZE_PX
) -> Callable[[], None]:
    """Return a training step; on a GPU ours is compiled and in bfloat16, a peer's is unmodified."""
    ours = forward is None
    on_gpu = DEVICE.type == "cuda"
    if ours and on_gpu:
        network.compile()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4, fused=True if ours else None)
    x = torch.randn(batch, 1, size_px, size_px, device=DEVICE)
    label = torch.randint(1000, (batch,), device=DEVICE).float()
    condition = torch.randn(batch, CONDITION_DIM, device=DEVICE)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast("cuda", torch.bfloat16) if ours and on_gpu else nullcontext():
            loss = ((forward or network)(x, label, condition) - x).square().mean()
        loss.backward()
        optimiser.step()
        if on_gpu:
            torch.cuda.synchronize()

    return step


def parameters(network: nn.Module) -> float:
    """Return the number of parameters, in millions."""
    return sum(p.numel() for p in network.parameters()) / 1e6


def _pair(
    ours: str,
    network: nn.Module,
    peer: str,
    make: Callable[[], tuple[nn.Module, Forward]],
    runs: int,
) -> Pair:
    other, forward = make()
    title = (
        f"training step, {SIZE_PX} px, batch {BATCH}: {ours} ({parameters(network):.1f} M "
        f"parameters), {peer} ({parameters(other):.1f} M)"
    )
    pair = time_pair(title, step_of(network), step_of(other, forward), runs)
    gc.collect()
    return pair


def _check_equal(network: nn.Module, peer: nn.Module) -> None:
    inputs = torch.randn(2, 1, SIZE_PX, SIZE_PX), torch.tensor([3.0, 700.0])
    arguments = [tensor.to(DEVICE) for tensor in (*inputs, torch.randn(2, CONDITION_DIM))]
    with torch.no_grad():
        torch.testing.assert_close(network(*arguments), peer(*arguments), rtol=1e-3, atol=1e-4)


def _commonly_written(network: nn.Module) -> nn.Module:
    peer = copy.deepcopy(network)
    for parent in list(peer.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SelfAttention):
                setattr(parent, name, CommonAttention(child).to(DEVICE))
    return peer


class NoAttention(nn.Module):
    """An attention block that returns zero, to be added to its input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


def _lucidrains(**attention: tuple[float, ...]) -> tuple[Unet, Forward]:
    network = Unet(dim=52, dim_mults=(1, 2, 4, 8), channels=1, flash_attn=True, **attention)
    return network.to(DEVICE), lambda x, label, condition: network(x, label)


def _lucidrains_full_attention() -> tuple[Unet, Forward]:
    network, forward = _lucidrains(full_attn=(True,) * 4, attn_dim_head=(16, 32, 64, 64))
    first_stage = network.downs[0]
    # The study's U-Net has attention at full resolution only once, in its last stage.
    first_stage[2] = NoAttention()
    return network, forward


def _diffusers() -> tuple[nn.Module, Forward]:
    network = UNet2DModel(
        sample_size=SIZE_PX,
        in_channels=1,
        out_channels=1,
        layers_per_block=2,
        block_out_channels=(64, 128, 192, 256),
    ).to(DEVICE)
    return network, lambda x, label, condition: network(x, label).sample


if __name__ == "__main__":
    print(*(pair.row() for pair in run()[0]), sep="\n")
