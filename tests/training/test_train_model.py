"""Rows of the study, from a dataset to a trained model, interrupted or not."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from safetensors.torch import load_file

from heliosynth.config.models import CevaeConfig, DdpmConfig
from heliosynth.errors import InputError, OutOfTimeError
from heliosynth.training.objectives import AutoencodingObjective, DenoisingObjective
from heliosynth.training.train_model import train_model
from heliosynth.training.trained_model import load_model, read_model_config

Rows = Callable[..., Any]
SCRIPT = Path(__file__).resolve().parents[2] / "workflow" / "scripts" / "train.py"
FILES = {"config.json", "weights.safetensors", "history.csv", "training.json"}


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as stream:
        return [{**row, "seconds": ""} for row in csv.DictReader(stream)]


def assert_same_model(one: Path, other: Path) -> None:
    tensors = (load_file(folder / "weights.safetensors") for folder in (one, other))
    torch.testing.assert_close(*tensors, rtol=0, atol=0)
    assert history(one) == history(other)


@pytest.mark.parametrize("kind", ["ddpm", "cevae"])
def test_interrupted_and_resumed_equals_uninterrupted_to_the_bit(
    kind: str,
    dataset: Path,
    ddpm_row: Rows,
    cevae_row: Rows,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {"ddpm": ddpm_row, "cevae": cevae_row}[kind]()
    train_model(dataset, "m", row, 1, tmp_path / "state", tmp_path / "straight")
    objective = {"ddpm": DenoisingObjective, "cevae": AutoencodingObjective}[kind]
    original, steps = objective.loss, []

    def failing(self: Any, *batch: Any) -> torch.Tensor:
        steps.append(self.training)
        if sum(steps) == 6:
            raise KeyboardInterrupt
        return original(self, *batch)

    with monkeypatch.context() as patch:
        patch.setattr(objective, "loss", failing)
        with pytest.raises(KeyboardInterrupt):
            train_model(dataset, "m", row, 1, tmp_path / "other", tmp_path / "broken")
    assert not (tmp_path / "broken").exists()
    train_model(dataset, "m", row, 1, tmp_path / "other", tmp_path / "broken")
    assert_same_model(tmp_path / "straight", tmp_path / "broken")


def test_a_deadline_keeps_the_state_writes_no_model_and_says_so(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    row, model = ddpm_row(), tmp_path / "model"
    with pytest.raises(
        OutOfTimeError, match=r"m: time is up after 8 of 64 images; .* submit again"
    ):
        train_model(dataset, "m", row, 1, tmp_path / "state", model, deadline=0)
    assert not model.exists()
    train_model(dataset, "m", row, 1, tmp_path / "state", model)
    train_model(dataset, "m", row, 1, tmp_path / "other", tmp_path / "straight")
    assert_same_model(tmp_path / "straight", model)
    assert json.loads((model / "training.json").read_text())["stopped_early"] is False


def test_a_time_budget_within_the_deadline_is_a_success(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    row = ddpm_row(time_budget_minutes=1e-9)
    train_model(dataset, "m", row, 1, tmp_path / "state", tmp_path / "model", deadline=0)
    report = json.loads((tmp_path / "model" / "training.json").read_text())
    assert report["stopped_early"] is True
    assert report["ended"] == "time budget"


def test_a_finished_state_is_a_success_at_once(
    dataset: Path, ddpm_row: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ddpm_row()
    train_model(dataset, "m", row, 1, tmp_path / "state", tmp_path / "model")
    monkeypatch.delattr(DenoisingObjective, "loss")
    train_model(dataset, "m", row, 1, tmp_path / "state", tmp_path / "again", deadline=0)
    assert_same_model(tmp_path / "model", tmp_path / "again")


def test_the_product_is_four_files_that_rebuild_the_model(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    train_model(dataset, "discrete", ddpm_row(), 1, tmp_path / "state", tmp_path / "model")
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    report = json.loads((tmp_path / "model" / "training.json").read_text())
    assert report["images"] == report["planned_images"] == 64
    assert report["stopped_early"] is False
    assert report["weights"]["kept"] == "lowest validation loss"
    assert report["training_images"] == 18, "class A is scarce, so its 5 frames are left out"
    model = load_model(tmp_path / "model")
    assert model.name == "discrete"
    assert model.image_size == 16
    assert model.trained_classes == (1, 2, 3, 4)
    assert isinstance(model.objective, DenoisingObjective)
    assert not model.objective.training
    columns = (tmp_path / "model" / "history.csv").read_text().splitlines()[0]
    assert columns == "images,seconds,train_loss,val_loss,learning_rate"


def test_a_changed_setting_starts_anew_and_sampling_or_budget_does_not(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    def train(row: DdpmConfig, seed: int = 1) -> int:
        train_model(dataset, "m", row, seed, tmp_path / "state", tmp_path / "model")
        return len(list((tmp_path / "state").iterdir()))

    assert train(ddpm_row()) == 1
    assert train(ddpm_row(time_budget_minutes=5, checkpoints=2)) == 1
    assert train(ddpm_row(learning_rate=2e-3)) == 2
    assert train(ddpm_row(), seed=2) == 3


def test_changed_images_start_anew(dataset: Path, cevae_row: Rows, tmp_path: Path) -> None:
    train_model(dataset, "m", cevae_row(), 1, tmp_path / "state", tmp_path / "model")
    with h5py.File(dataset, "r+") as file:
        file["train/images"][...] = 0.5 * file["train/images"][()]
    train_model(dataset, "m", cevae_row(), 1, tmp_path / "state", tmp_path / "model")
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_a_row_on_embeddings_is_conditioned_on_the_cevae(
    dataset: Path, ddpm_row: Rows, cevae_row: Rows, tmp_path: Path
) -> None:
    train_model(dataset, "cevae", cevae_row(), 1, tmp_path / "state", tmp_path / "cevae")
    row = ddpm_row({"kind": "goes_class", "embedding_of": "cevae"})
    with pytest.raises(InputError, match="needs the folder of cevae"):
        train_model(dataset, "both", row, 1, tmp_path / "state", tmp_path / "both")
    train_model(dataset, "both", row, 1, tmp_path / "state", tmp_path / "both", tmp_path / "cevae")
    plain = ddpm_row()
    train_model(dataset, "plain", plain, 1, tmp_path / "state", tmp_path / "plain")
    with_embedding, without = (load_model(tmp_path / name) for name in ("both", "plain"))
    assert with_embedding.embedding_dim == 6
    assert isinstance(with_embedding.objective, DenoisingObjective)
    assert isinstance(without.objective, DenoisingObjective)
    assert with_embedding.objective.encoder.dim == without.objective.encoder.dim + 6


def test_an_embedding_model_that_is_no_cevae_is_named(
    dataset: Path, ddpm_row: Rows, tmp_path: Path
) -> None:
    train_model(dataset, "plain", ddpm_row(), 1, tmp_path / "state", tmp_path / "plain")
    row = ddpm_row({"kind": "goes_class", "embedding_of": "cevae"})
    with pytest.raises(InputError, match="holds no ceVAE"):
        train_model(dataset, "b", row, 1, tmp_path / "state", tmp_path / "b", tmp_path / "plain")


def test_a_model_that_is_not_there_or_torn_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no trained model"):
        load_model(tmp_path / "nothing")


def test_labels_are_dropped_in_training_only(ddpm_row: Rows) -> None:
    row = ddpm_row().model_copy(update={"label_dropout": 1.0})
    objective = DenoisingObjective(row, 16)
    seen: list[torch.Tensor] = []

    def watch(images: torch.Tensor, condition: torch.Tensor, drawn: object) -> None:
        seen.append(condition)

    objective.denoiser.loss = watch  # type: ignore[method-assign,assignment]
    for mode in (True, False):
        objective.train(mode)
        drawn = objective.draw(torch.Size([2, 1, 16, 16]), torch.Generator())
        objective.loss(torch.zeros(2, 1, 16, 16), torch.ones(2, 3), drawn)
    torch.testing.assert_close(seen[0], torch.zeros(2, 3))
    torch.testing.assert_close(seen[1], torch.ones(2, 3))


def test_a_row_may_leave_its_sampling_out(cevae_row: Rows) -> None:
    row = cevae_row()
    assert isinstance(row, CevaeConfig)
    assert read_model_config(row.model_dump_json()) == row
    assert read_model_config(row.model_dump_json(exclude={"sampling"})) == row
