"""The U-Net of the study, layer by layer (Ramunno et al. 2024 and its published code)."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from heliosynth.config.models import StudyUnetConfig
from heliosynth.models import build_network

STUDY = StudyUnetConfig(kind="study_unet", widths=[64, 128, 256, 256], embedding_dim=256)
SMALL = StudyUnetConfig(kind="study_unet", widths=[4, 8, 12, 16], embedding_dim=8)
CONDITION = 6
"""Five classes and the flag."""


def build(settings=STUDY, image_size=64):
    torch.manual_seed(0)
    return build_network(settings, image_size, CONDITION)


def small():
    """Build a small network in double precision whose norms do not start as the identity."""
    network = build(SMALL, 16).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def shapes(network, image_size, device):
    """Give what each layer makes of one image: its channels, or tokens, and their size."""
    seen = {}
    for name, module in network.named_modules():
        module.register_forward_hook(
            lambda _, __, output, name=name: seen.update({name: tuple(output.shape[1:])})
        )
    x, step = torch.zeros(1, 1, image_size, image_size), torch.zeros(1)
    with torch.no_grad():
        network(x.to(device), step.to(device), torch.zeros(1, CONDITION, device=device))
    return seen


def published_shapes(full):
    half, quarter, eighth = full // 2, full // 4, full // 8
    return {
        "stem": (64, full, full),
        "down.0": (128, half, half),
        "down.1": (256, quarter, quarter),
        "down.2": (256, eighth, eighth),
        "bottleneck.0": (512, eighth, eighth),
        "bottleneck.1": (512, eighth, eighth),
        "bottleneck.2": (256, eighth, eighth),
        "up.0": (128, quarter, quarter),
        "up.1": (64, half, half),
        "up.2": (64, full, full),
        "head": (1, full, full),
        # Attention is over all pixels of a stage.
        "down.0.attention.attention": (half**2, 128),
        "down.1.attention.attention": (quarter**2, 256),
        "down.2.attention.attention": (eighth**2, 256),
        "up.0.attention.attention": (quarter**2, 128),
        "up.1.attention.attention": (half**2, 64),
        "up.2.attention.attention": (full**2, 64),
        # Every stage is told the step and the label, as one number a channel.
        "down.0.embedding": (128,),
        "down.1.embedding": (256,),
        "down.2.embedding": (256,),
        "up.0.embedding": (128,),
        "up.1.embedding": (64,),
        "up.2.embedding": (64,),
    }


@pytest.mark.parametrize("image_size", [32, 64, 128, 256])
def test_layers_have_the_published_shapes_at_every_size(image_size):
    with torch.device("meta"):
        network = build(image_size=image_size)
    seen = shapes(network, image_size, "meta")
    expected = published_shapes(image_size)
    assert {name: seen[name] for name in expected} == expected


def test_a_small_image_goes_through_the_whole_network():
    network = build(image_size=32)
    seen = shapes(network, 32, "cpu")
    assert {name: seen[name] for name in published_shapes(32)} == published_shapes(32)
    answer = network(torch.randn(1, 1, 32, 32), torch.tensor([500.0]), torch.ones(1, CONDITION))
    assert answer.shape == (1, 1, 32, 32)
    assert answer.isfinite().all()


def test_one_network_serves_every_size():
    with torch.device("meta"):
        weights = [
            {name: value.shape for name, value in build(image_size=size).state_dict().items()}
            for size in (32, 64, 256)
        ]
    assert weights[0] == weights[1] == weights[2]


def double(inputs, middle, outputs):
    """Count two 3 × 3 convolutions without bias, each with a norm of two numbers a channel."""
    return 9 * inputs * middle + 2 * middle + 9 * middle * outputs + 2 * outputs


def attention(width):
    """Count query, key, value and output, two layers of feed-forward and two norms."""
    return 4 * (width**2 + width) + 2 * (width**2 + width) + 2 * 2 * width


def projection(outputs):
    return 256 * outputs + outputs


PARAMETERS = {
    "condition": CONDITION * 256,
    "stem": double(1, 64, 64),
    "down.0": double(64, 64, 64) + double(64, 128, 128) + projection(128) + attention(128),
    "down.1": double(128, 128, 128) + double(128, 256, 256) + projection(256) + attention(256),
    "down.2": double(256, 256, 256) + double(256, 256, 256) + projection(256) + attention(256),
    "bottleneck.0": double(256, 512, 512),
    "bottleneck.1": double(512, 512, 512),
    "bottleneck.2": double(512, 256, 256),
    # Up-sampled channels beside those of the skip: 256 + 256, 128 + 128 and 64 + 64.
    "up.0": double(512, 512, 512) + double(512, 256, 128) + projection(128) + attention(128),
    "up.1": double(256, 256, 256) + double(256, 128, 64) + projection(64) + attention(64),
    "up.2": double(128, 128, 128) + double(128, 64, 64) + projection(64) + attention(64),
    "head": 64 + 1,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_layer_has_its_published_parameters(name):
    with torch.device("meta"):
        layer = build().get_submodule(name)
    assert sum(p.numel() for p in layer.parameters()) == PARAMETERS[name]


def test_the_layers_are_the_whole_network_of_23_million_parameters():
    with torch.device("meta"):
        total = sum(p.numel() for p in build().parameters())
    assert total == sum(PARAMETERS.values())
    # The study embeds five classes and has no flag.
    assert round((total - 256) / 1e6, 1) == 23.3


def convolved_twice(x, layer, residual=False):
    """Convolve, normalise over all channels, GELU, convolve, normalise."""
    first, first_norm, _, second, second_norm = layer.layers
    hidden = functional.conv2d(x, first.weight, padding=1)
    hidden = functional.gelu(functional.group_norm(hidden, 1, first_norm.weight, first_norm.bias))
    hidden = functional.conv2d(hidden, second.weight, padding=1)
    hidden = functional.group_norm(hidden, 1, second_norm.weight, second_norm.bias)
    return functional.gelu(x + hidden) if residual else hidden


def told(x, stage, embedding):
    """Add SiLU and projection of the embedding to every pixel."""
    linear = stage.embedding[1]
    return (
        x
        + functional.linear(functional.silu(embedding), linear.weight, linear.bias)[
            :, :, None, None
        ]
    )


def attended(x, layer):
    """Attend with four heads, then feed forward; each after a norm and with a residual."""
    width, names = x.shape[1], layer.attention
    torchs = torch.nn.MultiheadAttention(width, 4, batch_first=True, dtype=x.dtype)
    torchs.load_state_dict(
        {
            "in_proj_weight": names.query_key_value.weight,
            "in_proj_bias": names.query_key_value.bias,
            "out_proj.weight": names.output.weight,
            "out_proj.bias": names.output.bias,
        }
    )
    tokens = x.flatten(2).transpose(1, 2)
    normed = functional.layer_norm(tokens, [width], layer.norm.weight, layer.norm.bias)
    tokens = tokens + torchs(normed, normed, normed)[0]
    norm, first, _, second = layer.feed_forward
    hidden = functional.layer_norm(tokens, [width], norm.weight, norm.bias)
    hidden = functional.gelu(functional.linear(hidden, first.weight, first.bias))
    tokens = tokens + functional.linear(hidden, second.weight, second.bias)
    return tokens.transpose(1, 2).unflatten(2, x.shape[2:])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stage_down_is_the_published_one(number):
    stage = small().down[number]
    x, embedding = normal(2, SMALL.widths[number], 8, 8), normal(2, 8)
    residual, plain = stage.convolutions
    expected = convolved_twice(functional.max_pool2d(x, 2), residual, residual=True)
    expected = attended(told(convolved_twice(expected, plain), stage, embedding), stage.attention)
    torch.testing.assert_close(stage(x, embedding), expected)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stage_up_is_the_published_one(number):
    stage = small().up[number]
    below, beside = [(16, 12), (8, 8), (4, 4)][number]
    x, skip, embedding = normal(2, below, 4, 4), normal(2, beside, 8, 8), normal(2, 8)
    larger = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
    residual, plain = stage.convolutions
    expected = convolved_twice(torch.cat([skip, larger], 1), residual, residual=True)
    expected = attended(told(convolved_twice(expected, plain), stage, embedding), stage.attention)
    torch.testing.assert_close(stage(x, skip, embedding), expected)


def test_the_network_is_its_stages_and_skips():
    network = small()
    x, step, condition = normal(2, 1, 16, 16), torch.tensor([3.0, 700.0]).double(), normal(2, 6)
    embedding = embedded(step, 8) + condition @ network.condition.weight.T
    full = convolved_twice(x, network.stem)
    half = network.down[0](full, embedding)
    quarter = network.down[1](half, embedding)
    deep = network.down[2](quarter, embedding)
    for layer in network.bottleneck:
        deep = convolved_twice(deep, layer)
    risen = network.up[0](deep, quarter, embedding)
    risen = network.up[2](network.up[1](risen, half, embedding), full, embedding)
    expected = functional.conv2d(risen, network.head.weight, network.head.bias)
    torch.testing.assert_close(network(x, step, condition), expected)


def embedded(step, dim):
    """Give sin(t/10000^(2i/d)) and then the cosines (Vaswani et al. 2017, section 3.5)."""
    angles = [[t / 10000 ** (2 * i / dim) for i in range(dim // 2)] for t in step.tolist()]
    return torch.tensor(
        [[math.sin(a) for a in row] + [math.cos(a) for a in row] for row in angles],
        dtype=torch.float64,
    )


def test_the_label_is_added_to_256_sinusoids_of_the_step():
    network = build(image_size=16).double()
    given = []
    network.down[0].embedding.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    step, condition = torch.tensor([0.0, 1.0, 999.0]).double(), normal(3, CONDITION)
    for label in (0 * condition, condition):
        network(torch.zeros(3, 1, 16, 16).double(), step, label)
    torch.testing.assert_close(given[0], embedded(step, 256))
    torch.testing.assert_close(given[1], given[0] + condition @ network.condition.weight.T)
