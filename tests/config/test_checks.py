"""What a later stage would refuse is refused while planning, and what planning accepts works."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st

from heliosynth.config.checks import LEAST_POPULATION
from heliosynth.config.loading import ConfigurationError, merge, resolve
from heliosynth.config.models import DdpmConfig
from heliosynth.diffusion import samplers
from heliosynth.diffusion.noise import SampleNoise
from heliosynth.models.deit import build_deit
from heliosynth.training.objectives import DenoisingObjective, build_objective
from helpers.configurations import merged

DEFAULT = merged()
STUDY = {"kind": "study_unet", "widths": [4, 8, 8, 8], "embedding_dim": 8}
SCHEDULE = {
    "kind": "variance_preserving",
    "noise_steps": 50,
    "beta_first": 1e-4,
    "beta_last": 0.02,
}


def changed(path: str, value: Any, **others: Any) -> dict[str, Any]:
    """Return the default configuration with another value at a path, and other changes."""
    nested: Any = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return merge(merge(copy.deepcopy(DEFAULT), others), nested)


def of_model(path: str, value: Any, key: str = "") -> tuple[dict[str, Any], str]:
    """Return a configuration with another value in a row of `models`, and the key to name."""
    full = f"models.ddpm_discrete.{path}"
    return changed(full, value), key or full


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (changed("source", "archive"), "archive: "),
        (changed("source", "online"), "online: "),
        (changed("dataset.channel", "193A"), "dataset.channel: "),
        (changed("dataset.classes", ["A", "B", "A"]), "dataset.classes: "),
        (changed("dataset.split.test", 0), "dataset.split.test: "),
        (changed("dataset.image_size_px", 256), "dataset.image_size_px: "),
        (changed("simulation.size_px", 24), "dataset.image_size_px: "),
        (changed("simulation.days", 12), "dataset.split: "),
        (changed("simulation.cadence_minutes", 10**6), "dataset.split: "),
        (changed("dataset.split.gap_hours", 3000), "dataset.split: "),
        (changed("dataset.minimum_frames", 433), "dataset.minimum_frames: "),
        (changed("evaluation.clusters", 2160), "evaluation.clusters: "),
        (changed("evaluation.encoders", ["clip", "clip"]), "evaluation.encoders: "),
        (changed("evaluation.repeats", 1), "evaluation.repeats: "),
        (changed("evaluation.flux_response.fluxes", 1), "evaluation.flux_response.fluxes: "),
        (changed("evaluation.clip_weights", ""), "evaluation.clip_weights: "),
        (changed("application.model", "cevae"), "application.model: "),
        (changed("application.patch_px", 12), "application.patch_px: "),
        (changed("application.heads", 3), "application.embedding_dim: "),
        (changed("application.generated_per_class", 41), "application.generated_per_class: "),
        (changed("models.real", {"kind": "cevae"}), "models.real: "),
        (changed("models.Cevae", {"kind": "cevae"}), "differs from models."),
        (changed("models.cevae.widths", [4] * 9), "512 for models.cevae"),
        (changed("models.cevae.sampling.population", 9), "models.cevae.sampling.population: "),
        of_model("sampling.population", 2),
        of_model("sampling.shards", 241, "models.ddpm_discrete.sampling: "),
        of_model("training.ema_decay", 1),
        of_model("training.warmup_images", 15001),
        of_model("training.batch_size", 0),
        of_model("label_dropout", 1),
        of_model("label_dropout", 0, "sampling.guidance: "),
        of_model("condition.embedding_of", "vae"),
        of_model("network.attention_levels", 4),
        of_model("network.embedding_dim", 1),
        of_model("denoiser.sigma_min", 20.0),
        of_model("denoiser.log_sigma_std", 100.0),
        of_model("network", {**STUDY, "widths": [4, 8, 8, 6]}, "network.widths: "),
        of_model("network", {**STUDY, "embedding_dim": 7}, "network.embedding_dim: "),
        of_model("denoiser", {**SCHEDULE, "noise_steps": 15}, "sampling.steps: "),
        of_model("denoiser", {**SCHEDULE, "beta_first": 0.5}, "denoiser.beta_first: "),
        of_model("denoiser", {**SCHEDULE, "beta_last": 1.0}, "denoiser.beta_last: "),
        of_model("denoiser", {**SCHEDULE, "noise_steps": 10**6}, "denoiser.beta_last: "),
        of_model("denoiser", {**SCHEDULE, "noise_steps": 1}, "denoiser.noise_steps: "),
        (
            changed("models.ddpm_discrete", {"preset": "study", "denoiser": {"noise_steps": 500}}),
            "models.ddpm_discrete.sampling.steps: 1000 is more than",
        ),
    ],
)
def test_what_a_later_stage_would_refuse_is_refused(raw: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(raw)
    message = str(caught.value)
    assert key in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("duplicated", ["years", "xrs_satellites"])
def test_an_online_list_names_nothing_twice(duplicated: str) -> None:
    online = {"aia_store": "s3://a/b", "years": [2012], "xrs_satellites": [15]}
    online[duplicated] = online[duplicated] * 2  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match=rf"online\.{duplicated}: .* 2 times"):
        resolve(changed("online", online))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("dataset.minimum_frames", 432),
        ("evaluation.clusters", 2159),
        ("simulation.days", 13),
        ("dataset.split.validation", 0),
        ("application.generated_per_class", 40),
        ("models.ddpm_discrete.sampling.population", LEAST_POPULATION),
        ("models.ddpm_discrete.training.warmup_images", 15000),
        ("models.ddpm_discrete.denoiser", {**SCHEDULE, "noise_steps": 16}),
    ],
)
def test_the_limit_itself_is_accepted(path: str, value: Any) -> None:
    others = {"dataset": {"minimum_frames": 16}} if path == "simulation.days" else {}
    resolve(changed(path, value, **others))


def test_other_wrong_keys_are_named_too() -> None:
    raw = changed("seed", "many", run="a b", dataset={"channel": "17", "foo": 1})
    with pytest.raises(ConfigurationError, match=r"also wrong: seed, dataset\.channel, dataset\."):
        resolve(raw)


SMALL = {
    "image_size": st.sampled_from([8, 16]),
    "network": st.fixed_dictionaries(
        {
            "kind": st.just("study_unet"),
            "widths": st.lists(st.sampled_from([4, 8, 12]), min_size=4, max_size=4),
            "embedding_dim": st.sampled_from([2, 4, 6, 7]),
        }
    )
    | st.fixed_dictionaries(
        {
            "kind": st.just("modern_unet"),
            "patch_px": st.sampled_from([1, 2, 3, 4]),
            "width": st.integers(1, 9),
            "multipliers": st.lists(st.integers(1, 2), min_size=1, max_size=3),
            "blocks": st.just(1),
            "attention_levels": st.integers(1, 2),
            "embedding_dim": st.integers(1, 9),
        }
    ),
    "denoiser": st.fixed_dictionaries(
        {
            "kind": st.just("variance_preserving"),
            "noise_steps": st.integers(2, 8),
            "beta_first": st.sampled_from([1e-4, 0.01]),
            "beta_last": st.sampled_from([0.01, 0.5, 0.999]),
        }
    )
    | st.fixed_dictionaries(
        {
            "kind": st.just("preconditioned"),
            "sigma_data": st.just(0.5),
            "log_sigma_mean": st.sampled_from([-10.0, -0.8, 10.0]),
            "log_sigma_std": st.sampled_from([0.1, 5.0]),
            "sigma_min": st.sampled_from([1e-6, 0.01, 0.1]),
            "sigma_max": st.sampled_from([0.1, 20.0, 1e6]),
        }
    ),
    "sampler": st.sampled_from(["ddpm", "ddim", "heun", "dpm_solver_2m"]),
    "steps": st.integers(1, 4),
    "patch_px": st.sampled_from([2, 4, 5, 8]),
    "heads": st.sampled_from([1, 2, 3, 4, 5]),
}


@settings(max_examples=20, deadline=None, derandomize=True)
@given(**SMALL)
def test_what_planning_accepts_trains_and_samples(
    image_size: int, network: dict, denoiser: dict, sampler: str, steps: int, **application: int
) -> None:
    row = {
        "network": network,
        "denoiser": denoiser,
        "sampling": {"sampler": sampler, "steps": steps},
    }
    raw = merge(DEFAULT, {"models": {"ddpm_discrete": row}})
    raw = merge(raw, {"dataset": {"image_size_px": image_size}, "application": application})
    raw = merge(raw, {"application": {"embedding_dim": 12, "depth": 1}})
    raw = merge(raw, {"defaults": {"cevae": {"widths": [4, 4]}}})
    for name in ("ddpm_continuous", "ddpm_cevae"):
        raw["models"][name] = {**raw["models"][name], "network": {"multipliers": [1]}}
    try:
        configuration = resolve(raw)
    except ConfigurationError:
        event("refused")
        return
    event("accepted")
    model = configuration.models["ddpm_discrete"]
    assert isinstance(model, DdpmConfig)
    objective = build_objective(model, image_size)
    assert isinstance(objective, DenoisingObjective)
    images = torch.zeros(2, 1, image_size, image_size)
    condition = torch.zeros(2, objective.encoder.dim)
    noise = objective.sample_noise(images.shape, torch.Generator().manual_seed(0))
    loss = objective.loss(images, condition, noise)
    loss.backward()
    assert math.isfinite(loss.item())
    sigmas = objective.denoiser.sigmas(steps)
    assert bool((np.diff(np.asarray(sigmas)) < 0).all())
    streams = SampleNoise([1, 2])
    x = sigmas[0] * streams.normal(*images.shape[1:])
    generated = getattr(samplers, sampler)(objective.denoiser, x, sigmas, condition, streams)
    assert bool(torch.isfinite(generated).all())
    build_deit(configuration.application, image_size, 5)(images)
