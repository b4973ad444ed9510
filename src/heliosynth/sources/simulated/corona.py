"""Images of the Sun in 171 Å: quiet Sun, holes, off-limb corona, active regions and flares.

Intensities are in DN as in SDOMLv2. The constants marked *measured* were determined from
6,033 hourly frames of 2012 with 17.7″ per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from heliosynth.arrays import SOLAR_RADIUS_ARCSEC, AnyFloats, Floats, Floats32, Integers
from heliosynth.sources.simulated import geometry
from heliosynth.sources.simulated.activity import Regions
from heliosynth.sources.simulated.flares import MINUTES_PER_DAY, Flares
from heliosynth.sources.simulated.loops import STEPS, Skeleton, skeletons
from heliosynth.sources.simulated.texture import (
    Evolving,
    Sphere,
    fibrils,
    map_count,
    noise_volume,
    patches,
)

SIMULATED_FIELD_ARCSEC = 17.7 * 128
"""Width of a simulated frame, narrower than SDOMLv2's: one solar radius is 55.1 of 128 pixels."""

SURFACE_DN, LOW_DN, CORONA_DN = 160.0, 130.0, 80.0
"""Quiet emission at disk centre from the surface, the lowest and the hydrostatic corona, DN
(measured: the median rises from 340 DN at the centre to 1,080 DN at the limb)."""

LOW_HEIGHT, CORONA_HEIGHT = 0.02, 0.072
"""Scale heights of the lowest and the hydrostatic corona, solar radii (measured: off the limb the
median falls tenfold in 0.17)."""

DETECTOR_DN = 2.0
"""Level far from the Sun, DN."""

NETWORK_DEX, FIBRIL_DEX, RAY_DEX = 0.13, 0.11, 0.22
"""Standard deviation of log₁₀ DN of the textures (measured: 0.17 outside regions)."""

LARGE_DEX, STREAMER_DEX = 0.09, 0.15
"""Log₁₀ DN added per standard deviation of the large-scale field, on and off the disk."""

PLAGE = 0.9
"""Emission that decayed flux in the activity belts adds to bright network, relative to it."""

CHANNEL_DEPTH = 0.5
"""Share of the emission missing in a filament channel, where the large-scale field changes sign."""

HOLE_DEPTH, HOLE_DEPTH_OFF_LIMB = 0.62, 0.82
"""Share of the emission missing in a coronal hole, on and off the disk."""

HOT_DN = 2500.0
"""Scale on which emission saturates where many strands overlap: hotter plasma emits less 171 Å."""

REGION_DN = 3000.0
FLARE_DN = 4500.0
"""Scales of the emission of regions and of an M1 flare, DN."""

LINE_OF_SIGHT = np.array([-0.42, -0.2, 0.0, 0.2, 0.42])
"""Positions along the line of sight at which the off-limb corona is sampled, solar radii."""

NETWORK_DAYS, FIBRIL_DAYS, RAY_DAYS, HOLE_DAYS = 7.0, 6.0, 4.0, 26.0
"""Lifetimes of the textures."""


def column(radius: Floats, height: float) -> Floats:
    """Return the column depth of an exponential atmosphere, 1 at disk centre.

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
    density = np.exp(-np.maximum(distance - 1, 0) / height)
    one_side = np.trapezoid(density, depth, axis=-1) / height
    return np.asarray(np.where(radius < 1, one_side, 2 * one_side))


def quiet_profile(radius: Floats, pixel: float) -> Floats:
    """Return the quiet Sun's DN at distances from disk centre, averaged over a pixel.

    Parameters
    ----------
    radius
        Distance from disk centre, solar radii, any shape.
    pixel
        Width of a pixel, solar radii.
    """
    fine = np.arange(0, 3.0, 0.004)
    profile = LOW_DN * column(fine, LOW_HEIGHT) + CORONA_DN * column(fine, CORONA_HEIGHT)
    cosine = np.sqrt(np.maximum(1 - fine**2, 0))
    profile += np.where(fine < 1, SURFACE_DN * (1 + 1.5 * (1 - cosine) ** 2), 0)
    width = max(round(1.7 * pixel / 0.004), 1)
    smooth = np.convolve(np.pad(profile, width, mode="edge"), np.ones(width) / width, mode="same")
    return np.asarray(np.interp(radius, fine, smooth[width:-width]))


def _smoothstep(value: AnyFloats) -> Floats32:
    """Return a smooth step from 0 to 1 as the value goes from 0 to 1."""
    clipped = np.clip(value, 0, 1).astype(np.float32)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), dtype=np.float32)


@dataclass(frozen=True)
class _SurfacePoints:
    """Points on the Sun that pixels see.

    Attributes
    ----------
    row
        Row of the sphere's grid.
    longitude
        Radians.
    rate
        Synodic rotation rate, radians per day.
    hole_threshold
        Value of the large-scale field above which there is a coronal hole.
    """

    row: Integers
    longitude: Floats
    rate: Floats
    hole_threshold: Floats32

    @classmethod
    def at(cls, x: Floats, y: Floats, z: Floats, sphere: Sphere) -> _SurfacePoints:
        latitude = np.arcsin(np.clip(y / np.sqrt(x**2 + y**2 + z**2), -1, 1))
        polar = _smoothstep((np.abs(np.degrees(latitude)) - 44) / 25)
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
        Active regions and flares.
    days
        Length of the observation, days.
    size_px
        Width and height of a frame, pixels.
    rng
        Random numbers of the corona.
    """

    def __init__(
        self, regions: Regions, flares: Flares, days: float, size_px: int, rng: np.random.Generator
    ) -> None:
        self.regions, self.flares, self.size_px = regions, flares, size_px
        self.pixel = SIMULATED_FIELD_ARCSEC / SOLAR_RADIUS_ARCSEC / size_px
        streams = rng.spawn(4)
        self.skeletons: list[Skeleton] = skeletons(regions, streams[0])
        self.sphere = Sphere(256)
        self._draw_textures(days, streams[1])
        self._map_pixels(size_px)
        self.noise = streams[2]

    def _draw_textures(self, days: float, rng: np.random.Generator) -> None:
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

    def _map_pixels(self, size_px: int) -> None:
        """Compute the points on the Sun that every pixel sees."""
        x, y = geometry.pixel_positions(size_px, self.pixel)
        radius = np.hypot(x, y)
        self.disk = radius < 1
        self.profile = quiet_profile(radius, self.pixel).astype(np.float32)
        on_x, on_y, on_r = x[self.disk], y[self.disk], radius[self.disk]
        cosine = np.sqrt(1 - on_r**2)
        self.on_disk = _SurfacePoints.at(on_x, on_y, cosine, self.sphere)
        self.latitude = np.abs(np.degrees(np.arcsin(on_y))).astype(np.float32)
        # Near the limb a pixel averages many structures along the line of sight.
        self.contrast = (0.65 + 0.35 * cosine).astype(np.float32)
        off = ~self.disk
        off_x, off_y = x[off][:, None], y[off][:, None]
        depth = np.broadcast_to(LINE_OF_SIGHT, (len(off_x), len(LINE_OF_SIGHT)))
        self.lines_of_sight = _SurfacePoints.at(
            off_x + 0 * depth, off_y + 0 * depth, depth, self.sphere
        )
        self.plane_of_sky = _SurfacePoints.at(x[off], y[off], np.zeros(off.sum()), self.sphere)
        distance = np.sqrt(off_x**2 + off_y**2 + LINE_OF_SIGHT**2)
        share = np.exp(-(distance - distance[:, 2:3]) / CORONA_HEIGHT)
        self.share = (share / share.sum(1, keepdims=True)).astype(np.float32)

    def frame(self, day: float) -> Floats32:
        """Return the frame (size, size) at a time in days since the start: DN, row 0 south."""
        quiet = self._quiet(day)
        light = self._region_light(day)
        psf = 0.011 / self.pixel
        core = HOT_DN * np.log1p(gaussian_filter(light, 0.8 * psf) / HOT_DN)
        glow = gaussian_filter(light, 0.045 / self.pixel, truncate=2.5)
        canopy = gaussian_filter(glow, 0.1 / self.pixel, truncate=2.5)
        # Around a region the low canopy obscures the bright network (Wang et al. 2011).
        quiet = np.where(self.disk, quiet * (1 - 0.4 * np.tanh(canopy / 300)), quiet + 0.4 * canopy)
        image = gaussian_filter(quiet, 0.4 * psf / 0.6) + core + 0.12 * glow + DETECTOR_DN
        grain = self.noise.standard_normal(image.shape, dtype=np.float32)
        observed: Floats32 = np.maximum(image + grain * (0.3 + 0.1 * np.sqrt(image)), 0)
        return observed.astype(np.float32)

    def _quiet(self, day: float) -> Floats32:
        """Return the frame without regions and flares."""
        image = self.profile.copy()
        on, off, sphere = self.on_disk, self.plane_of_sky, self.sphere
        texture = NETWORK_DEX * self.network.at(day, sphere, on.row, on.longitude, on.rate)
        texture += FIBRIL_DEX * self.fibrils.at(day, sphere, on.row, on.longitude, on.rate)
        rigid = np.radians(geometry.RIGID_DEG_PER_DAY)
        field = self.holes.at(day, sphere, on.row, on.longitude, rigid)
        mottle = self.rays.at(day, sphere, on.row, on.longitude, on.rate)
        channel = np.exp(-(((field + 0.12 * mottle) / 0.13) ** 2)) * _smoothstep(0.3 + 0.6 * mottle)
        belt = _smoothstep((40 - self.latitude) / 15) * _smoothstep((field - 0.2) / 0.8)
        plage = PLAGE * self.contrast**2 * belt * np.maximum(texture / 0.17 - 0.5, 0)
        image[self.disk] *= (
            10 ** (self.contrast * texture + LARGE_DEX * np.minimum(field, 1))
            * (1 + plage)
            * (1 - CHANNEL_DEPTH * channel)
            * (1 - HOLE_DEPTH * self._hole(field, on))
        )
        lines = self.lines_of_sight
        rays = 10 ** (RAY_DEX * self.rays.at(day, sphere, lines.row, lines.longitude, lines.rate))
        field = self.holes.at(day, sphere, off.row, off.longitude, rigid)
        image[~self.disk] *= (
            (rays * self.share).sum(1)
            * 10 ** (STREAMER_DEX * np.sqrt(0.1 + field**2) - 0.1)
            * (1 - HOLE_DEPTH_OFF_LIMB * _smoothstep((field - off.hole_threshold + 0.8) / 2.4))
        )
        return image

    @staticmethod
    def _hole(field: Floats32, points: _SurfacePoints) -> Floats32:
        return _smoothstep((field - points.hole_threshold) / 0.4)

    def _region_light(self, day: float) -> Floats32:
        """Return the emission of loops, fans and flare arcades, before instrumental blurring."""
        content = self.regions.content(day)[:, 0]
        longitude = self.regions.longitudes(day)[:, 0]
        visible = np.flatnonzero((content > 0.01 * self.regions.size) & (np.cos(longitude) > -0.45))
        kernel, arcade, dimming = self._flare_light(day)
        points, weights = [], []
        for index in visible:
            skeleton = self.skeletons[index]
            growth = content[index] / self.regions.size[index]
            points.append(
                self._rotate(skeleton.offsets * (0.55 + 0.45 * growth), index, longitude[index])
            )
            variation = np.cos(2 * np.pi * day / skeleton.period + skeleton.phase)
            emission = (
                (0.55 + 0.45 * variation) ** 2 * REGION_DN * growth**0.5 * (1 - dimming[index])
            )
            light = skeleton.brightness * emission[skeleton.strand]
            light[skeleton.flaring] = (
                skeleton.brightness[skeleton.flaring] * arcade[index] * FLARE_DN
            )
            # The impulsive kernel is at the middle of the arcade.
            if kernel[index] > 0:
                middle = np.flatnonzero(skeleton.flaring)[8 * STEPS : 12 * STEPS]
                light[middle] += kernel[index] * FLARE_DN / len(middle)
            weights.append(light)
        if not points:
            return np.zeros((self.size_px, self.size_px), dtype=np.float32)
        return self._splat(np.concatenate(points, axis=1), np.concatenate(weights))

    def _flare_light(self, day: float) -> tuple[Floats, Floats, Floats]:
        """Return the kernel and arcade emission and the dimming of every region at a time.

        The kernel follows the X-rays; the arcade cools to 171 Å later, for hours after a large
        flare (Ryan et al. 2012); the dimming is corona that was ejected (Thompson et al. 1998).
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

    def _rotate(self, offsets: Floats, index: np.intp, longitude: float) -> Floats:
        """Return the positions x, y, z (3, n) of a region's points at a longitude."""
        latitude = self.regions.latitude[index]
        y = offsets[1] + np.sin(latitude)
        z = offsets[2] + np.cos(latitude)
        sine, cosine = np.sin(longitude), np.cos(longitude)
        return np.stack([offsets[0] * cosine + z * sine, y, z * cosine - offsets[0] * sine])

    def _splat(self, points: Floats, weights: Floats) -> Floats32:
        """Distribute the emission of points among the four nearest pixels (bilinear)."""
        x, y, z = points
        size = self.size_px
        column_at = x / self.pixel + (size - 1) / 2
        row_at = y / self.pixel + (size - 1) / 2
        visible = ((z > 0) | (x**2 + y**2 > 1)) & (np.abs(x) < 1.15) & (np.abs(y) < 1.15)
        column_at, row_at, weights = column_at[visible], row_at[visible], weights[visible]
        # Intensity is per area: the same emission in larger pixels is fainter.
        weights = weights * (0.01814 / self.pixel) ** 2
        left, below = column_at.astype(np.int64), row_at.astype(np.int64)
        right_share, above_share = column_at - left, row_at - below
        image = np.zeros(size * size)
        for up, up_share in ((0, 1 - above_share), (1, above_share)):
            for right, share in ((0, 1 - right_share), (1, right_share)):
                row = np.minimum(below + up, size - 1)
                flat = row * size + np.minimum(left + right, size - 1)
                image += np.bincount(flat, weights * up_share * share, size * size)
        return image.reshape(size, size).astype(np.float32)
