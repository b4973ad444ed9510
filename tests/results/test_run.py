"""Products of a run read back."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from factories.run import build_run
from heliosynth.config.evaluation import CONTROLS, REAL
from heliosynth.errors import InputError
from heliosynth.io.files import read_json, write_json
from heliosynth.results.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(build_run(tmp_path_factory.mktemp("results")))


def test_models_are_grouped_by_kind_and_condition(run: Run) -> None:
    assert run.models == list(run.configuration.models)
    assert {*run.diffusion_models, *run.cevae_models} == set(run.models)
    assert set(run.flux_models) < set(run.diffusion_models)
    assert set(run.metrics) == {*run.models, *CONTROLS, REAL}


def test_classes_are_sorted_by_flux(run: Run) -> None:
    assert run.classes == sorted(run.classes)
    assert len(run.classes) == len(run.presentation.classes)


def test_images_have_the_size_of_the_config(run: Run) -> None:
    size_px = run.configuration.dataset.image_size_px
    for images in (run.split("test").images, run.samples(run.models[0]).images):
        assert images.shape[1:] == (1, size_px, size_px)


def test_a_passed_presentation_replaces_that_of_the_config(run: Run) -> None:
    changed = run.presentation.model_copy(update={"models": {"mine": "ddpm"}})
    assert Run(run.root, presentation_config=changed).models == ["mine"]


def test_a_missing_product_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json: not found; run the workflow first"):
        _ = Run(tmp_path).configuration


def test_a_config_of_another_version_is_named(run: Run, tmp_path: Path) -> None:
    content = read_json(run.root / "config.json")
    write_json(tmp_path / "config.json", {**content, "seed": "one"})
    with pytest.raises(InputError, match=r"config\.json: not a .* \(seed: ") as caught:
        _ = Run(tmp_path).configuration
    assert isinstance(caught.value.__cause__, ValidationError)
