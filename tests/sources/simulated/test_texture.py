"""Textures on the Sun: spectra, variance, rotation."""

import numpy as np
import pytest

from heliosynth.sources.simulated.texture import (
    CELLS,
    Evolving,
    Sphere,
    fibrils,
    noise_volume,
    patches,
)


def test_a_plane_of_a_volume_has_the_requested_spectrum() -> None:
    volume = noise_volume(2.5, 5.0, 0.01, np.random.default_rng(0))
    power = (np.abs(np.fft.fft2(volume[::4])) ** 2).mean(0)
    axis = np.fft.fftfreq(CELLS) * CELLS
    k = np.hypot(axis[:, None], axis[None, :])
    bands = np.array([4, 6, 9, 13, 19, 28])
    levels = [power[(k > 0.9 * b) & (k < 1.1 * b)].mean() for b in bands]
    assert np.polyfit(np.log(bands), np.log(levels), 1)[0] == pytest.approx(-2.5, abs=0.2)


def test_maps_have_zero_mean_and_unit_variance() -> None:
    rng = np.random.default_rng(1)
    sphere, noise = Sphere(64), noise_volume(1.5, 0.4, 0.05, rng)
    for texture in (patches(sphere, noise, rng), fibrils(sphere, noise, noise, rng)):
        assert texture.shape == (64, 128)
        assert texture.mean() == pytest.approx(0, abs=0.15)
        assert texture.std() == pytest.approx(1, abs=0.15)


def test_a_texture_rotates_and_keeps_its_variance() -> None:
    rng = np.random.default_rng(2)
    sphere, noise = Sphere(128), noise_volume(2.0, 0.6, 0.1, rng)
    texture = Evolving(np.stack([patches(sphere, noise, rng) for _ in range(4)]), 5.0)
    longitude = np.radians(np.linspace(-60, 60, 400))
    row = np.full(400, 64)
    rate = np.radians(13.5)
    first = texture.at(0.1, sphere, row, longitude, rate)
    moved = texture.at(1.1, sphere, row, longitude + rate, rate)
    still = texture.at(1.1, sphere, row, longitude, rate)
    assert np.corrcoef(first, moved)[0, 1] > 0.85
    assert abs(np.corrcoef(first, still)[0, 1]) < 0.7
    deviations = [
        texture.at(day, sphere, np.arange(128), np.zeros(128), rate).std() for day in (0, 2.5, 7.0)
    ]
    assert np.allclose(deviations, 1, atol=0.4)
