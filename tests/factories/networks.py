"""Configs of the networks at their full size."""

from heliosynth.config.models import ModernUnetConfig, StudyUnetConfig

STUDY_UNET = StudyUnetConfig(kind="study_unet", widths=[64, 128, 256, 256], embedding_dim=256)
MODERN_UNET = ModernUnetConfig(
    kind="modern_unet",
    patch_px=2,
    width=32,
    multipliers=[1, 2, 4],
    blocks=2,
    attention_levels=1,
    embedding_dim=128,
)
