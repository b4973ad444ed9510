"""Generated images depend only on the requested class or flux, and on their seed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from factories.training import CLASS_CONDITION, DENOISER, NETWORK
from heliosynth.arrays import SPLITS
from heliosynth.config.models import PriorSamplingConfig, SamplingConfig
from heliosynth.dataset.store import (
    Description,
    LabelledImages,
    read_description,
    read_samples,
    write_dataset,
)
from heliosynth.errors import InputError
from heliosynth.sampling.generate import (
    generate,
    generate_at_fluxes,
    generate_flux_response,
    generate_samples,
    read_sampling,
)
from heliosynth.sampling.plan import image_seeds, plan_prior, plan_samples
from heliosynth.training.objectives import DenoisingObjective, build_objective
from heliosynth.training.trained_model import (
    TrainedModel,
    load_model,
    read_model_config,
    write_model,
)
from heliosynth.training.trainer import TrainingResult
from helpers.scripts import load

join_samples = load("join_samples").main
sample_flux_response = load("sample_flux_response").main

TRAINING = {"images": 1, "batch_size": 1, "learning_rate": 1.0, "ema_decay": 0.0}
DDPM = {
    "kind": "ddpm",
    "condition": CLASS_CONDITION,
    "network": NETWORK,
    "denoiser": DENOISER,
    "label_dropout": 0.1,
    "training": TRAINING,
}
FLUX_DDPM = {**DDPM, "condition": {"kind": "xray_flux"}}
CEVAE = {
    "kind": "cevae",
    "latent_dim": 4,
    "widths": [4, 8],
    "beta": 0.01,
    "context_fraction": 0.5,
    "training": TRAINING,
}
TRAINED = (1, 2, 4)
SAMPLING = SamplingConfig(
    population=10, batch_size=4, sampler="ddpm", steps=3, guidance=0.5, per_class=3
)


def random_model(config: dict[str, object], name: str = "m") -> TrainedModel:
    """Return a model whose weights are random in all layers."""
    torch.manual_seed(0)
    model_config = read_model_config(json.dumps(config))
    objective = build_objective(model_config, 16)
    if isinstance(objective, DenoisingObjective):
        goes_class = torch.tensor([1, 1, 2, 2, 4, 4])
        objective.encoder.fit(goes_class, torch.linspace(-7, -3.5, 6))
    for parameter in objective.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    objective.eval()
    return TrainedModel(name, model_config, 16, TRAINED, 0, objective)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset whose splits have 2 A, 7 B, 2 C and 1 X; class A is not trained."""
    goes_class = np.repeat([0, 1, 2, 4], [2, 7, 2, 1]).astype(np.int8)
    count = len(goes_class)
    split = LabelledImages(
        images=np.zeros((count, 1, 16, 16), np.float32),
        goes_class=goes_class,
        log10_flux=np.full(count, -6, np.float32),
        time=np.arange(count),
    )
    description = Description("171A", 5.0, 3500.0, TRAINED, "nothing", {"made_of": "zeros"})
    write_dataset(tmp_path / "dataset.h5", dict.fromkeys(SPLITS, split), description)
    return tmp_path / "dataset.h5"


def write_random_model(folder: Path, config: dict[str, object]) -> Path:
    """Write a model with random weights."""
    model = random_model(config)
    result = TrainingResult(
        weights=model.objective.state_dict(),
        best_images=1,
        best_loss=None,
        images=1,
        planned_images=1,
        seconds=1.0,
        stop_reason="planned length",
        history=(),
    )
    write_model(folder, model, result, {})
    return folder


@pytest.fixture
def restored_threads() -> Iterator[None]:
    """Restore torch's number of threads after the test."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_random_model(tmp_path / "model", DDPM)


@pytest.fixture
def flux_folder(tmp_path: Path) -> Path:
    return write_random_model(tmp_path / "flux_model", FLUX_DDPM)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("config", [DDPM, FLUX_DDPM, CEVAE], ids=["class", "flux", "cevae"])
def test_an_image_is_bit_identical_in_any_batch(
    config: dict[str, object], threads: int, restored_threads: None
) -> None:
    torch.set_num_threads(threads)
    model = random_model(config)
    plan = plan_samples(np.array([1, 2, 2, 4], np.int8), TRAINED, 30, 2)
    sampling = SAMPLING if config is not CEVAE else PriorSamplingConfig(population=30)
    seeds = image_seeds(1, model.name, plan)
    images, flux = generate(model, plan.goes_class, seeds, sampling)
    for size in (1, 2, 3, 17):
        part = slice(5, 5 + size)
        again, again_flux = generate(model, plan.goes_class[part], seeds[part], sampling)
        np.testing.assert_array_equal(again, images[part])
        np.testing.assert_array_equal(again_flux, flux[part])
    other = sampling.model_copy(update={"batch_size": 5})
    order = np.random.default_rng(0).permutation(len(plan))
    shuffled, _ = generate(model, plan.goes_class[order], seeds[order], other)
    np.testing.assert_array_equal(shuffled, images[order])
    assert np.abs(images - images[:1])[1:].mean(axis=(1, 2, 3)).min() > 1e-3


def test_an_untrained_class_is_rejected_by_name() -> None:
    model = random_model(DDPM)
    with pytest.raises(InputError, match=r"m: was not trained on class A, .* one of B, C, X"):
        generate(model, np.array([1, 0], np.int8), np.array([1, 2]), SAMPLING)


def test_samples_have_both_sets_and_are_reproducible(
    folder: Path, dataset: Path, tmp_path: Path
) -> None:
    generate_samples(folder, dataset, SAMPLING, seed=5, output=tmp_path / "samples" / "m.h5")
    samples = read_samples(tmp_path / "samples" / "m.h5")
    assert samples.population.sum() == 10
    assert samples.balanced.sum() == 9
    assert set(samples.goes_class.tolist()) == set(TRAINED)
    assert samples.images.dtype == np.float32
    assert np.abs(samples.images).max() <= 1
    assert np.isfinite(samples.log10_flux).all()
    assert np.all(samples.time == -1)
    assert np.all(samples.seed >= 0)
    description = read_description(tmp_path / "samples" / "m.h5")
    assert description.channel == "171A"
    assert description.provenance["sampling"]["steps"] == 3
    generate_samples(folder, dataset, SAMPLING, seed=5, output=tmp_path / "again.h5")
    np.testing.assert_array_equal(read_samples(tmp_path / "again.h5").images, samples.images)


@pytest.mark.parametrize("shards", [2, 3, 10])
def test_joined_shards_are_bit_identical_to_one_job(
    folder: Path, dataset: Path, tmp_path: Path, shards: int
) -> None:
    generate_samples(folder, dataset, SAMPLING, seed=5, output=tmp_path / "one_job.h5")
    sharded = SAMPLING.model_copy(update={"shards": shards, "batch_size": 3})
    parts = [tmp_path / f"{shard}.h5" for shard in range(shards)]
    for shard, part in enumerate(parts):
        generate_samples(folder, dataset, sharded, seed=5, output=part, shard=shard)
    join_samples(["--shards", *map(str, parts), "--output", str(tmp_path / "joined.h5")])
    one_job, joined = read_samples(tmp_path / "one_job.h5"), read_samples(tmp_path / "joined.h5")
    for field in dataclasses.fields(one_job):
        expected, result = getattr(one_job, field.name), getattr(joined, field.name)
        np.testing.assert_array_equal(result, expected, err_msg=field.name)
    assert read_description(tmp_path / "joined.h5").channel == "171A"


def test_weights_that_do_not_fit_their_config_are_rejected(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["row"]["network"]["width"] = 16
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="do not fit"):
        load_model(folder)


def test_samples_of_a_cevae_have_no_class_and_no_flux() -> None:
    model = random_model(CEVAE)
    plan = plan_prior(5)
    seeds = image_seeds(1, "cevae", plan)
    images, flux = generate(model, plan.goes_class, seeds, PriorSamplingConfig(population=5))
    assert images.shape == (5, 1, 16, 16)
    assert np.isnan(flux).all()
    assert np.all(plan.goes_class == -1)
    assert not plan.balanced.any()


def test_sampling_configs_are_read_by_kind() -> None:
    assert read_sampling(SAMPLING.model_dump_json()) == SAMPLING
    assert read_sampling('{"population": 3}') == PriorSamplingConfig(population=3)


def test_an_image_at_a_flux_depends_only_on_flux_and_seed() -> None:
    model = random_model(FLUX_DDPM)
    flux = np.repeat(np.linspace(-7, -3.5, 3, dtype=np.float32), 2)
    seeds = np.tile(np.array([5, 6]), 3)
    # A network of random weights hardly depends on the condition without strong guidance.
    guided = SAMPLING.model_copy(update={"guidance": 30.0})
    images = generate_at_fluxes(model, flux, seeds, guided)
    order = np.random.default_rng(0).permutation(len(flux))
    single = guided.model_copy(update={"batch_size": 1})
    again = generate_at_fluxes(model, flux[order], seeds[order], single)
    np.testing.assert_array_equal(again, images[order])
    differences = np.abs(np.diff(images[::2], axis=0)).mean(axis=(1, 2, 3))
    assert differences.min() > 1e-3


def test_a_flux_response_has_the_same_seeds_at_all_fluxes(
    flux_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    sample_flux_response(
        [
            *("--model", str(flux_folder), "--dataset", str(dataset), "--seed", "5"),
            *("--sampling", SAMPLING.model_dump_json(), "--fluxes", "4", "--images", "3"),
            *("--output", str(tmp_path / "response.h5")),
        ]
    )
    samples = read_samples(tmp_path / "response.h5")
    assert samples.images.shape == (12, 1, 16, 16)
    fluxes = samples.log10_flux.reshape(4, 3)
    np.testing.assert_allclose(fluxes[:, 0], np.linspace(-7, -3.5, 4), rtol=1e-6)
    assert np.all(fluxes == fluxes[:, :1])
    seeds = samples.seed.reshape(4, 3)
    assert np.all(seeds == seeds[0])
    assert len(set(seeds[0].tolist())) == 3
    # Fluxes of 10^-7, 10^-5.83, 10^-4.67 and 10^-3.5 W/m².
    assert samples.goes_class.reshape(4, 3)[:, 0].tolist() == [1, 2, 3, 4]
    assert not samples.population.any()
    assert read_description(tmp_path / "response.h5").provenance["model"] == "m"
    more = tmp_path / "more.h5"
    generate_flux_response(flux_folder, dataset, SAMPLING, fluxes=4, images=5, seed=5, output=more)
    assert set(seeds[0]) < set(read_samples(more).seed)


@pytest.mark.parametrize(("config", "reason"), [(DDPM, "is the class"), (CEVAE, "no condition")])
def test_a_model_without_a_flux_condition_is_rejected(
    config: dict[str, object], reason: str
) -> None:
    with pytest.raises(InputError, match=rf"m: .*{reason}.* sampled at a flux; name a model"):
        generate_at_fluxes(random_model(config), np.float32([-6]), np.array([1]), SAMPLING)
