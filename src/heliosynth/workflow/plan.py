"""Plan of a run: what the rules derive from the configuration, checked before the first job."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from heliosynth.config.evaluation import CONTROLS
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
from heliosynth.workflow.inputs import check_inputs
from heliosynth.workflow.raw_state import RawStates
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
    """What the rules cannot read from a validated configuration directly.

    Raises
    ------
    InputError
        When made, if a registry row, the configured archive or a configured file is wrong.
    """

    configuration: RunConfig

    def __post_init__(self) -> None:
        check_registries()
        locations.check(self.configuration)
        check_inputs(self.configuration)
        self.raw_states.determine()

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
    def raw_states(self) -> RawStates:
        """The states of the raw inputs, which re-run what reads them."""
        return RawStates(self.configuration, self.raw_inputs, self.resources)

    @cached_property
    def manifests(self) -> list[str]:
        """The manifests of all raw inputs of this run."""
        frames = [
            f"{self.results}/dataset/intensities/{year}{MANIFEST}" for year in self.raw_inputs.years
        ]
        weights = [
            f"{path}{MANIFEST}"
            for encoder in self.configuration.evaluation.encoders
            for path in self.encoder_inputs(encoder)
        ]
        return [*self.raw_inputs.manifests, *frames, *weights]

    @cached_property
    def fetched_clip_weights(self) -> str:
        """The weights of CLIP, as fetched from the model hub."""
        return f"{self.resources}/clip/open_clip_model.safetensors"

    def encoder_weights(self, encoder: str) -> list[str]:
        """Return the file of an encoder's weights; none where they come with a package."""
        path = self.configuration.evaluation.clip_weights or self.fetched_clip_weights
        return [path] if encoder == "clip" else []

    def encoder_inputs(self, encoder: str) -> list[str]:
        """Return the file of an encoder's weights if a rule fetches it."""
        return [path for path in self.encoder_weights(encoder) if path == self.fetched_clip_weights]

    def encoder_state(self, encoder: str) -> str:
        """Return the state of an encoder's weights that are a file of the user."""
        return self.raw_states.clip_weights if encoder == "clip" else ""

    def embedding_model(self, model: str) -> list[str]:
        """Return the folder of the model whose embedding a model is conditioned on, if any."""
        config = self.configuration.models[model]
        if isinstance(config, DdpmConfig) and isinstance(config.condition, ClassConditionConfig):
            name = config.condition.embedding_of
            return [f"{self.results}/models/{name}"] if name else []
        return []

    @cached_property
    def autoencoder(self) -> str:
        """The ceVAE whose latent space is mapped: the first."""
        models = self.configuration.models
        return next(name for name, config in models.items() if config.kind == "cevae")

    @cached_property
    def population(self) -> int:
        """The number of images that every model, and the real images, are measured on."""
        return min(config.sampling.population for config in self.configuration.models.values())

    @cached_property
    def per_class(self) -> int:
        """The number of images of each class in the balanced sets of the controls."""
        models = self.configuration.models.values()
        return max(m.sampling.per_class for m in models if isinstance(m, DdpmConfig))

    @cached_property
    def rows(self) -> list[str]:
        """The models and the controls, which are measured alike."""
        return [*CONTROLS, *self.configuration.models]

    @cached_property
    def presentation(self) -> str:
        """The settings that figures and tables depend on, as JSON."""
        return self._presentation.model_dump_json()

    @cached_property
    def figures(self) -> list[str]:
        """The figures of this run."""
        return list(self._figures)

    @cached_property
    def tables(self) -> list[str]:
        """The tables of this run."""
        return list(TABLES)

    def figure_inputs(self, figure: str) -> list[str]:
        """Return the products that a figure reads."""
        return self._expand(self._figures[figure].products)

    def figure_raw_inputs(self, figure: str) -> list[str]:
        """Return the folder of simulated raw inputs, if a figure compares them with an archive."""
        return [f"{self.resources}/simulated"] if self._figures[figure].needs_archive else []

    def figure_raw_options(self, figure: str) -> list[str]:
        """Return the options that name the raw inputs which a figure compares."""
        simulated = [f"--simulated={folder}" for folder in self.figure_raw_inputs(figure)]
        return [*simulated, f"--archive={self.configuration.archive}"] if simulated else []

    def figure_raw_state(self, figure: str) -> str:
        """Return the state of the raw inputs that a figure compares."""
        return self.raw_states.compared if self._figures[figure].needs_archive else ""

    def table_inputs(self, table: str) -> list[str]:
        """Return the products that a table reads."""
        return self._expand(TABLES[table].products)

    @cached_property
    def number_inputs(self) -> list[str]:
        """The products with the numbers of the prose."""
        return self._expand(NUMBERS)

    def code(self, script: str, *references: str) -> str:
        """Return a hash of what a script does, with functions that its arguments name."""
        return fingerprint(SCRIPTS / f"{script}.py", *references)

    def figure_code(self, figure: str) -> str:
        """Return a hash of what a figure does: its own module and what all figures share."""
        return self.code("figure", self._figures[figure].reference)

    @cached_property
    def _presentation(self) -> PresentationConfig:
        return PresentationConfig.of(self.configuration)

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        archive = self.configuration.archive
        has_store = archive is not None and locate(archive).aia_store is not None
        return of_run(self._presentation, archive=has_store)

    def _expand(self, products: tuple[str, ...]) -> list[str]:
        """Return the paths of products, with each placeholder replaced by all its values."""
        years = [str(year) for year in self.raw_inputs.years]
        values = {**self._presentation.placeholders, "year": years}
        paths: dict[str, None] = {}
        for product in products:
            keys = [key for key in values if f"{{{key}}}" in product]
            for combination in itertools.product(*(values[key] for key in keys)):
                path = product.format(**dict(zip(keys, combination, strict=True)))
                paths[f"{self.results}/{path}"] = None
        return list(paths)
