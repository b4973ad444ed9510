"""What models, metrics and encoders are called in the paper, and the numbers published for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MODELS: Mapping[str, str] = {
    "cevae": "ceVAE",
    "ddpm_discrete": "discrete labels",
    "ddpm_continuous": "continuous labels",
    "ddpm_cevae": "ceVAE embeddings",
    "real": "real",
}
"""The study's models by the names of their products; ``real`` is real against real."""

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
"""Ramunno et al. (2024), {model: {metric: value as printed}}; the FID is of CLIP features."""


def published(model: str, metric: str) -> tuple[float | None, float | None]:
    """Give a published value and its spread, None where none was published."""
    text = PUBLISHED.get(model, {}).get(metric)
    if text is None:
        return None, None
    value, _, spread = text.partition(" ± ")
    return float(value), float(spread) if spread else None


SAMPLERS: Mapping[str, str] = {
    "ddpm": "ancestral",
    "ddim": "DDIM",
    "heun": "Heun",
    "dpm_solver_2m": "DPM-Solver++(2M)",
}
"""The samplers."""

_IN_PROSE: Mapping[str, str] = {
    "cevae": "the ceVAE",
    "ddpm_discrete": "the diffusion model with discrete labels",
    "ddpm_continuous": "the diffusion model with continuous labels",
    "ddpm_cevae": "the diffusion model with labels and ceVAE embeddings",
}


def in_prose(model: str) -> str:
    """Give what a model is called inside a sentence."""
    return _IN_PROSE.get(model, f"the model {model}")


def model_title(model: str) -> str:
    """Give what a model is called; a row that the study does not know keeps its own name."""
    return MODELS.get(model, model)


def split_metric(metric: str) -> tuple[str, str | None]:
    """Split ``fid_clip`` into the metric and its encoder, which other metrics lack."""
    family, _, encoder = metric.partition("_")
    return (family, encoder) if family in ("fid", "kid") else (metric, None)


def metric_title(metric: str) -> str:
    """Give what a metric is called, its encoder in brackets."""
    family, encoder = split_metric(metric)
    title = METRICS.get(family, family)
    return title if encoder is None else f"{title} ({ENCODERS.get(encoder, encoder)})"


def in_order(found: Iterable[str], known: Iterable[str]) -> list[str]:
    """Sort names as ``known`` has them, unknown ones after them, ``real`` last."""
    order = [name for name in known if name != "real"]
    return sorted(
        set(found),
        key=lambda name: (name == "real", order.index(name) if name in order else 99, name),
    )


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
