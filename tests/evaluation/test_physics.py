"""Statistics of images with known values, of planted faults, and of a simulated Sun."""

import numpy as np
import pytest
from scipy import ndimage, stats

from heliosynth.arrays import DAY_S
from heliosynth.config.observations import SimulationConfig
from heliosynth.dataset.scaling import scale
from heliosynth.dataset.store import Description
from heliosynth.evaluation import physics
from heliosynth.evaluation.effect_size import block_sets, within_null
from heliosynth.evaluation.physics_report import compare_rows, measure_images
from heliosynth.evaluation.resampling import time_blocks
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.evaluation.suns import (
    PhysicsReference,
    Suns,
    describe_training,
    pixel_grid,
    power_spectrum,
)
from heliosynth.frames import quality
from heliosynth.registry import resolve
from heliosynth.sources.simulated.corona import Corona
from heliosynth.sources.simulated.observatory import simulate_activity
from helpers.suns import make_suns

SIZE = 64
DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "invented", {})
RADIUS = 0.4
GRID = pixel_grid(SIZE, RADIUS)
QUIET_DN, SKY_DN = 300.0, 20.0


def scaled(intensities):
    return scale(intensities[:, None], DESCRIPTION.minimum_dn, DESCRIPTION.maximum_dn)


def reference(mean=0.0, bright_dn=1000.0, residual_std=1.0):
    """Return what closed forms need of the training images."""
    level = scaled(np.full((1, 1, 1), bright_dn)).item()
    full = np.broadcast_to(np.float32(mean), (SIZE, SIZE))
    measures = quality.measure(make_suns(20, SIZE))
    return PhysicsReference(DESCRIPTION, full, RADIUS, level, residual_std, measures)


def disk(**levels):
    """Return one disk (1, H, W), DN."""
    image = np.where(GRID.radius < 1, QUIET_DN, levels.get("sky", SKY_DN))
    for ring, level in levels.get("rings", ()):
        image[GRID.ring(ring)] = level
    return image[None]


def suns(intensities, **kwargs):
    return Suns(scaled(intensities), reference(**kwargs))


def spots(*positions, radius=0.08):
    """Return a disk with bright round regions at x, y in solar radii."""
    image = disk()[0]
    for x, y in positions:
        image[np.hypot(GRID.x - x, GRID.y - y) < radius] = 2000.0
    return image


def gaussian_fields(count, seed=0, smoothing=2.0):
    noise = np.random.default_rng(seed).standard_normal((count, SIZE, SIZE))
    fields = ndimage.gaussian_filter(noise, (0, smoothing, smoothing), mode="wrap")
    return (fields / fields.std()).astype(np.float32)


def batch(fields, **kwargs):
    """Return a batch whose residuals are these fields."""
    return Suns(fields[:, None], reference(**kwargs))


def test_the_disk_flux_is_the_sum_of_intensities():
    image = disk(sky=10.0)
    expected = image[0, GRID.radius < physics.CORONA_RADIUS].sum()
    assert physics.disk_flux(suns(image)) == pytest.approx(np.log10(expected), abs=1e-5)
    assert physics.disk_flux(suns(10 * image)) == pytest.approx(np.log10(expected) + 1, abs=1e-5)


def test_the_limb_brightening_is_a_ratio_of_rings():
    image = disk(rings=[(physics.LIMB, 900.0)])
    assert physics.limb_brightening(suns(image)) == pytest.approx(3, rel=1e-4)
    assert physics.limb_brightening(suns(disk(sky=QUIET_DN))) == pytest.approx(1, rel=1e-4)


def test_the_off_limb_share_is_that_of_the_corona():
    image = disk(sky=QUIET_DN)
    total = np.count_nonzero(GRID.radius < 1.25)
    expected = np.count_nonzero(GRID.ring(physics.OFF_LIMB)) / total
    assert physics.off_limb_share(suns(image)) == pytest.approx(expected, rel=1e-4)


def test_the_sky_is_that_of_the_corners():
    image = np.repeat(disk(), 2, axis=0)
    noise = np.random.default_rng(0).normal(0, 0.1, image.shape)
    image[1] *= np.where(GRID.radius > 1.3, 10 ** noise[1], 1)
    sky = physics.sky_std(suns(image))
    decades = np.log10(3500 / 5)
    assert sky == pytest.approx([0, 0.1 * 2 / decades], abs=0.005)


def test_the_bright_share_is_that_of_the_disk():
    image = disk(sky=2000.0)
    image[0][(GRID.radius < 1) & (GRID.x > 0)] = 2000.0
    assert physics.bright_share(suns(image)) == pytest.approx(0.5)


def test_the_histogram_sums_to_one_and_has_the_mean_intensity():
    images = scaled(np.stack([disk()[0], spots((0, 0), (0.4, 0.3))]))
    images[0, 0, 0, 0] = 7.0
    measured = physics.intensity_histogram(Suns(images, reference()))
    assert measured.sum(axis=1) == pytest.approx(1)
    means = images[:, 0][:, GRID.radius < 1].mean(axis=1)
    np.testing.assert_allclose(measured @ physics.bin_centres(), means, atol=1 / physics.BINS)


@pytest.mark.parametrize("latitude", [0.0, 15.0, 30.0, 50.0])
def test_a_region_has_its_latitude_on_both_hemispheres(latitude):
    y = np.sin(np.radians(latitude))
    for position in ((0.1, y), (-0.3, -y)):
        measured = physics.active_latitude(suns(spots(position)[None]))[0]
        # The region covers 9 degrees, so at the equator the mean distance is not 0.
        assert measured == pytest.approx(max(latitude, 2.0), abs=1.5)
    high = physics.high_latitude_share(suns(spots((0.1, y))[None]))[0]
    assert high == (1 if latitude > 45 else 0)


def test_asymmetries_are_signed_and_turn_with_the_image():
    north_west = spots((0.4, 0.5), (0.6, -0.3), (0.5, 0.1))[None]
    east_west = physics.east_west_asymmetry(suns(north_west))
    north_south = physics.north_south_asymmetry(suns(north_west))
    assert east_west == pytest.approx(1)
    assert 0 < north_south[0] < 1
    assert physics.east_west_asymmetry(suns(north_west[:, :, ::-1])) == pytest.approx(-1)
    assert physics.north_south_asymmetry(suns(north_west[:, ::-1])) == pytest.approx(-north_south)


def test_a_sun_without_a_bright_pixel_has_no_latitude():
    quiet = suns(disk())
    for key in ("active_latitude", "high_latitude", "east_west", "north_south"):
        assert np.isnan(resolve(STATISTICS[key].function)(quiet)).all()


def test_pixels_count_by_their_area_on_the_sphere():
    for x in (0.0, 0.5, 0.8):
        image = suns(spots((x, 0.0))[None])
        bright = np.count_nonzero(image.activity)
        assert image.activity.sum() / bright == pytest.approx(1 / np.sqrt(1 - x**2), rel=0.05)
    assert not suns(spots((0.97, 0.0), radius=0.05)[None]).activity.any()


def test_mirrored_images_have_mirrored_asymmetries_only():
    images = scaled(np.stack([spots((0.4, 0.3), (-0.2, -0.5)), spots((-0.6, 0.2))]))
    images += 0.05 * gaussian_fields(2)[:, None]
    mirrored = {"east_west": -1, "north_south": 1}
    for key, row in STATISTICS.items():
        arguments = () if row.argument is None else (row.argument,)
        one, other = (
            resolve(row.function)(Suns(x, reference(residual_std=0.1)), *arguments)
            for x in (images, images[..., ::-1])
        )
        np.testing.assert_allclose(one * mirrored.get(key, 1), other, rtol=1e-4, atol=1e-5)


def test_white_noise_has_its_variance_at_every_wave_number():
    noise = 3 * np.random.default_rng(0).standard_normal((400, SIZE, SIZE)).astype(np.float32)
    for taper in (np.ones((SIZE, SIZE)), (GRID.radius < 0.8) * 1.0):
        power = power_spectrum(noise, taper).mean(axis=0)
        assert power.shape == (SIZE // 2 - 1,)
        np.testing.assert_allclose(power, 9, rtol=0.15)


@pytest.mark.parametrize("cycles", [3, 11, 25])
def test_a_wave_has_its_power_at_its_wave_number(cycles):
    wave = np.cos(2 * np.pi * cycles * np.arange(SIZE) / SIZE)[None, None] * np.ones((1, SIZE, 1))
    power = power_spectrum(wave.astype(np.float32), np.ones((SIZE, SIZE)))[0]
    assert power.argmax() == cycles - 1
    assert power[cycles - 1] > 1e6 * np.delete(power, cycles - 1).max()


@pytest.mark.parametrize(
    ("size", "bands"),
    [
        (64, {"large": (2, 5), "medium": (6, 19), "small": (20, 31)}),
        (32, {"large": (2, 5), "medium": (6, 9), "small": (10, 15)}),
        (128, {"large": (2, 5), "medium": (6, 39), "small": (40, 63)}),
    ],
)
def test_bands_scale_with_the_size(size, bands):
    wave_numbers = np.arange(1, size // 2)
    for name, (first, last) in bands.items():
        inside = wave_numbers[physics.band(name, size)]
        assert (inside[0], inside[-1]) == (first, last)


def test_power_is_in_decibels():
    fields = gaussian_fields(5)
    for name in ("large", "medium", "small"):
        one, ten = (physics.band_power(batch(f * fields), name) for f in (0.1, 1.0))
        assert ten - one == pytest.approx(20)


def test_skewness_and_kurtosis_are_those_of_scipy():
    fields = np.random.default_rng(0).gamma(2.0, size=(4, SIZE, SIZE)).astype(np.float32)
    inside = fields[:, GRID.inside]
    measured = batch(fields)
    np.testing.assert_allclose(physics.skewness(measured), stats.skew(inside, axis=1), rtol=1e-4)
    expected = stats.kurtosis(inside, axis=1)
    np.testing.assert_allclose(physics.kurtosis(measured), expected, rtol=1e-4)


def test_gaussian_residuals_have_no_skewness_and_the_area_of_a_gaussian():
    measured = batch(gaussian_fields(60))
    assert abs(physics.skewness(measured).mean()) < 0.05
    assert abs(physics.kurtosis(measured).mean()) < 0.15
    for threshold in (-1.0, 1.0, 2.0):
        area = physics.area_above(measured, threshold).mean()
        assert area == pytest.approx(stats.norm.sf(threshold), abs=0.02)


def test_euler_number_counts_regions():
    fields = np.zeros((1, SIZE, SIZE), np.float32)
    for x, y in ((0, 0), (0.4, 0.3), (-0.5, 0.2)):
        fields[0, np.hypot(GRID.x - x, GRID.y - y) < 0.12] = 1.5
    measured = batch(fields)
    assert physics.euler_above(measured, 1.0) == 3
    assert physics.euler_above(measured, 2.0) == 0
    assert physics.perimeter_above(measured, 1.0) == pytest.approx(3 * 2 * np.pi * 0.12, rel=0.1)


def test_constant_residuals_have_no_shape():
    measured = batch(np.zeros((2, SIZE, SIZE), np.float32))
    assert np.isnan(physics.skewness(measured)).all()
    assert np.isnan(physics.kurtosis(measured)).all()
    assert np.isfinite(physics.band_power(measured, "small")).all()


def test_images_that_frames_would_be_rejected_for_are_counted():
    frames = make_suns(6, SIZE)
    frames[1, : SIZE // 2] = 0
    frames[3] = np.roll(frames[3], 9, axis=1)
    frames[4] = make_suns(1, SIZE)[0][::2, ::2].repeat(2, 0).repeat(2, 1)[:SIZE, :SIZE] * 0 + 100
    assert physics.rejected(suns(frames)).tolist() == [0, 1, 0, 1, 1, 0]
    # Equal images are no fault of each of them, as they are for frames.
    assert not physics.rejected(suns(np.repeat(frames[:1], 3, axis=0))).any()


def test_the_solar_radius_is_measured_on_the_training_images():
    images = scaled(make_suns(8, SIZE))
    # The invented corona falls off from the limb at 0.43 on.
    assert describe_training(images, DESCRIPTION).solar_radius == pytest.approx(0.43, rel=0.05)


def test_the_reference_describes_the_training_images():
    images = scaled(make_suns(30, SIZE)) + 0.1 * gaussian_fields(30)[:, None]
    measured = describe_training(images, DESCRIPTION)
    np.testing.assert_allclose(measured.mean, images.mean(axis=(0, 1)), atol=1e-5)
    share = physics.bright_share(Suns(images, measured))
    assert share.mean() == pytest.approx(1 - 0.95, abs=0.002)
    assert measured.residual_std == pytest.approx(0.1, rel=0.1)


BLOCK_DAYS = 3
DAYS = 90


@pytest.fixture(scope="module")
def simulated():
    """Measured training frames, held-out weeks and phase-random images of a simulated Sun."""
    settings = SimulationConfig(
        start="2012-01-01", days=DAYS, cadence_minutes=720, size_px=SIZE, flares_per_day=6.0
    )
    activity = simulate_activity(settings, seed=1)
    rng = np.random.default_rng(2)
    corona = Corona(activity.regions, activity.flares, DAYS, SIZE, rng)
    days = np.arange(0, DAYS, 0.5)
    images = scaled(np.stack([corona.frame(day) for day in days]))
    blocks = time_blocks((days * DAY_S).astype(np.int64), BLOCK_DAYS)
    is_test = blocks % 4 == 1
    training = images[~is_test]
    scaled_reference = describe_training(training, DESCRIPTION)
    mottled = phase_random(training, 150, rng)
    rows = {
        "real": measure_images(images[is_test], scaled_reference, blocks[is_test]),
        "copycat": measure_images(training[::2], scaled_reference, np.arange(len(training[::2]))),
        "phase_random": measure_images(mottled, scaled_reference, np.arange(150)),
    }
    measured = measure_images(training, scaled_reference, blocks[~is_test])
    return compare_rows(rows, measured, block_sets(blocks[~is_test], rng), seed=0)


def phase_random(training, count, rng):
    """Return the mean training image with residuals of their own power and random phases."""
    mean = training.mean(axis=0)
    spectra = np.abs(np.fft.fft2(training[rng.integers(len(training), size=count)] - mean))
    waves = np.fft.fft2(rng.standard_normal(spectra.shape))
    residuals = np.fft.ifft2(spectra * waves / np.abs(waves)).real
    return (mean + residuals).clip(-1, 1).astype(np.float32)


def outside(row):
    return {key for key, entry in row.items() if entry and not within_null(entry)}


def test_held_out_weeks_are_within_the_null_in_most_statistics(simulated):
    assert len(outside(simulated["real"])) <= len(STATISTICS) // 4
    assert not outside(simulated["copycat"])


def test_phase_random_suns_are_caught_by_what_power_does_not_contain(simulated):
    caught = outside(simulated["phase_random"])
    assert {"skewness", "kurtosis", "euler_minus_1"} <= caught
    assert "power_large" not in caught


def test_every_entry_has_an_interval_around_the_value(simulated):
    for row in simulated.values():
        for entry in filter(None, row.values()):
            assert 0 <= entry["low"] <= entry["value"] <= entry["high"]
            assert entry["null_median"] <= entry["null_q95"]
