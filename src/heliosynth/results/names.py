"""Names of models in figures, tables and prose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heliosynth.config.evaluation import CONTROLS, COPYCAT, PHASE_RANDOM, REAL


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


MODELS: Mapping[str, ModelNames] = {
    "cevae": ModelNames("ceVAE", "the ceVAE"),
    "ddpm_discrete": ModelNames("discrete labels", "the diffusion model with discrete labels"),
    "ddpm_continuous": ModelNames(
        "continuous labels", "the diffusion model with continuous labels"
    ),
    "ddpm_cevae": ModelNames(
        "ceVAE embeddings", "the diffusion model with labels and ceVAE embeddings"
    ),
    COPYCAT: ModelNames("copycat", "training images"),
    PHASE_RANDOM: ModelNames("phase-random", "phase-random images"),
    REAL: ModelNames("benchmark", "the benchmark"),
}
"""The study's models, the controls and the benchmark by their names in the products."""


def model_title(model: str) -> str:
    """Return the title of a model, its name if it is not a model of the study."""
    return MODELS[model].title if model in MODELS else model


def in_prose(model: str) -> str:
    """Return the name of a model within a sentence."""
    return MODELS[model].prose if model in MODELS else f"the model {model}"


def models_in_order(models: Iterable[str]) -> list[str]:
    """Sort models: those of the study, then others by name, the controls, the benchmark last."""
    last = (*CONTROLS, REAL)
    study = [name for name in MODELS if name not in last]

    def position(name: str) -> int:
        if name in last:
            return len(study) + 1 + last.index(name)
        return study.index(name) if name in study else len(study)

    return sorted(set(models), key=lambda name: (position(name), name))
