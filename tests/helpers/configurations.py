"""Raw configurations: config.yaml merged with overlays and changes, as Snakemake merges them."""

from pathlib import Path
from typing import Any

import yaml

from heliosynth.config.loading import merge

ROOT = Path(__file__).resolve().parents[2]


def merged(*overlays: str, **changes: Any) -> dict[str, Any]:
    """Return config.yaml with overlays of ``config/`` and then changes merged into it."""
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for name in overlays:
        raw = merge(raw, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    return merge(raw, changes)
