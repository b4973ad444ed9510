"""Metrics published by Ramunno et al. (2024)."""

from __future__ import annotations

from collections.abc import Mapping

PUBLISHED: Mapping[str, Mapping[str, str]] = {
    "cevae": {
        "cluster_error": "7.948 ± 0.914",
        "cluster_distance": "2.206 ± 0.009",
        "cluster_std": "3.239 ± 0.009",
        "fid_clip": "5.05",
    },
    "ddpm_discrete": {
        "cluster_error": "0.130 ± 0.036",
        "cluster_distance": "0.921 ± 0.004",
        "cluster_std": "1.211 ± 0.004",
        "fid_clip": "0.122",
        "f1": "0.70",
        "precision": "0.73",
        "recall": "0.74",
    },
    "ddpm_continuous": {
        "cluster_error": "1.503 ± 0.147",
        "cluster_distance": "0.934 ± 0.002",
        "cluster_std": "1.098 ± 0.002",
        "fid_clip": "0.057",
        "f1": "0.34",
        "precision": "0.35",
        "recall": "0.37",
    },
    "ddpm_cevae": {
        "cluster_error": "0.207 ± 0.036",
        "cluster_distance": "0.838 ± 0.005",
        "cluster_std": "1.480 ± 0.005",
        "fid_clip": "0.39",
        "f1": "0.60",
        "precision": "0.60",
        "recall": "0.70",
    },
    "real": {
        "cluster_error": "0.002",
        "cluster_distance": "1.001",
        "cluster_std": "0.998",
    },
}
"""``{model: {metric: value as printed}}``; the FID is that of CLIP features."""


def published(model: str, metric: str) -> tuple[float | None, float | None]:
    """Return a published value and its spread, each None if it was not published."""
    text = PUBLISHED.get(model, {}).get(metric)
    if text is None:
        return None, None
    value, _, spread = text.partition(" ± ")
    return float(value), float(spread) if spread else None
