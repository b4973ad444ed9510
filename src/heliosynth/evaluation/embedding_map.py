"""A map of a latent space in two dimensions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.manifold import TSNE

from heliosynth import goes_class
from heliosynth.dataset.class_mix import apportion
from heliosynth.dataset.store import LabelledImages
from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file
from heliosynth.models.cevae import Cevae
from heliosynth.training.objectives import AutoencodingObjective
from heliosynth.training.trained_model import load_model

PERPLEXITY = 30.0
MOST_IMAGES = 1500
"""Images on the map at most."""


def load_cevae(folder: Path | str) -> Cevae:
    """Load a trained ceVAE from its folder.

    Raises
    ------
    InputError
        If the folder holds no trained model, or one of another kind.
    """
    objective = load_model(folder).objective
    if not isinstance(objective, AutoencodingObjective):
        raise InputError(f"{folder}: holds a model that is no ceVAE, so it has no latent space")
    return objective.cevae


def stratified_rows(
    classes: npt.NDArray[np.int8], most: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw at most so many rows without replacement, with the class mix of all, sorted."""
    if len(classes) <= most:
        return np.arange(len(classes))
    present, counts = np.unique(classes, return_counts=True)
    drawn = [
        rng.choice(np.flatnonzero(classes == c), size=share, replace=False)
        for c, share in zip(present, apportion(counts, most), strict=True)
    ]
    return np.sort(np.concatenate(drawn))


@torch.inference_mode()
def latent_means(
    cevae: Cevae, images: npt.NDArray[np.float32], batch_size: int = 64
) -> npt.NDArray[np.float32]:
    """Give the means (N, Z) of the latents of images (N, 1, H, W)."""
    parts = [
        cevae.embed(torch.from_numpy(images[first : first + batch_size]))
        for first in range(0, len(images), batch_size)
    ]
    return torch.cat(parts).numpy()


def tsne(points: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float64]:
    """Map points (N, Z) to the plane, (N, 2), by t-SNE from a PCA start (van der Maaten 2008).

    The perplexity is 30, or a third of the points where they are few.
    """
    perplexity = min(PERPLEXITY, max(1.0, (len(points) - 1) / 3))
    mapped = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    return np.asarray(mapped, dtype=np.float64)


def embedding_map(
    cevae: Cevae, images: LabelledImages, seed: int, most: int = MOST_IMAGES
) -> tuple[npt.NDArray[np.float64], LabelledImages]:
    """Map images by the mean of their latents.

    Returns
    -------
    points : (n, 2)
        Place of each image on the map.
    shown : LabelledImages
        The n images, in the same order.
    """
    shown = images.take(stratified_rows(images.goes_class, most, np.random.default_rng(seed)))
    return tsne(latent_means(cevae, shown.images), seed), shown


def write_map(path: Path | str, points: npt.NDArray[np.float64], images: LabelledImages) -> None:
    """Write a map whole: the place of each image, its class and log₁₀ of its flux in W m⁻²."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("x", "y", "goes_class", "log10_flux"))
        for (x, y), number, flux in zip(points, images.goes_class, images.log10_flux, strict=True):
            writer.writerow((f"{x:.4f}", f"{y:.4f}", goes_class.NAMES[number], f"{flux:.4f}"))
