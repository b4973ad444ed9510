"""Products of one run, read by figures, tables and the paper's macros."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from heliosynth import goes_class
from heliosynth.config.presentation import PresentationConfig
from heliosynth.config.schema import RunConfig
from heliosynth.dataset.store import (
    Description,
    GeneratedImages,
    LabelledImages,
    read_description,
    read_samples,
    read_split,
)
from heliosynth.errors import InputError
from heliosynth.io.files import read_json_product


@dataclass(frozen=True)
class Run:
    """A folder ``results/<run>/``.

    Attributes
    ----------
    root
        The folder.
    simulated, archive
        Folders of raw frames in an archive's layout, for the figure that compares them.
    presentation_config
        The settings that figures and tables depend on. None reads them from ``config.json``, which
        every change of the configuration rewrites.
    """

    root: Path
    simulated: Path | None = None
    archive: Path | None = None
    presentation_config: PresentationConfig | None = None

    def path(self, product: str) -> Path:
        """Return the path of a product.

        Raises
        ------
        InputError
            If it does not exist.
        """
        path = self.root / product
        if not path.exists():
            raise InputError(f"{path}: not found; run the workflow first")
        return path

    @cached_property
    def configuration(self) -> RunConfig:
        """The resolved configuration.

        Raises
        ------
        InputError
            If ``config.json`` is missing, or not a configuration of this version.
        """
        path = self.path("config.json")
        content = read_json_product(path)
        try:
            return RunConfig.model_validate(content)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]
            key = ".".join(map(str, reason["loc"]))
            raise InputError(
                f"{path}: not a configuration of this version ({key}: {reason['msg']}); "
                "run the workflow again"
            ) from error

    @cached_property
    def presentation(self) -> PresentationConfig:
        """The settings that figures and tables depend on."""
        return self.presentation_config or PresentationConfig.of(self.configuration)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """``dataset/summary.json``: the counts of frames."""
        return self.json("dataset/summary.json")

    @cached_property
    def description(self) -> Description:
        """The description of the dataset."""
        return read_description(self.path("dataset/dataset.h5"))

    @cached_property
    def metrics(self) -> dict[str, dict[str, dict[str, Any] | None]]:
        """``metrics/summary.json``: ``{model: {metric: {value, std, n} or None}}``."""
        return self.json("metrics/summary.json")

    @property
    def classes(self) -> list[int]:
        """The class numbers of the study, in order of flux."""
        return sorted(goes_class.NAMES.index(name) for name in self.presentation.classes)

    @property
    def models(self) -> list[str]:
        """The models, in the order of the configuration."""
        return list(self.presentation.models)

    @property
    def diffusion_models(self) -> list[str]:
        """The diffusion models."""
        return self.presentation.diffusion_models

    @property
    def cevae_models(self) -> list[str]:
        """The ceVAEs."""
        return self.presentation.cevae_models

    @property
    def flux_models(self) -> list[str]:
        """The models that are conditioned on the X-ray flux."""
        return self.presentation.flux_models

    @property
    def origin(self) -> str:
        """Origin of the images of the dataset: ``simulated`` or ``real``."""
        return "simulated" if self.presentation.source == "simulated" else "real"

    def json(self, product: str) -> dict[str, Any]:
        """Read a JSON product that is an object."""
        content: dict[str, Any] = read_json_product(self.path(product))
        return content

    def rows(self, product: str) -> list[dict[str, str]]:
        """Read a CSV product: a dictionary of strings per row."""
        with self.path(product).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def split(self, name: str) -> LabelledImages:
        """Read a split of the dataset."""
        return read_split(self.path("dataset/dataset.h5"), name)

    def samples(self, model: str) -> GeneratedImages:
        """Read a model's generated images."""
        return read_samples(self.path(f"samples/{model}.h5"))
