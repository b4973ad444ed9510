"""The U-Net of the study, layer by layer (Ramunno et al. 2024 and its published code)."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from factories.networks import STUDY_UNET
from heliosynth.config.models import StudyUnetConfig
from heliosynth.models import build_network

SMALL = StudyUnetConfig(kind="study_unet", widths=[4, 8, 12, 16], embedding_dim=8)
CONDITION = 6
"""Five classes and the flag."""


def build(config=STUDY_UNET, image_size=64):
    torch.manual_seed(0)
    return build_network(config, image_size, CONDITION)


def small():
    """Build a small network in double precision and add noise to all parameters."""
    network = build(SMALL, 16).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def shapes(network, image_size, device):
    """Return the output shape of each layer for one image, without the batch axis."""
    outputs = {}
    for name, module in network.named_modules():
        module.register_forward_hook(
            lambda _, __, output, name=name: outputs.update({name: tuple(output.shape[1:])})
        )
    x, step = torch.zeros(1, 1, image_size, image_size), torch.zeros(1)
    with torch.no_grad():
        network(x.to(device), step.to(device), torch.zeros(1, CONDITION, device=device))
    return outputs


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
        # Every stage adds the embedding of step and label, one number per channel.
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
    result = shapes(network, image_size, "meta")
    expected = published_shapes(image_size)
    assert {name: result[name] for name in expected} == expected


def test_a_small_image_passes_through_all_layers():
    network = build(image_size=32)
    result = shapes(network, 32, "cpu")
    assert {name: result[name] for name in published_shapes(32)} == published_shapes(32)
    output = network(torch.randn(1, 1, 32, 32), torch.tensor([500.0]), torch.ones(1, CONDITION))
    assert output.shape == (1, 1, 32, 32)
    assert output.isfinite().all()


def test_weights_do_not_depend_on_the_image_size():
    with torch.device("meta"):
        weights = [
            {name: value.shape for name, value in build(image_size=size).state_dict().items()}
            for size in (32, 64, 256)
        ]
    assert weights[0] == weights[1] == weights[2]


def double(inputs, middle, outputs):
    """Return the parameters of two 3 × 3 convolutions without bias, each with a norm."""
    return 9 * inputs * middle + 2 * middle + 9 * middle * outputs + 2 * outputs


def attention(width):
    """Return the parameters of query, key, value and output, feed-forward layers and norms."""
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
    # Channels of the upsampled features and of the skip: 256 + 256, 128 + 128 and 64 + 64.
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


def test_the_layers_sum_to_23_million_parameters():
    with torch.device("meta"):
        total = sum(p.numel() for p in build().parameters())
    assert total == sum(PARAMETERS.values())
    # The condition of the study has five classes and no flag.
    assert round((total - 256) / 1e6, 1) == 23.3


def convolved_twice(x, layer, residual=False):
    """Convolve, normalise over all channels, GELU, convolve, normalise."""
    first, first_norm, _, second, second_norm = layer.layers
    hidden = functional.conv2d(x, first.weight, padding=1)
    hidden = functional.gelu(functional.group_norm(hidden, 1, first_norm.weight, first_norm.bias))
    hidden = functional.conv2d(hidden, second.weight, padding=1)
    hidden = functional.group_norm(hidden, 1, second_norm.weight, second_norm.bias)
    return functional.gelu(x + hidden) if residual else hidden


def embedding_added(x, stage, embedding):
    """Add the projection of SiLU of the embedding to every pixel."""
    linear = stage.embedding[1]
    return (
        x
        + functional.linear(functional.silu(embedding), linear.weight, linear.bias)[
            :, :, None, None
        ]
    )


def attended(x, layer):
    """Apply attention with four heads, then feed-forward; each after a norm, with a residual."""
    width, projections = x.shape[1], layer.attention
    reference = torch.nn.MultiheadAttention(width, 4, batch_first=True, dtype=x.dtype)
    reference.load_state_dict(
        {
            "in_proj_weight": projections.query_key_value.weight,
            "in_proj_bias": projections.query_key_value.bias,
            "out_proj.weight": projections.output.weight,
            "out_proj.bias": projections.output.bias,
        }
    )
    tokens = x.flatten(2).transpose(1, 2)
    normed = functional.layer_norm(tokens, [width], layer.norm.weight, layer.norm.bias)
    tokens = tokens + reference(normed, normed, normed)[0]
    norm, first, _, second = layer.feed_forward
    hidden = functional.layer_norm(tokens, [width], norm.weight, norm.bias)
    hidden = functional.gelu(functional.linear(hidden, first.weight, first.bias))
    tokens = tokens + functional.linear(hidden, second.weight, second.bias)
    return tokens.transpose(1, 2).unflatten(2, x.shape[2:])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stage_down_computes_the_published_layers(number):
    stage = small().down[number]
    x, embedding = normal(2, SMALL.widths[number], 8, 8), normal(2, 8)
    residual, plain = stage.convolutions
    expected = convolved_twice(functional.max_pool2d(x, 2), residual, residual=True)
    expected = attended(
        embedding_added(convolved_twice(expected, plain), stage, embedding), stage.attention
    )
    torch.testing.assert_close(stage(x, embedding), expected)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stage_up_computes_the_published_layers(number):
    stage = small().up[number]
    x_channels, skip_channels = [(16, 12), (8, 8), (4, 4)][number]
    x, skip, embedding = normal(2, x_channels, 4, 4), normal(2, skip_channels, 8, 8), normal(2, 8)
    larger = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
    residual, plain = stage.convolutions
    expected = convolved_twice(torch.cat([skip, larger], 1), residual, residual=True)
    expected = attended(
        embedding_added(convolved_twice(expected, plain), stage, embedding), stage.attention
    )
    torch.testing.assert_close(stage(x, skip, embedding), expected)


def test_the_network_connects_its_stages_by_skips():
    network = small()
    x, step, condition = normal(2, 1, 16, 16), torch.tensor([3.0, 700.0]).double(), normal(2, 6)
    embedding = embedded(step, 8) + condition @ network.condition.weight.T
    full = convolved_twice(x, network.stem)
    half = network.down[0](full, embedding)
    quarter = network.down[1](half, embedding)
    deep = network.down[2](quarter, embedding)
    for layer in network.bottleneck:
        deep = convolved_twice(deep, layer)
    upsampled = network.up[0](deep, quarter, embedding)
    upsampled = network.up[2](network.up[1](upsampled, half, embedding), full, embedding)
    expected = functional.conv2d(upsampled, network.head.weight, network.head.bias)
    torch.testing.assert_close(network(x, step, condition), expected)


def embedded(step, dim):
    """Return sin(t/10000^(2i/d)), then the cosines (Vaswani et al. 2017, section 3.5)."""
    angles = [[t / 10000 ** (2 * i / dim) for i in range(dim // 2)] for t in step.tolist()]
    return torch.tensor(
        [[math.sin(a) for a in row] + [math.cos(a) for a in row] for row in angles],
        dtype=torch.float64,
    )


def test_the_label_is_added_to_256_sinusoids_of_the_step():
    network = build(image_size=16).double()
    embeddings = []
    network.down[0].embedding.register_forward_pre_hook(
        lambda _, inputs: embeddings.append(inputs[0])
    )
    step, condition = torch.tensor([0.0, 1.0, 999.0]).double(), normal(3, CONDITION)
    for label in (0 * condition, condition):
        network(torch.zeros(3, 1, 16, 16).double(), step, label)
    torch.testing.assert_close(embeddings[0], embedded(step, 256))
    torch.testing.assert_close(
        embeddings[1], embeddings[0] + condition @ network.condition.weight.T
    )
