"""Batches of solar images with what physical statistics share: geometry, residuals, spectra.

Positions are in solar radii from the centre of the image, x to the west (right), y to the north
(up, towards higher rows). A residual is an image minus the mean training image, in the scaled
intensity.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft

from heliosynth.arrays import Booleans, Floats, Floats32, Images, Measures
from heliosynth.dataset.scaling import unscale
from heliosynth.dataset.store import Description
from heliosynth.evaluation.minkowski import Functionals, functionals
from heliosynth.frames import quality

LIMB_FALL = 1.063
"""Radius of the steepest fall of brightness at the limb, solar radii: 1.04–1.08 in 94, 131, 171 and
211 Å of the years 2010–2017 at 32 to 128 pixels, where the plate scale is known."""
BRIGHT_QUANTILE = 0.95
"""Share of the training images' disk pixels below the threshold of bright pixels."""
INSIDE = 0.9
"""Radius within which residuals and latitudes are measured, solar radii."""
TAPER = (0.75, 0.95)
"""Radii between which residuals are tapered to 0 before the Fourier transform (cos²)."""
THRESHOLDS = (-1.0, 1.0, 2.0)
"""Thresholds of the Minkowski functionals, standard deviations of the training residuals."""
TYPICAL_FRAMES = 1000
"""Training frames that define what is typical for the quality check."""
SAMPLE_PIXELS = 16_000_000
"""Pixels of the training images from which thresholds are determined."""


@dataclass(frozen=True, eq=False)
class PhysicsReference:
    """What the statistics take from the training images.

    Attributes
    ----------
    description
        Channel and intensity scaling of the dataset.
    mean
        Mean training image (H, W), scaled.
    solar_radius
        In units of the width of an image.
    bright
        Scaled intensity at and above which a pixel is bright.
    residual_std
        Standard deviation of the residuals within :data:`INSIDE`.
    measures
        Quality measures of some training images, see :func:`heliosynth.frames.quality.measure`.
    """

    description: Description
    mean: Floats32
    solar_radius: float
    bright: float
    residual_std: float
    measures: Measures


@dataclass(frozen=True, eq=False)
class Grid:
    """Positions of the pixels of an image, each (H, W), solar radii."""

    x: Floats
    y: Floats

    @cached_property
    def radius(self) -> Floats:
        """Distance from the centre."""
        return np.hypot(self.x, self.y)

    @property
    def inside(self) -> Booleans:
        """Pixels in which residuals are measured."""
        return self.radius < INSIDE

    def ring(self, limits: tuple[float, float]) -> Booleans:
        """Return the pixels of a ring."""
        return (self.radius >= limits[0]) & (self.radius < limits[1])


@functools.cache
def pixel_grid(size_px: int, solar_radius: float) -> Grid:
    """Return the positions of the pixels for a solar radius in units of the width."""
    axis = ((np.arange(size_px) + 0.5) / size_px - 0.5) / solar_radius
    return Grid(*np.meshgrid(axis, axis))


class Suns:
    """A batch of images with what several statistics share.

    Parameters
    ----------
    images
        Scaled images (N, 1, H, W), H = W.
    reference
        What the statistics take from the training images.
    """

    def __init__(self, images: Images, reference: PhysicsReference) -> None:
        self.images: Images = np.ascontiguousarray(images[:, 0], dtype=np.float32)
        self.reference = reference
        self.size_px = images.shape[-1]
        self.grid = pixel_grid(self.size_px, reference.solar_radius)

    @cached_property
    def intensities(self) -> Images:
        """Intensities (N, H, W), DN."""
        limits = self.reference.description
        return unscale(self.images, limits.minimum_dn, limits.maximum_dn)

    @cached_property
    def residuals(self) -> Images:
        """Images minus the mean training image (N, H, W)."""
        return self.images - self.reference.mean

    @cached_property
    def activity(self) -> Floats32:
        """Area of the bright pixels on the Sun (N, H, W), 0 elsewhere and beyond 0.9 radii.

        The area of a pixel on the sphere is that on the disk over μ = √(1 − r²).
        """
        grid = self.grid
        area = np.where(grid.inside, 1 / np.sqrt(np.maximum(1 - grid.radius**2, 0.1)), 0.0)
        return np.asarray(
            (self.images >= np.float32(self.reference.bright)) * area.astype(np.float32), np.float32
        )

    @cached_property
    def spectrum(self) -> Floats:
        """Power spectrum of the tapered residuals, azimuthal mean, see :func:`power_spectrum`."""
        start, end = TAPER
        phase = np.clip((self.grid.radius - start) / (end - start), 0, 1)
        return power_spectrum(self.residuals, np.cos(np.pi / 2 * phase) ** 2)

    @cached_property
    def minkowski(self) -> Mapping[float, Functionals]:
        """Minkowski functionals of the residuals above each of :data:`THRESHOLDS`."""
        sigma = self.reference.residual_std
        return {t: functionals(self.residuals > t * sigma, self.grid.inside) for t in THRESHOLDS}

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats]:
        """Central moments of second, third and fourth order of the residuals inside, (N,) each."""
        values = self.residuals[:, self.grid.inside].astype(np.float64)
        values -= values.mean(axis=1, keepdims=True)
        square = values**2
        return square.mean(axis=1), (square * values).mean(axis=1), (square**2).mean(axis=1)


def describe_training(images: Images, description: Description) -> PhysicsReference:
    """Return what the statistics take from the training images.

    The solar radius is determined from the images, as archives differ in plate scale.

    Parameters
    ----------
    images
        Scaled training images (N, 1, H, W).
    description
        Description of the dataset.
    """
    some = _evenly(images, max(SAMPLE_PIXELS // images[0].size, 1))
    typical = unscale(
        _evenly(images, TYPICAL_FRAMES)[:, 0], description.minimum_dn, description.maximum_dn
    )
    measures = quality.measure(typical)
    radius = round(float(np.median(measures["limb_radius"])) / LIMB_FALL, 4)
    grid = pixel_grid(images.shape[-1], radius)
    mean = images[:, 0].mean(axis=0, dtype=np.float64).astype(np.float32)
    return PhysicsReference(
        description=description,
        mean=mean,
        solar_radius=radius,
        bright=float(np.quantile(some[:, 0][:, grid.radius < 1], BRIGHT_QUANTILE)),
        residual_std=float((some[:, 0] - mean)[:, grid.inside].std(dtype=np.float64)),
        measures=measures,
    )


def _evenly(images: Images, count: int) -> Images:
    """Return up to ``count`` images, evenly spaced."""
    return images[:: -(-len(images) // count)]


def power_spectrum(fields: Images, taper: Floats) -> Floats:
    """Return the azimuthal mean of the power spectrum (N, size // 2 − 1).

    White noise of variance s² has the power s² at every wave number.

    Parameters
    ----------
    fields
        (N, H, W), H = W.
    taper
        Weight of each pixel (H, W).

    Returns
    -------
    numpy.ndarray
        Power at 1, 2, … size / 2 − 1 cycles per width; each bin has the wave numbers that round
        to it.
    """
    waves = scipy.fft.rfft2(fields * taper.astype(np.float32))
    power = (waves.real**2 + waves.imag**2).reshape(len(fields), -1) / np.square(taper).sum()
    return np.asarray(power @ _azimuthal(fields.shape[-1]), np.float64)


@functools.cache
def _azimuthal(size_px: int) -> Floats32:
    """Return the weights that average the half-plane of a real transform over azimuth."""
    rows, columns = np.fft.fftfreq(size_px, 1 / size_px), np.arange(size_px // 2 + 1)
    wave_number = np.rint(np.hypot(rows[:, None], columns)).ravel()
    # The other half-plane repeats all columns but the first and, of even sizes, the last.
    repeated = np.where((columns > 0) & (2 * columns != size_px), 2.0, 1.0)
    count = np.tile(repeated, size_px)
    weights = (wave_number[:, None] == np.arange(1, size_px // 2)) * count[:, None]
    return np.asarray((weights / weights.sum(axis=0)).astype(np.float32))
