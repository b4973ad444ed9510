"""The image of the Sun in 171 Å: quiet Sun, holes, off-limb corona, active regions and flares.

Intensities are in DN as SDOMLv2 gives them. The constants marked *measured* were taken from
6,033 hourly frames of 2012 at 17.7″ a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from heliosynth.sources.simulated import geometry
from heliosynth.sources.simulated.activity import Regions
from heliosynth.sources.simulated.flares import MINUTES_PER_DAY, Flares
from heliosynth.sources.simulated.geometry import Floats
from heliosynth.sources.simulated.loops import STEPS, Skeleton, skeletons
from heliosynth.sources.simulated.texture import (
    Evolving,
    Maps,
    Sphere,
    fibrils,
    map_count,
    noise_volume,
    patches,
)

Image = npt.NDArray[np.float32]

SOLAR_RADIUS_ARCSEC = 976.0
FIELD_ARCSEC = 17.7 * 128
"""Width of a frame: one solar radius is 55.1 of 128 pixels."""

SURFACE_DN, LOW_DN, CORONA_DN = 160.0, 130.0, 80.0
"""Quiet disk-centre emission of the surface, of the lowest corona and of the hydrostatic one
(measured: the median rises from 340 DN at the centre to 1,080 DN at the limb)."""

LOW_HEIGHT, CORONA_HEIGHT = 0.02, 0.072
"""Scale heights, solar radii (measured: off the limb the median falls tenfold in 0.17)."""

DETECTOR_DN = 2.0
"""Level far from the Sun."""

NETWORK_DEX, FIBRIL_DEX, RAY_DEX = 0.13, 0.11, 0.22
"""Standard deviation of log₁₀ DN of the textures (measured: 0.17 between regions)."""

LARGE_DEX, STREAMER_DEX = 0.09, 0.15
"""Log₁₀ DN that the large-scale field of one standard deviation adds, on and off the disk."""

PLAGE = 0.9
"""Emission that old flux in the belts adds to bright network, as a share of it."""

CHANNEL_DEPTH = 0.5
"""Share of the emission that a filament channel lacks, where the large-scale field changes sign."""

HOLE_DEPTH, HOLE_DEPTH_OFF_LIMB = 0.62, 0.82
"""Share of the emission that a coronal hole lacks."""

HOT_DN = 2500.0
"""Where strands lie thick the plasma is hotter, and 171 Å shows less and less of it."""

REGION_DN = 3000.0
FLARE_DN = 4500.0
"""Scales of the light of regions and of an M1 flare."""

LINE_OF_SIGHT = np.array([-0.42, -0.2, 0.0, 0.2, 0.42])
"""Depths at which the off-limb corona is sampled, solar radii."""

NETWORK_DAYS, FIBRIL_DAYS, RAY_DAYS, HOLE_DAYS = 7.0, 6.0, 4.0, 26.0
"""Lifetimes of the patterns."""


def column(radius: Floats, height: float) -> Floats:
    """Give the column through an exponential atmosphere, 1 at disk centre.

    Parameters
    ----------
    radius
        Distance from disk centre, solar radii, any shape.
    height
        Scale height of the emission, solar radii.
    """
    depth = np.linspace(0, 1.2, 241) ** 2
    start = np.sqrt(np.maximum(1 - radius**2, 0))[..., None]
    distance = np.sqrt(radius[..., None] ** 2 + (start + depth) ** 2)
    falling = np.exp(-np.maximum(distance - 1, 0) / height)
    one_side = np.trapezoid(falling, depth, axis=-1) / height
    return np.asarray(np.where(radius < 1, one_side, 2 * one_side))


def quiet_profile(radius: Floats, pixel: float) -> Floats:
    """Give the quiet Sun's DN at distances from disk centre, averaged over a pixel."""
    fine = np.arange(0, 3.0, 0.004)
    profile = LOW_DN * column(fine, LOW_HEIGHT) + CORONA_DN * column(fine, CORONA_HEIGHT)
    toward = np.sqrt(np.maximum(1 - fine**2, 0))
    profile += np.where(fine < 1, SURFACE_DN * (1 + 1.5 * (1 - toward) ** 2), 0)
    width = max(round(1.7 * pixel / 0.004), 1)
    smooth = np.convolve(np.pad(profile, width, mode="edge"), np.ones(width) / width, mode="same")
    return np.asarray(np.interp(radius, fine, smooth[width:-width]))


def _step(value: npt.NDArray[np.floating[Any]]) -> Maps:
    """Rise smoothly from 0 to 1 where the value does."""
    clipped = np.clip(value, 0, 1).astype(np.float32)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), dtype=np.float32)


@dataclass(frozen=True)
class _Places:
    """Positions on the Sun that pixels look at: rows of the sphere's grid, longitudes, rates."""

    row: npt.NDArray[np.int64]
    longitude: Floats
    rate: Floats
    hole_threshold: Maps

    @classmethod
    def at(cls, x: Floats, y: Floats, z: Floats, sphere: Sphere) -> _Places:
        latitude = np.arcsin(np.clip(y / np.sqrt(x**2 + y**2 + z**2), -1, 1))
        polar = _step((np.abs(np.degrees(latitude)) - 44) / 25)
        return cls(
            sphere.row(latitude),
            np.arctan2(x, z),
            np.radians(geometry.rotation_rate(latitude)),
            (1.75 - 4.6 * polar).astype(np.float32),
        )


class Corona:
    """The Sun in 171 Å, at any time of an observation.

    Parameters
    ----------
    regions, flares
        What happens on it.
    days
        Length of the observation.
    size_px
        Width and height of a frame, pixels.
    rng
        The stream of random numbers of the corona.
    """

    def __init__(
        self, regions: Regions, flares: Flares, days: float, size_px: int, rng: np.random.Generator
    ) -> None:
        self.regions, self.flares, self.size_px = regions, flares, size_px
        self.pixel = FIELD_ARCSEC / SOLAR_RADIUS_ARCSEC / size_px
        streams = rng.spawn(4)
        self.skeletons: list[Skeleton] = skeletons(regions, streams[0])
        self.sphere = Sphere(256)
        self._draw_patterns(days, streams[1])
        self._look(size_px)
        self.noise = streams[2]

    def _draw_patterns(self, days: float, rng: np.random.Generator) -> None:
        fine = noise_volume(1.0, 0.35, 0.03, rng)
        mottles = noise_volume(2.2, 0.8, 0.03, rng)
        large = noise_volume(3.0, 1.2, 0.15, rng)
        sphere = self.sphere
        self.fibrils = Evolving(
            np.stack(
                [fibrils(sphere, fine, large, rng) for _ in range(map_count(days, FIBRIL_DAYS))]
            ),
            FIBRIL_DAYS,
        )
        self.network, self.rays, self.holes = (
            Evolving(
                np.stack([patches(sphere, noise, rng) for _ in range(map_count(days, lifetime))]),
                lifetime,
            )
            for noise, lifetime in (
                (mottles, NETWORK_DAYS),
                (mottles, RAY_DAYS),
                (large, HOLE_DAYS),
            )
        )

    def _look(self, size_px: int) -> None:
        """Find what every pixel looks at."""
        x, y = geometry.pixel_positions(size_px, self.pixel)
        radius = np.hypot(x, y)
        self.disk = radius < 1
        self.profile = quiet_profile(radius, self.pixel).astype(np.float32)
        on_x, on_y, on_r = x[self.disk], y[self.disk], radius[self.disk]
        toward = np.sqrt(1 - on_r**2)
        self.front = _Places.at(on_x, on_y, toward, self.sphere)
        self.latitude = np.abs(np.degrees(np.arcsin(on_y))).astype(np.float32)
        # Near the limb a pixel sees many structures one behind the other.
        self.contrast = (0.65 + 0.35 * toward).astype(np.float32)
        off = ~self.disk
        out_x, out_y = x[off][:, None], y[off][:, None]
        depth = np.broadcast_to(LINE_OF_SIGHT, (len(out_x), len(LINE_OF_SIGHT)))
        self.beyond = _Places.at(out_x + 0 * depth, out_y + 0 * depth, depth, self.sphere)
        self.above = _Places.at(x[off], y[off], np.zeros(off.sum()), self.sphere)
        distance = np.sqrt(out_x**2 + out_y**2 + LINE_OF_SIGHT**2)
        share = np.exp(-(distance - distance[:, 2:3]) / CORONA_HEIGHT)
        self.share = (share / share.sum(1, keepdims=True)).astype(np.float32)

    def frame(self, day: float) -> Image:
        """Give the frame (size, size) at a time in days since the start: DN, row 0 south."""
        quiet = self._quiet(day)
        light = self._region_light(day)
        psf = 0.011 / self.pixel
        core = HOT_DN * np.log1p(gaussian_filter(light, 0.8 * psf) / HOT_DN)
        glow = gaussian_filter(light, 0.045 / self.pixel, truncate=2.5)
        canopy = gaussian_filter(glow, 0.1 / self.pixel, truncate=2.5)
        # Around a region the low-lying canopy hides the bright network (Wang et al. 2011).
        quiet = np.where(self.disk, quiet * (1 - 0.4 * np.tanh(canopy / 300)), quiet + 0.4 * canopy)
        image = gaussian_filter(quiet, 0.4 * psf / 0.6) + core + 0.12 * glow + DETECTOR_DN
        grain = self.noise.standard_normal(image.shape, dtype=np.float32)
        seen: Image = np.maximum(image + grain * (0.3 + 0.1 * np.sqrt(image)), 0)
        return seen.astype(np.float32)

    def _quiet(self, day: float) -> Image:
        image = self.profile.copy()
        on, off, sphere = self.front, self.above, self.sphere
        texture = NETWORK_DEX * self.network.at(day, sphere, on.row, on.longitude, on.rate)
        texture += FIBRIL_DEX * self.fibrils.at(day, sphere, on.row, on.longitude, on.rate)
        rigid = np.radians(geometry.RIGID_DEG_PER_DAY)
        field = self.holes.at(day, sphere, on.row, on.longitude, rigid)
        mottle = self.rays.at(day, sphere, on.row, on.longitude, on.rate)
        channel = np.exp(-(((field + 0.12 * mottle) / 0.13) ** 2)) * _step(0.3 + 0.6 * mottle)
        belt = _step((40 - self.latitude) / 15) * _step((field - 0.2) / 0.8)
        plage = PLAGE * self.contrast**2 * belt * np.maximum(texture / 0.17 - 0.5, 0)
        image[self.disk] *= (
            10 ** (self.contrast * texture + LARGE_DEX * np.minimum(field, 1))
            * (1 + plage)
            * (1 - CHANNEL_DEPTH * channel)
            * (1 - HOLE_DEPTH * self._hole(field, on))
        )
        far = self.beyond
        rays = 10 ** (RAY_DEX * self.rays.at(day, sphere, far.row, far.longitude, far.rate))
        field = self.holes.at(day, sphere, off.row, off.longitude, rigid)
        image[~self.disk] *= (
            (rays * self.share).sum(1)
            * 10 ** (STREAMER_DEX * np.sqrt(0.1 + field**2) - 0.1)
            * (1 - HOLE_DEPTH_OFF_LIMB * _step((field - off.hole_threshold + 0.8) / 2.4))
        )
        return image

    @staticmethod
    def _hole(field: Maps, places: _Places) -> Maps:
        return _step((field - places.hole_threshold) / 0.4)

    def _region_light(self, day: float) -> Image:
        """Give the light of loops, fans and flare arcades before the instrument blurs it."""
        content = self.regions.content(day)[:, 0]
        longitude = self.regions.longitudes(day)[:, 0]
        seen = np.flatnonzero((content > 0.01 * self.regions.size) & (np.cos(longitude) > -0.45))
        kernel, arcade, dimming = self._flare_light(day)
        points, weights = [], []
        for index in seen:
            bones = self.skeletons[index]
            growth = content[index] / self.regions.size[index]
            points.append(
                self._placed(bones.offsets * (0.55 + 0.45 * growth), index, longitude[index])
            )
            beat = np.cos(2 * np.pi * day / bones.period + bones.phase)
            shining = (0.55 + 0.45 * beat) ** 2 * REGION_DN * growth**0.5 * (1 - dimming[index])
            light = bones.brightness * shining[bones.strand]
            light[bones.flaring] = bones.brightness[bones.flaring] * arcade[index] * FLARE_DN
            # The impulsive kernel sits at the middle of the arcade's points.
            if kernel[index] > 0:
                middle = np.flatnonzero(bones.flaring)[8 * STEPS : 12 * STEPS]
                light[middle] += kernel[index] * FLARE_DN / len(middle)
            weights.append(light)
        if not points:
            return np.zeros((self.size_px, self.size_px), dtype=np.float32)
        return self._splat(np.concatenate(points, axis=1), np.concatenate(weights))

    def _flare_light(self, day: float) -> tuple[Floats, Floats, Floats]:
        """Give kernel and arcade light and the dimming of every region at a time.

        The kernel follows the X-rays; the arcade cools into 171 Å later, and for hours after
        a large flare (Ryan et al. 2012); the corona that left is missing (Thompson et al. 1998).
        """
        count = len(self.regions)
        kernel, arcade, dimming = np.zeros(count), np.zeros(count), np.zeros(count)
        minute = day * MINUTES_PER_DAY
        first, last = np.searchsorted(self.flares.peak, [minute - 1000, minute + 60])
        rows = first + np.flatnonzero(self.flares.excess[first:last] > 3e-7)
        since = minute - self.flares.peak[rows]
        strength = self.flares.excess[rows] / 1e-5
        impulsive = np.exp(-0.5 * (np.minimum(since, 0) / self.flares.rise[rows]) ** 2)
        impulsive *= np.exp(-np.maximum(since, 0) / self.flares.decay[rows])
        host = self.flares.region[rows]
        np.add.at(kernel, host, 12 * np.minimum(strength, 20) ** 0.5 * impulsive)
        cooling = np.maximum(since, 0) / (40 * np.minimum(strength, 30) ** 0.4)
        np.add.at(
            arcade, host, 2.2 * np.minimum(strength, 20) ** 0.5 * 2 * cooling * np.exp(-cooling)
        )
        np.maximum.at(
            dimming, host, np.minimum(0.05 * strength, 0.5) * cooling * np.exp(1 - cooling)
        )
        return kernel, arcade, dimming

    def _placed(self, offsets: Floats, index: np.intp, longitude: float) -> Floats:
        """Bring the points of a region to x, y, z (3, n)."""
        latitude = self.regions.latitude[index]
        y = offsets[1] + np.sin(latitude)
        z = offsets[2] + np.cos(latitude)
        sine, cosine = np.sin(longitude), np.cos(longitude)
        return np.stack([offsets[0] * cosine + z * sine, y, z * cosine - offsets[0] * sine])

    def _splat(self, points: Floats, weights: Floats) -> Image:
        """Share the light of points between the four pixels nearest to each."""
        x, y, z = points
        size = self.size_px
        column_at = x / self.pixel + (size - 1) / 2
        row_at = y / self.pixel + (size - 1) / 2
        shown = ((z > 0) | (x**2 + y**2 > 1)) & (np.abs(x) < 1.15) & (np.abs(y) < 1.15)
        column_at, row_at, weights = column_at[shown], row_at[shown], weights[shown]
        # Brightness is per area: the same light on larger pixels is as much fainter.
        weights = weights * (0.01814 / self.pixel) ** 2
        left, below = column_at.astype(np.int64), row_at.astype(np.int64)
        right_share, above_share = column_at - left, row_at - below
        image = np.zeros(size * size)
        for up, up_share in ((0, 1 - above_share), (1, above_share)):
            for right, share in ((0, 1 - right_share), (1, right_share)):
                place = np.minimum(below + up, size - 1) * size + np.minimum(left + right, size - 1)
                image += np.bincount(place, weights * up_share * share, size * size)
        return image.reshape(size, size).astype(np.float32)
