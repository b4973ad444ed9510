"""The DeiT of the application."""

import pytest
import torch

from factories.training import deit_config
from heliosynth.errors import InputError
from heliosynth.models.deit import build_deit

DEIT = deit_config(depth=3)


def test_the_deit_has_the_configured_shape():
    network = build_deit(DEIT, 16, 3)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 3)
    assert len(network.blocks) == 3
    assert network.blocks[0].attn.num_heads == 2
    # 16 patches and the class token.
    assert network.pos_embed.shape == (1, 17, 24)


def test_the_initial_deit_depends_only_on_the_seed():
    torch.manual_seed(0)
    first = build_deit(DEIT, 16, 3)
    torch.manual_seed(0)
    again = build_deit(DEIT, 16, 3)
    other = build_deit(DEIT, 16, 3)
    images = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(first(images), again(images))
    assert not torch.allclose(first.patch_embed.proj.weight, other.patch_embed.proj.weight)


@pytest.mark.parametrize(
    ("change", "key"), [({"patch_px": 5}, "patch_px"), ({"heads": 5}, "embedding_dim")]
)
def test_a_shape_that_does_not_fit_is_rejected(change, key):
    with pytest.raises(InputError, match=rf"application\.{key}"):
        build_deit(DEIT.model_copy(update=change), 16, 3)
