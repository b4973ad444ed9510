"""What the rules ask of the configuration: paths, raw inputs, settings and code hashes.

The Snakefile builds one :class:`Plan` and reads nothing else, so the rules stay rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from heliosynth.config.models import ClassConditionConfig, DdpmConfig
from heliosynth.config.presentation import PresentationConfig
from heliosynth.config.schema import RunConfig
from heliosynth.figures.registry import Figure, of_run
from heliosynth.paper.macros import PRODUCTS as NUMBERS
from heliosynth.paper.tables import TABLES
from heliosynth.sources import locations
from heliosynth.sources.archive import locate
from heliosynth.sources.locations import RawInputs
from heliosynth.sources.manifest import SUFFIX as MANIFEST
from heliosynth.workflow.fingerprint import SOURCE, fingerprint
from heliosynth.workflow.registries import check_registries

SCRIPTS = SOURCE.parent / "workflow" / "scripts"
LARGEST_INCREASE = 4
"""The largest factor by which a job's memory grows."""


def memory_per_attempt(mem_mb: int) -> Callable[[object, int], int]:
    """Return a rule's memory: doubled at each attempt, up to :data:`LARGEST_INCREASE`.

    It has a limit since a training whose time is up is attempted again, too, and needs no more
    memory.

    Parameters
    ----------
    mem_mb
        Memory at the first attempt, MB.

    Returns
    -------
    callable
        What Snakemake calls with the wildcards and the number of the attempt, from 1.
    """

    def memory(wildcards: object, attempt: int) -> int:
        return mem_mb * min(1 << (attempt - 1), LARGEST_INCREASE)

    return memory


@dataclass(frozen=True)
class Plan:
    """A validated configuration, as the rules see it.

    Raises
    ------
    heliosynth.errors.InputError
        When made, if the configured archive is not there or lacks the channel.
    """

    configuration: RunConfig

    def __post_init__(self) -> None:
        check_registries()
        locations.check(self.configuration)

    @cached_property
    def results(self) -> str:
        """The folder of every product."""
        return f"results/{self.configuration.run}"

    @cached_property
    def resources(self) -> str:
        """The folder of raw inputs that this run makes or fetches."""
        return f"resources/{self.configuration.run}"

    @cached_property
    def raw_inputs(self) -> RawInputs:
        """The raw inputs of the configured source."""
        return locations.raw_inputs(self.configuration, self.resources)

    @cached_property
    def manifests(self) -> list[str]:
        """The manifests of all raw inputs of this run."""
        years = self.raw_inputs.years
        read = [f"{self.results}/dataset/intensities/{year}{MANIFEST}" for year in years]
        if self.fetched_clip_weights in self.encoder_weights("clip") and "clip" in self.encoders:
            read.append(f"{self.fetched_clip_weights}{MANIFEST}")
        return [*self.raw_inputs.manifests, *read]

    @cached_property
    def models(self) -> list[str]:
        """The rows of the study."""
        return list(self.configuration.models)

    @cached_property
    def flux_models(self) -> list[str]:
        """The rows that are conditioned on the X-ray flux."""
        return self.configuration.flux_models

    @cached_property
    def autoencoder(self) -> str:
        """The ceVAE whose latent space is mapped."""
        return next(n for n, row in self.configuration.models.items() if row.kind == "cevae")

    @cached_property
    def encoders(self) -> list[str]:
        """The feature encoders."""
        return list(self.configuration.evaluation.encoders)

    @cached_property
    def fetched_clip_weights(self) -> str:
        """The weights of CLIP, where the model hub is asked for them."""
        return f"{self.resources}/clip/open_clip_model.safetensors"

    def encoder_weights(self, encoder: str) -> list[str]:
        """Give the file of an encoder's weights; none where they come with a package."""
        given = self.configuration.evaluation.clip_weights
        return [given or self.fetched_clip_weights] if encoder == "clip" else []

    @cached_property
    def figures(self) -> list[str]:
        """The figures of this run."""
        return list(self._figures)

    @cached_property
    def tables(self) -> list[str]:
        """The tables of this run."""
        return list(TABLES)

    @cached_property
    def population(self) -> int:
        """Images that every row is measured on, the real one too."""
        return min(row.sampling.population for row in self.configuration.models.values())

    def settings(self, section: BaseModel, exclude: set[str] | None = None) -> str:
        """Give a section as the JSON that a script takes."""
        return section.model_dump_json(exclude=exclude)

    def code(self, script: str, *references: str) -> str:
        """Return a hash of what a script does, with functions that its arguments name."""
        return fingerprint(SCRIPTS / f"{script}.py", *references)

    def shards(self, model: str) -> list[str]:
        """Give the files that a model's images are made in, each by a job of its own."""
        count = self.configuration.models[model].sampling.shards
        return [f"{self.results}/samples/shards/{model}/{shard}.h5" for shard in range(count)]

    def embedding_model(self, model: str) -> list[str]:
        """Give the folder of the model whose embedding a row is conditioned on, if any."""
        row = self.configuration.models[model]
        if isinstance(row, DdpmConfig) and isinstance(row.condition, ClassConditionConfig):
            named = row.condition.embedding_of
            return [f"{self.results}/models/{named}"] if named else []
        return []

    def figure_inputs(self, name: str) -> list[str]:
        """Give the products that a figure reads."""
        return self._expand(self._figures[name].products)

    def figure_code(self, name: str) -> str:
        """Return a hash of what a figure does: of its own module and what all figures share."""
        return self.code("figure", self._figures[name].reference)

    def figure_raw_inputs(self, name: str) -> list[str]:
        """Give the folders of raw inputs that a figure compares: simulated, then real."""
        simulated = f"{self.resources}/simulated"
        compared = [simulated, str(self.configuration.archive)]
        return compared if self._figures[name].needs_archive else []

    def figure_raw_options(self, name: str) -> list[str]:
        """Give the same folders as options of the script."""
        raw = self.figure_raw_inputs(name)
        return ["--simulated", raw[0], "--archive", raw[1]] if raw else []

    def table_inputs(self, name: str) -> list[str]:
        """Give the products that a table reads."""
        return self._expand(TABLES[name].products)

    @cached_property
    def presentation(self) -> str:
        """What figures and tables need to know beside products, as JSON."""
        return self.settings(self._presentation)

    @cached_property
    def number_inputs(self) -> list[str]:
        """The products whose numbers stand in the prose."""
        return self._expand(NUMBERS)

    @cached_property
    def _presentation(self) -> PresentationConfig:
        return PresentationConfig.of(self.configuration)

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        archive = self.configuration.archive
        has_store = archive is not None and locate(archive).aia_store is not None
        return of_run(self._presentation, archive=has_store)

    def _expand(self, products: tuple[str, ...]) -> list[str]:
        """Return the paths of products, a placeholder filled in with every value of the run."""
        years = [str(year) for year in self.raw_inputs.years]
        values = {**self._presentation.placeholders, "year": years}
        paths: dict[str, None] = {}
        for product in products:
            keys = [key for key in values if f"{{{key}}}" in product]
            for combination in itertools.product(*(values[key] for key in keys)):
                filled = product.format(**dict(zip(keys, combination, strict=True)))
                paths[f"{self.results}/{filled}"] = None
        return list(paths)
