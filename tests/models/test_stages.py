"""Stages of the networks, which their diagram shows."""

from factories.networks import MODERN_UNET, STUDY_UNET
from heliosynth.models import network_stages


def test_study_unet_has_its_published_stages():
    stages = network_stages(STUDY_UNET, 64)
    assert [(s.channels, s.size_px) for s in stages.down] == [(64, 64), (128, 32), (256, 16)]
    assert (stages.bottom.channels, stages.bottom.size_px) == (512, 8)
    assert [(s.channels, s.size_px) for s in stages.up] == [(128, 16), (64, 32), (64, 64)]


def test_modern_unet_has_attention_at_its_lowest_level():
    stages = network_stages(MODERN_UNET, 64)
    assert [(s.channels, s.size_px) for s in stages.down] == [(32, 32), (64, 16), (128, 8)]
    assert [s.attention for s in stages.down] == [False, False, True]
    assert stages.up == stages.down[::-1]
