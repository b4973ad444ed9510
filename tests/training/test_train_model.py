"""Models from a dataset to a trained model on disk, interrupted or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch

from factories.training import cevae_config, ddpm_config
from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.train_model import train_model
from heliosynth.training.trained_model import load_model, read_model_config
from helpers.training import assert_same_model

FILES = {"config.json", "weights.safetensors", "history.csv", "training.json"}
EMBEDDING_CONDITION = {"kind": "goes_class", "embedding_of": "cevae"}


def train(
    dataset: Path,
    config: DdpmConfig | CevaeConfig,
    output: Path,
    checkpoints: str = "checkpoints",
    **options: Any,
) -> Path:
    """Train a model; return its folder. Checkpoints are next to it."""
    options = {"name": "m", "seed": 1, **options}
    folder = output.parent / checkpoints
    train_model(dataset, config=config, checkpoints=folder, output=output, **options)
    return output


def report_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "training.json").read_text())
    return content


@pytest.mark.parametrize("kind", ["ddpm", "cevae"])
def test_resumed_equals_uninterrupted_to_the_bit(
    kind: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"ddpm": ddpm_config, "cevae": cevae_config}[kind]()
    uninterrupted = train(dataset, config, tmp_path / "uninterrupted")
    objective = {"ddpm": DenoisingObjective, "cevae": AutoencodingObjective}[kind]
    loss, calls = objective.loss, []

    def interrupted_loss(self: Any, *batch: Any) -> torch.Tensor:
        calls.append(self.training)
        if sum(calls) == 6:
            raise KeyboardInterrupt
        return loss(self, *batch)

    resumed = tmp_path / "resumed"
    with monkeypatch.context() as patch:
        patch.setattr(objective, "loss", interrupted_loss)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, config, resumed, "other")
    assert not resumed.exists()
    assert_same_model(train(dataset, config, resumed, "other"), uninterrupted)


def test_a_deadline_saves_a_checkpoint_and_no_model(dataset: Path, tmp_path: Path) -> None:
    config, model = ddpm_config(), tmp_path / "model"
    with pytest.raises(
        OutOfTimeError, match=r"m: time limit reached after 8 of 64 images; .* resubmit"
    ):
        train(dataset, config, model, deadline=0)
    assert not model.exists()
    train(dataset, config, model)
    assert_same_model(model, train(dataset, config, tmp_path / "uninterrupted", "other"))
    assert report_of(model)["stopped_early"] is False


def test_a_time_budget_within_the_deadline_is_a_success(dataset: Path, tmp_path: Path) -> None:
    config = ddpm_config(time_budget_minutes=1e-9)
    report = report_of(train(dataset, config, tmp_path / "model", deadline=0))
    assert report["stopped_early"] is True
    assert report["ended"] == "time budget"


def test_a_finished_training_is_only_written_again(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(dataset, ddpm_config(), tmp_path / "first")
    monkeypatch.delattr(DenoisingObjective, "loss")
    assert_same_model(train(dataset, ddpm_config(), tmp_path / "second", deadline=0), first)


def test_four_files_rebuild_the_model(dataset: Path, tmp_path: Path) -> None:
    folder = train(dataset, ddpm_config(), tmp_path / "model", name="discrete")
    assert {path.name for path in folder.iterdir()} == FILES
    report = report_of(folder)
    assert report["images"] == report["planned_images"] == 64
    assert report["stopped_early"] is False
    assert report["weights"]["kept"] == "lowest validation loss"
    assert report["training_images"] == 18, "the 5 images of class A are left out"
    model = load_model(folder)
    assert model.name == "discrete"
    assert model.image_size == 16
    assert model.trained_classes == (1, 2, 3, 4)
    assert isinstance(model.objective, DenoisingObjective)
    assert not model.objective.training
    columns = (folder / "history.csv").read_text().splitlines()[0]
    assert columns == "images,seconds,train_loss,val_loss,learning_rate"


def test_only_settings_that_matter_start_a_new_training(dataset: Path, tmp_path: Path) -> None:
    def trainings_after(config: DdpmConfig, seed: int = 1) -> int:
        train(dataset, config, tmp_path / "model", seed=seed)
        return len(list((tmp_path / "checkpoints").iterdir()))

    assert trainings_after(ddpm_config()) == 1
    assert trainings_after(ddpm_config(time_budget_minutes=5, checkpoints=2)) == 1
    assert trainings_after(ddpm_config(learning_rate=2e-3)) == 2
    assert trainings_after(ddpm_config(), seed=2) == 3


def test_changed_images_start_a_new_training(dataset: Path, tmp_path: Path) -> None:
    train(dataset, cevae_config(), tmp_path / "model")
    with h5py.File(dataset, "r+") as file:
        file["train/images"][...] = 0.5 * file["train/images"][()]
    train(dataset, cevae_config(), tmp_path / "model")
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_an_embedding_is_part_of_the_condition(dataset: Path, tmp_path: Path) -> None:
    cevae = train(dataset, cevae_config(), tmp_path / "cevae")
    config = ddpm_config(EMBEDDING_CONDITION)
    with pytest.raises(InputError, match="needs the folder of cevae"):
        train(dataset, config, tmp_path / "both")
    both = load_model(train(dataset, config, tmp_path / "both", embedding_model=cevae))
    plain = load_model(train(dataset, ddpm_config(), tmp_path / "plain"))
    assert both.embedding_dim == 6
    assert isinstance(both.objective, DenoisingObjective)
    assert isinstance(plain.objective, DenoisingObjective)
    assert both.objective.encoder.dim == plain.objective.encoder.dim + 6


def test_an_embedding_model_that_is_not_a_cevae_is_named(dataset: Path, tmp_path: Path) -> None:
    plain = train(dataset, ddpm_config(), tmp_path / "plain")
    with pytest.raises(InputError, match=r"plain: not a ceVAE; set models\.m\.condition\."):
        train(dataset, ddpm_config(EMBEDDING_CONDITION), tmp_path / "m", embedding_model=plain)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing/config\.json: not a trained model .* retrain"):
        load_model(tmp_path / "nothing")


def test_labels_are_dropped_in_training_only() -> None:
    objective = DenoisingObjective(ddpm_config(label_dropout=1.0), 16)
    conditions: list[torch.Tensor] = []

    def record(images: torch.Tensor, condition: torch.Tensor, noise: object) -> None:
        conditions.append(condition)

    objective.denoiser.loss = record  # type: ignore[method-assign,assignment]
    for mode in (True, False):
        objective.train(mode)
        noise = objective.sample_noise(torch.Size([2, 1, 16, 16]), torch.Generator())
        objective.loss(torch.zeros(2, 1, 16, 16), torch.ones(2, 3), noise)
    torch.testing.assert_close(conditions[0], torch.zeros(2, 3))
    torch.testing.assert_close(conditions[1], torch.ones(2, 3))


def test_a_model_config_can_leave_its_sampling_out() -> None:
    config = cevae_config()
    assert read_model_config(config.model_dump_json()) == config
    assert read_model_config(config.model_dump_json(exclude={"sampling"})) == config
