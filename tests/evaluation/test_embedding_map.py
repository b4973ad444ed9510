"""The map of the latent space keeps images and labels together."""

import csv

import numpy as np
import pytest
import torch

from heliosynth.errors import InputError
from heliosynth.evaluation.embedding_map import (
    embedding_map,
    load_cevae,
    stratified_rows,
    write_map,
)


class MeanBrightness(torch.nn.Module):
    """An encoder whose latents are the image's mean, four times."""

    def embed(self, x):
        return x.mean(dim=(1, 2, 3))[:, None].expand(-1, 4) * torch.arange(1, 5)


def test_a_stratified_draw_keeps_the_class_mix():
    classes = np.repeat([1, 2, 3], [60, 30, 10]).astype(np.int8)
    rows = stratified_rows(classes, 20, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[rows]), [0, 12, 6, 2])
    np.testing.assert_array_equal(
        stratified_rows(classes, 200, np.random.default_rng(0)), range(100)
    )


def test_images_alike_lie_together(tmp_path, make_labelled):
    images = make_labelled([1, 4] * 40)
    points, shown = embedding_map(MeanBrightness(), images, seed=0, most=60)
    assert points.shape == (60, 2)
    distance = np.linalg.norm(points[:, None] - points, axis=-1) + np.where(np.eye(60), np.inf, 0)
    assert np.mean(shown.goes_class[distance.argmin(axis=1)] == shown.goes_class) > 0.95
    write_map(tmp_path / "map.csv", points, shown)
    with (tmp_path / "map.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["x", "y", "goes_class", "log10_flux"]
    assert {row["goes_class"] for row in rows} == {"B", "X"}


def test_equal_seeds_give_equal_maps(make_labelled):
    images = make_labelled([1, 4] * 10)
    first, again = (embedding_map(MeanBrightness(), images, seed=2)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match="no trained model"):
        load_cevae(tmp_path)
