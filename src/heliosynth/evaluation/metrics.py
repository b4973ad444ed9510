"""The registry of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

METRICS: Mapping[str, str] = {
    "cluster_error": "cluster error",
    "cluster_distance": "cluster distance",
    "cluster_std": "cluster std",
    "fid": "FID",
    "kid": "KID",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
}
"""The study's metrics; ``fid`` and ``kid`` are followed by an encoder in the products."""

IDEAL: Mapping[str, float] = {
    "cluster_error": 0.0,
    "cluster_distance": 1.0,
    "cluster_std": 1.0,
    "fid": 0.0,
    "kid": 0.0,
    "f1": 1.0,
    "precision": 1.0,
    "recall": 1.0,
}
"""The value of each metric that a perfect model would reach."""

ENCODERS: Mapping[str, str] = {"efficientnet_lite0": "EfficientNet-Lite0", "clip": "CLIP"}
"""The feature encoders."""


def split_metric(metric: str) -> tuple[str, str | None]:
    """Split ``fid_clip`` into the metric and its encoder, which other metrics lack."""
    family, _, encoder = metric.partition("_")
    return (family, encoder) if family in ("fid", "kid") else (metric, None)


def metric_title(metric: str) -> str:
    """Give what a metric is called, its encoder in brackets."""
    family, encoder = split_metric(metric)
    title = METRICS.get(family, family)
    return title if encoder is None else f"{title} ({ENCODERS.get(encoder, encoder)})"


def metrics_in_order(found: Iterable[str]) -> list[str]:
    """Sort metrics as the study lists them."""
    families = list(METRICS)
    return sorted(
        set(found),
        key=lambda name: (
            families.index(split_metric(name)[0]) if split_metric(name)[0] in families else 99,
            name,
        ),
    )
