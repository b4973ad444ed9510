"""The map of the ceVAE's latent space."""

import csv

import numpy as np
import pytest
import torch

from factories.labelled import labelled_images
from heliosynth.errors import InputError
from heliosynth.evaluation.embedding_map import (
    embedding_map,
    load_cevae,
    stratified_rows,
    write_map,
)


class MeanBrightness(torch.nn.Module):
    """An encoder whose latents are four multiples of the mean of the image."""

    def embed(self, x):
        return x.mean(dim=(1, 2, 3))[:, None].expand(-1, 4) * torch.arange(1, 5)


def test_stratified_rows_keep_the_class_mix():
    classes = np.repeat([1, 2, 3], [60, 30, 10]).astype(np.int8)
    rows = stratified_rows(classes, 20, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(classes[rows]), [0, 12, 6, 2])
    np.testing.assert_array_equal(
        stratified_rows(classes, 200, np.random.default_rng(0)), range(100)
    )


def test_similar_images_are_neighbours(tmp_path):
    images = labelled_images([1, 4] * 40)
    points, shown = embedding_map(MeanBrightness(), images, seed=0, most=60)
    assert points.shape == (60, 2)
    distance = np.linalg.norm(points[:, None] - points, axis=-1) + np.where(np.eye(60), np.inf, 0)
    assert np.mean(shown.goes_class[distance.argmin(axis=1)] == shown.goes_class) > 0.95
    write_map(tmp_path / "map.csv", points, shown)
    with (tmp_path / "map.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["x", "y", "goes_class", "log10_flux"]
    assert {row["goes_class"] for row in rows} == {"B", "X"}


def test_equal_seeds_give_equal_maps():
    images = labelled_images([1, 4] * 10)
    first, again = (embedding_map(MeanBrightness(), images, seed=2)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_folder_without_a_model_is_rejected(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        load_cevae(tmp_path)
