"""Loading of the configuration: presets, defaults, and errors that name the wrong key."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.config.loading import ConfigurationError, merge, resolve
from heliosynth.config.schema import RunConfig
from helpers.configurations import merged

DEFAULT = merged()
ONLINE = {"years": [2012], "xrs_satellites": [15]}


def changed(path: str, value: object) -> dict:
    """Return the default configuration with another value at a path of keys."""
    raw = copy.deepcopy(DEFAULT)
    *parents, leaf = path.split(".")
    section = raw
    for parent in parents:
        section = section[parent]
    section[leaf] = value
    return raw


def test_the_default_has_the_four_models_of_the_study() -> None:
    configuration = resolve(DEFAULT)
    assert list(configuration.models) == ["cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae"]
    assert configuration.models["ddpm_cevae"].condition.embedding_of == "cevae"


def test_the_order_of_models_does_not_depend_on_merging() -> None:
    shuffled = dict(sorted(DEFAULT["models"].items(), reverse=True))
    shuffled["another"] = shuffled["ddpm_discrete"]
    models = list(resolve({**DEFAULT, "models": shuffled}).models)
    assert models == [*resolve(DEFAULT).models, "another"]


def test_models_override_defaults_and_defaults_presets() -> None:
    raw = changed("models.ddpm_discrete.training", {"learning_rate": 0.5})
    raw["defaults"]["ddpm"]["training"]["batch_size"] = 7
    training = resolve(raw).models["ddpm_discrete"].training
    assert (training.learning_rate, training.batch_size) == (0.5, 7)
    assert training.gradient_clip == 1.0


def test_overlays_are_valid() -> None:
    paper = resolve(merged("paper.yaml"))
    model = paper.models["ddpm_discrete"]
    assert (model.training.epochs, model.training.batch_size) == (500, 12)
    assert model.denoiser.noise_steps == 1000
    assert resolve(merged("archive.yaml", archive="somewhere")).dataset.image_size_px == 64


@pytest.mark.parametrize("host", ["s3://a", "gs://a", "https://a.org", "http://127.0.0.1:8000", ""])
def test_a_store_can_be_encrypted_or_local(host: str) -> None:
    raw = changed("online", {**ONLINE, "aia_store": f"{host}/sdomlv2.zarr"})
    assert resolve(raw).online.aia_store == f"{host}/sdomlv2.zarr"


def test_a_resolved_configuration_is_the_same_after_json() -> None:
    configuration = resolve(DEFAULT)
    assert RunConfig.model_validate_json(configuration.model_dump_json()) == configuration


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (changed("imagesize_px", 3), ["imagesize_px", "unknown", "dataset.image_size_px"]),
        (
            changed("defaults.ddpm.training.learning_rte", 3),
            ["learning_rte", "did you mean defaults.ddpm.training.learning_rate?"],
        ),
        (
            changed("models.cevae.latentdim", 3),
            ["models.cevae.latentdim", "models.cevae.latent_dim?"],
        ),
        (changed("defaults.dpm", {}), ["defaults.dpm", "unknown", "ddpm"]),
        (changed("dataset", {}), ["dataset.channel", "missing"]),
        (changed("seed", "many"), ["seed", "integer", "'many'"]),
        (changed("dataset.image_size_px", 33), ["dataset.image_size_px", "multiple of 8", "33"]),
        (changed("defaults.ddpm.preset", "modem"), ["preset", "'modem'", "modern"]),
        (changed("models.cevae.widths", [4] * 9), ["image_size_px", "512 for models.cevae"]),
        (changed("models.ddpm_cevae.sampling", {"sampler": "euler"}), ["one of ddpm", "'euler'"]),
        (changed("dataset.labels.rule", "nearest"), ["dataset.labels", "nearest_peak"]),
        (changed("dataset.split.test", 0.9), ["dataset.split", "less than 1"]),
        (changed("source", "archive"), ["`archive` must name a directory"]),
        (changed("source", "online"), ["`online` is needed"]),
        (changed("dataset.channel", "193A"), ["dataset.channel", "171A only", "193A"]),
        (changed("application.model", "cevae"), ["application.model", "'cevae'"]),
        (changed("models.ddpm_cevae.condition.embedding_of", "vae"), ["embedding_of", "'vae'"]),
        (
            changed("online", {**ONLINE, "aia_store": "http://elsewhere.org/sdomlv2.zarr"}),
            ["online.aia_store", "http:// is not", "https"],
        ),
        (
            changed("online", {**ONLINE, "aia_store": "ftp://localhost/sdomlv2.zarr"}),
            ["online.aia_store", "ftp:// is not"],
        ),
        (changed("run", "a; rm -r b"), ["run", "pattern"]),
        (changed("models", None), ["models"]),
        (changed("models.cevae", None), ["models.ddpm_cevae.condition.embedding_of"]),
        (changed("defaults.ddpm.training.epochs", 3), ["training", "exactly one"]),
    ],
)
def test_a_wrong_key_or_value_is_named_in_one_line(raw: dict, parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(raw)
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in parts if part not in message] == []


@given(
    st.recursive(
        st.none() | st.integers(),
        lambda children: st.dictionaries(st.sampled_from("abc"), children),
    )
)
def test_merging_with_nothing_changes_nothing(tree: object) -> None:
    mapping = {"root": tree}
    assert merge(mapping, {}) == mapping == merge({}, mapping)
