"""The counted work of a run against what the networks do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from benchmarks.floors import flop_counter
from benchmarks.work import Images, flops_of, generated, parameters, parts

from heliosynth.config.loading import merge, resolve
from heliosynth.config.schema import RunConfig
from heliosynth.models import build_network

IMAGES = Images({"A": 30, "B": 60, "M": 10}, validation=20, test=40)
Make = Callable[..., RunConfig]


@pytest.fixture
def resolved() -> Make:
    """Give the default configuration with some changes."""
    path = Path(__file__).parents[2] / "config.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return lambda **changes: resolve(merge(raw, changes))


@pytest.fixture
def configuration(resolved: Make) -> RunConfig:
    return resolved()


def test_steps_and_passes_are_those_of_the_settings(configuration: RunConfig) -> None:
    row = configuration.models["ddpm_discrete"]
    work = parts(configuration, IMAGES)["train_ddpm_discrete"]
    images, batch = row.training.images, row.training.batch_size
    assert work.steps == -(-images // batch)
    assert work.passes == -(-row.training.validations * IMAGES.validation // batch)


def test_operations_are_those_that_a_network_does(configuration: RunConfig) -> None:
    row, size = configuration.models["ddpm_discrete"], configuration.dataset.image_size_px
    network = build_network(row.network, size, 6)
    x, label, condition = torch.randn(2, 1, size, size), torch.rand(2), torch.rand(2, 6)
    with flop_counter() as counter:
        network(x, label, condition).sum().backward()
    counted = flops_of(network, 2, size)
    # Attention on a processor computes its weights anew on the way back.
    assert counted.step_flops == pytest.approx(counter.get_total_flops(), rel=0.1)
    assert counted.step_flops > 2 * counted.pass_flops > 0


def test_guidance_doubles_the_work_and_heun_takes_two_evaluations_a_step(resolved: Make) -> None:
    def work(**sampling: object) -> float:
        given = {"ddpm_discrete": {"sampling": sampling}}
        return parts(resolved(models=given), IMAGES)["sample_ddpm_discrete"].flops

    plain = work(sampler="ddim", steps=10, guidance=0.0)
    assert work(sampler="ddim", steps=10, guidance=1.0) == pytest.approx(2 * plain)
    assert work(sampler="heun", steps=10, guidance=0.0) == pytest.approx(1.9 * plain)


def test_rare_classes_add_images_beyond_the_population(resolved: Make) -> None:
    sampling = {"sampling": {"population": 100, "per_class": 20}}
    row = resolved(models={"ddpm_discrete": sampling}).models["ddpm_discrete"]
    assert generated(row, IMAGES) == 30 + 60 + 20


def test_weights_are_counted_without_making_them(configuration: RunConfig) -> None:
    row, size = configuration.models["ddpm_discrete"], configuration.dataset.image_size_px
    network = build_network(row.network, size, 6)
    own = sum(p.numel() for p in network.parameters())
    assert parameters(row, configuration) == pytest.approx(own, rel=0.01)
