"""Layers of the configuration: order, origins, and what a command line does to types."""

from pathlib import Path

import pytest

from heliosynth.config.layers import COMMAND_LINE, from_command_line, merge, read_layers
from heliosynth.config.loading import ConfigurationError, resolve
from helpers.configurations import ROOT

DEFAULT = ROOT / "config.yaml"


def overlay(folder: Path, content: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def resolved(*files: Path, **command_line: object):
    layers = read_layers([DEFAULT, *files], command_line)
    return resolve(layers.content, layers.origins)


def test_later_layers_override_earlier_ones(tmp_path: Path) -> None:
    first = overlay(tmp_path, "run: first\nseed: 1\ndataset.minimum_frames: 5\n", "1.yaml")
    second = overlay(tmp_path, "run: second\nseed: 2\n", "2.yaml")
    settings = resolved(first, second, seed=3)
    assert (settings.run, settings.seed, settings.dataset.minimum_frames) == ("second", 3, 5)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("seed: 3\ndataset:\n  image_size_px: 33\n", ["line 3: dataset.image_size_px: ", "33"]),
        ("dataset.image_size_px: 33\n", ["line 1: dataset.image_size_px: ", "33"]),
        ("dataset:\n  imagesize: 33\n", ["line 2: dataset.imagesize: unknown key"]),
        ("defaults:\n  ddpm:\n    sampling:\n      population: 2\n", ["line 4: defaults.ddpm"]),
        ("models:\n  x: {kind: ddpm}\n", ["line 2: models.x.condition: missing"]),
        ("run: null\n", ["line 1: run: missing", "null", "set a value"]),
        ("run: 2012.5\n", ["line 1: run: ", "put it in quotes"]),
        ("application.model: cevae\n", ["line 1: application.model: ", "'cevae'"]),
        ("models: {ddpm_discrete: null}\n", ["application.model", "name one of ddpm_continuous"]),
        ("models: {cevae: null}\n", ["models.ddpm_cevae.condition.embedding_of", "none"]),
    ],
)
def test_an_error_names_file_line_key_and_remedy(
    tmp_path: Path, content: str, parts: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolved(overlay(tmp_path, content))
    assert [part for part in parts if part not in str(caught.value)] == []


def test_null_takes_a_row_a_default_or_a_key_away(tmp_path: Path) -> None:
    content = "models: {ddpm_cevae: null}\ndefaults: {cevae: {training: null}}\narchive: null\n"
    with pytest.raises(ConfigurationError, match="set exactly one of"):
        resolved(overlay(tmp_path, content))
    content = "models: {ddpm_cevae: null}\nmodels.ddpm_discrete.training: {gradient_clip: null}\n"
    content += "evaluation: {flux_response: null}\ndataset: {classes: null}\n"
    settings = resolved(overlay(tmp_path, content))
    assert list(settings.models) == ["cevae", "ddpm_discrete", "ddpm_continuous"]
    assert settings.models["ddpm_discrete"].training.gradient_clip is None
    assert settings.evaluation.flux_response.fluxes == 12
    assert len(settings.dataset.classes) == 5


def test_a_row_that_was_taken_away_can_come_back(tmp_path: Path) -> None:
    first = overlay(tmp_path, "models: {ddpm_cevae: null}\n", "1.yaml")
    row = "{kind: ddpm, condition: {kind: xray_flux}}"
    second = overlay(tmp_path, f"models: {{ddpm_cevae: {row}}}\n", "2.yaml")
    assert resolved(first, second).models["ddpm_cevae"].condition.kind == "xray_flux"


@pytest.mark.parametrize("text", ["null", "None", "~", None])
def test_null_on_the_command_line_is_null(text: str | None) -> None:
    assert from_command_line({"archive": text}).content == {"archive": None}
    nested = from_command_line({"models": {"ddpm_cevae": text}})
    assert nested.content == {"models": {"ddpm_cevae": None}}
    assert nested.origins[("models", "ddpm_cevae")] == COMMAND_LINE


@pytest.mark.parametrize(
    ("settings", "key", "value"),
    [
        ({"run": 2012}, "run", "2012"),
        ({"run": "2012"}, "run", "2012"),
        ({"observations": "Sönne ☀ and blanks"}, "observations", "Sönne ☀ and blanks"),
        ({"seed": "7"}, "seed", 7),
    ],
)
def test_a_command_line_is_taken_as_meant(settings: dict, key: str, value: object) -> None:
    assert getattr(resolved(**settings), key) == value


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"seed": "abc"}, ["--config: seed: ", "integer", "'abc'"]),
        ({"seed": 1.5}, ["--config: seed: ", "integer", "1.5"]),
        ({"seed": "0x10"}, ["--config: seed: ", "decimal", "'0x10'"]),
        ({"run": 1e3}, ["--config: run: ", "two pairs of quotes"]),
        ({"run": True}, ["--config: run: ", "two pairs of quotes"]),
        ({"figures": "x"}, ["--config: figures: unknown key"]),
    ],
)
def test_a_wrong_command_line_is_refused_with_the_remedy(settings: dict, parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolved(**settings)
    assert [part for part in parts if part not in str(caught.value)] == []


def test_a_section_of_another_kind_replaces_the_one_below() -> None:
    below = {"network": {"kind": "a", "width": 3}}
    assert merge(below, {"network": {"kind": "b"}}) == {"network": {"kind": "b"}}
    assert merge(below, {"network": {"kind": "a", "x": 1}})["network"]["width"] == 3
    settings = resolved(
        models={
            "ddpm_cevae": {"condition": {"kind": "xray_flux"}},
            "ddpm_discrete": {
                "network": {"kind": "study_unet", "widths": [4, 8, 8, 8], "embedding_dim": 8}
            },
        }
    )
    assert settings.models["ddpm_cevae"].condition.kind == "xray_flux"
    assert settings.models["ddpm_discrete"].network.kind == "study_unet"
