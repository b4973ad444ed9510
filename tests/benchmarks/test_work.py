"""Counted work of a run, compared with the networks."""

from __future__ import annotations

import pytest
import torch
from benchmarks.floors import flop_counter
from benchmarks.work import Images, flops_of, generated, parameters, parts

from heliosynth.config.loading import resolve
from heliosynth.config.schema import RunConfig
from heliosynth.models import build_network
from helpers.configurations import merged

IMAGES = Images({"A": 30, "B": 60, "M": 10}, validation=20, test=40)
OTHER_MODELS = dict.fromkeys(("ddpm_continuous", "ddpm_cevae"))
"""Rows of models to leave out."""


@pytest.fixture
def configuration() -> RunConfig:
    return resolve(merged())


def test_steps_and_passes_follow_from_the_settings() -> None:
    configuration = resolve(merged(models=OTHER_MODELS))
    config = configuration.models["ddpm_discrete"]
    work = parts(configuration, IMAGES)["train_ddpm_discrete"]
    images, batch = config.training.images, config.training.batch_size
    assert work.steps == -(-images // batch)
    assert work.passes == -(-config.training.validations * IMAGES.validation // batch)


def test_counted_operations_match_the_network(configuration: RunConfig) -> None:
    config, size = configuration.models["ddpm_discrete"], configuration.dataset.image_size_px
    network = build_network(config.network, size, 6)
    x, label, condition = torch.randn(2, 1, size, size), torch.rand(2), torch.rand(2, 6)
    with flop_counter() as counter:
        network(x, label, condition).sum().backward()
    counted = flops_of(network, 2, size)
    # On a CPU the backward pass of attention recomputes its weights.
    assert counted.step_flops == pytest.approx(counter.get_total_flops(), rel=0.1)
    assert counted.step_flops > 2 * counted.pass_flops > 0


def test_guidance_and_heun_double_the_evaluations() -> None:
    def work(**sampling: object) -> float:
        models = {"ddpm_discrete": {"sampling": sampling}, **OTHER_MODELS}
        return parts(resolve(merged(models=models)), IMAGES)["sample_ddpm_discrete"].flops

    plain = work(sampler="ddim", steps=10, guidance=0.0)
    assert work(sampler="ddim", steps=10, guidance=1.0) == pytest.approx(2 * plain)
    assert work(sampler="heun", steps=10, guidance=0.0) == pytest.approx(1.9 * plain)


def test_the_balanced_set_adds_images_of_rare_classes() -> None:
    sampling = {"sampling": {"population": 200, "per_class": 40}}
    configuration = resolve(merged(models={"ddpm_discrete": sampling}))
    assert generated(configuration.models["ddpm_discrete"], IMAGES) == 60 + 120 + 40


def test_weights_are_counted_on_fake_tensors(configuration: RunConfig) -> None:
    config, size = configuration.models["ddpm_discrete"], configuration.dataset.image_size_px
    network = build_network(config.network, size, 6)
    expected = sum(p.numel() for p in network.parameters())
    assert parameters(config, configuration) == pytest.approx(expected, rel=0.01)
