"""t-SNE map of the ceVAE's latent space (``metrics/cevae_embedding.csv``)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from sklearn.manifold import TSNE

from heliosynth import goes_class
from heliosynth.arrays import Classes, Features, Floats, Images, Integers
from heliosynth.dataset.class_mix import apportion
from heliosynth.dataset.store import LabelledImages
from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file
from heliosynth.models.cevae import Cevae
from heliosynth.training.objectives import AutoencodingObjective
from heliosynth.training.trained_model import load_model

PERPLEXITY = 30.0
MOST_IMAGES = 1500
"""Largest number of images on the map."""


def load_cevae(folder: Path | str) -> Cevae:
    """Load a trained ceVAE from its folder.

    Raises
    ------
    InputError
        If the folder does not contain a trained ceVAE.
    """
    objective = load_model(folder).objective
    if not isinstance(objective, AutoencodingObjective):
        raise InputError(f"{folder}: not a ceVAE, so it has no latent space; name a cevae model")
    return objective.cevae


def stratified_rows(classes: Classes, most: int, rng: np.random.Generator) -> Integers:
    """Draw at most ``most`` rows without replacement, with the class mix of all, sorted."""
    if len(classes) <= most:
        return np.arange(len(classes))
    present, counts = np.unique(classes, return_counts=True)
    rows = [
        rng.choice(np.flatnonzero(classes == c), size=share, replace=False)
        for c, share in zip(present, apportion(counts, most), strict=True)
    ]
    return np.sort(np.concatenate(rows))


@torch.inference_mode()
def latent_means(cevae: Cevae, images: Images, batch_size: int = 64) -> Features:
    """Return the latent means (N, Z) of images (N, 1, H, W)."""
    batches = [
        cevae.embed(torch.from_numpy(images[first : first + batch_size]))
        for first in range(0, len(images), batch_size)
    ]
    return torch.cat(batches).numpy()


def tsne(points: Features, seed: int) -> Floats:
    """Map points (N, Z) to the plane, (N, 2), by t-SNE started from PCA (van der Maaten 2008).

    The perplexity is 30, or a third of the number of points if that is less.
    """
    perplexity = min(PERPLEXITY, max(1.0, (len(points) - 1) / 3))
    mapped = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    return np.asarray(mapped, dtype=np.float64)


def embedding_map(
    cevae: Cevae, images: LabelledImages, seed: int, most: int = MOST_IMAGES
) -> tuple[Floats, LabelledImages]:
    """Map images by their latent means.

    Returns
    -------
    points : (n, 2)
        Position of each image on the map.
    shown : LabelledImages
        The n images, in the same order.
    """
    shown = images.take(stratified_rows(images.goes_class, most, np.random.default_rng(seed)))
    return tsne(latent_means(cevae, shown.images), seed), shown


def write_map(path: Path | str, points: Floats, images: LabelledImages) -> None:
    """Write a map atomically: position, class and log₁₀ flux (W m⁻²) of each image."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("x", "y", "goes_class", "log10_flux"))
        for (x, y), number, flux in zip(points, images.goes_class, images.log10_flux, strict=True):
            writer.writerow((f"{x:.4f}", f"{y:.4f}", goes_class.NAMES[number], f"{flux:.4f}"))
