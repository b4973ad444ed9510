"""What models are called in the paper."""

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


def in_order(found: Iterable[str], known: Iterable[str]) -> list[str]:
    """Sort names as ``known`` has them, unknown ones after them, ``real`` last."""
    order = [name for name in known if name != "real"]
    return sorted(
        set(found),
        key=lambda name: (name == "real", order.index(name) if name in order else 99, name),
    )
