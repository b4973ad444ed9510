"""Names of models in figures, tables and prose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelNames:
    """Names of a model.

    Attributes
    ----------
    title
        In figures and tables.
    prose
        Within a sentence.
    """

    title: str
    prose: str


REAL = "real"
"""The test split, which is measured like a model."""

MODELS: Mapping[str, ModelNames] = {
    "cevae": ModelNames("ceVAE", "the ceVAE"),
    "ddpm_discrete": ModelNames("discrete labels", "the diffusion model with discrete labels"),
    "ddpm_continuous": ModelNames(
        "continuous labels", "the diffusion model with continuous labels"
    ),
    "ddpm_cevae": ModelNames(
        "ceVAE embeddings", "the diffusion model with labels and ceVAE embeddings"
    ),
    REAL: ModelNames("benchmark", "the benchmark"),
}
"""The study's models and the benchmark by their names in the products."""


def model_title(model: str) -> str:
    """Return the title of a model, its name if it is not a model of the study."""
    return MODELS[model].title if model in MODELS else model


def in_prose(model: str) -> str:
    """Return the name of a model within a sentence."""
    return MODELS[model].prose if model in MODELS else f"the model {model}"


def models_in_order(models: Iterable[str]) -> list[str]:
    """Sort models: those of the study, then others by name, the benchmark last."""
    study = [name for name in MODELS if name != REAL]

    def position(name: str) -> int:
        return study.index(name) if name in study else len(study) + (name == REAL)

    return sorted(set(models), key=lambda name: (position(name), name))
