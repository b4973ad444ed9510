"""A finished run with invented content, written by the library's own writers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factories.dataset import COUNTS, write_dataset_products
from factories.metrics import (
    write_application,
    write_embedding_map,
    write_flux_responses,
    write_memorisation,
    write_metrics,
)
from factories.models import write_models
from factories.physics import write_physics
from heliosynth.config.loading import merge, resolve
from heliosynth.config.schema import RunConfig
from heliosynth.io.files import write_json
from helpers.configurations import merged

OBSERVATIONS = "invented images for tests (λ = 171 Å, 100 % fake & under_scored)"
SETTINGS: Mapping[str, Any] = {
    "run": "test_run",
    "observations": OBSERVATIONS,
    "dataset": {"scarce_classes": "report"},
}


def configuration(without: tuple[str, ...] = (), **changes: Any) -> RunConfig:
    """Return the default configuration with changes, without some of its models."""
    raw = merge(merged(**SETTINGS), changes)
    raw["models"] = {name: config for name, config in raw["models"].items() if name not in without}
    return resolve(raw)


def build_run(
    root: Path,
    counts: Mapping[str, int] | None = None,
    without: tuple[str, ...] = (),
    **changes: Any,
) -> Path:
    """Write every product of a run that figures, tables and the paper read.

    Parameters
    ----------
    root
        The folder of all runs.
    counts
        Frames of some classes, instead of those in :data:`factories.dataset.COUNTS`.
    without
        Models of the default configuration that the run does not have.
    **changes
        Sections that override the default configuration.

    Returns
    -------
    Path
        The folder of the run.
    """
    settings = configuration(without, **changes)
    results = root / settings.run
    write_json(results / "config.json", settings.model_dump(mode="json"))
    write_dataset_products(results, settings, {**COUNTS, **(counts or {})})
    write_models(results, settings)
    write_metrics(results, settings)
    write_flux_responses(results, settings)
    write_memorisation(results, settings)
    write_physics(results, settings)
    write_embedding_map(results)
    write_application(results, settings)
    return results
