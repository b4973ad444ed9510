"""Bright area of solar disks, and its correlation with the flux."""

import numpy as np
import pytest

from heliosynth.arrays import DAY_S, DISK_RADIUS
from heliosynth.dataset.scaling import scale
from heliosynth.dataset.store import (
    NO_TIME,
    Description,
    GeneratedImages,
    LabelledImages,
    write_dataset,
    write_samples,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.flux_response import (
    BRIGHT_QUANTILE,
    FLUX_RESPONSE,
    Response,
    bright_area,
    bright_threshold,
    correlate,
    correlate_within,
    measure_flux_response,
    rank_correlation,
    solar_disk,
)
from heliosynth.io import tables
from heliosynth.io.files import read_json
from helpers.scripts import load

script = load("flux_response")

SIZE_PX = 64
DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "disks", {})
QUIET_DN, BRIGHT_DN, SKY_DN = 300.0, 2000.0, 3000.0


def suns(shares):
    """Return disks with a bright share of their area, on a brighter sky, (N, 1, H, W)."""
    disk = solar_disk(SIZE_PX)
    images = np.full((len(shares), SIZE_PX, SIZE_PX), SKY_DN)
    for image, share in zip(images, shares, strict=True):
        bright = np.arange(disk.sum()) < round(share * disk.sum())
        image[disk] = np.where(bright, BRIGHT_DN, QUIET_DN)
    return scale(images[:, None], DESCRIPTION.minimum_dn, DESCRIPTION.maximum_dn)


def labelled(log10_flux, shares, first_day=0):
    """Return such disks as real frames, two per day."""
    n = len(shares)
    flux = np.asarray(log10_flux, np.float32)
    time = first_day * DAY_S + DAY_S // 2 * np.arange(n, dtype=np.int64)
    return LabelledImages(suns(shares), np.full(n, 2, np.int8), flux, time)


def generated(log10_flux, shares, seeds, population):
    """Return such disks as generated images."""
    images, n = labelled(log10_flux, shares), len(shares)
    marks = {"population": np.full(n, population), "balanced": np.zeros(n, bool)}
    origin = {"time": np.full(n, NO_TIME), "seed": np.asarray(seeds, np.int64)}
    return GeneratedImages(**{**vars(images), **origin, **marks})


@pytest.fixture
def products(tmp_path):
    """Return a function that writes a dataset with some test frames and a model's images."""
    rng = np.random.default_rng(0)
    flux = np.linspace(-7, -4, 40)
    train = labelled(flux, 0.1 * rng.uniform(0, 1, 40))
    grid = np.repeat(np.linspace(-7, -4, 6), 4)
    samples = generated(grid, (grid + 7.5) / 30, np.tile(np.arange(4), 6), population=False)
    write_samples(tmp_path / "grid.h5", samples, DESCRIPTION)
    population = generated(flux, (flux + 7.5) / 30, np.arange(40), population=True)
    write_samples(tmp_path / "samples.h5", population, DESCRIPTION)

    def write(test):
        path = tmp_path / "dataset.h5"
        write_dataset(path, {"train": train, "val": train, "test": test}, DESCRIPTION)
        return {
            "dataset": path,
            "grid": tmp_path / "grid.h5",
            "samples": tmp_path / "samples.h5",
        }

    return write


@pytest.fixture
def rising():
    """Twenty test frames whose bright area rises with their flux."""
    return labelled(np.linspace(-7, -4, 20), np.linspace(0, 0.1, 20), first_day=100)


def test_the_disk_has_the_radius_of_sdoml():
    assert solar_disk(512).mean() == pytest.approx(np.pi * DISK_RADIUS**2, rel=1e-3)
    assert not solar_disk(SIZE_PX)[0].any()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.25, 1.0])
def test_the_bright_area_ignores_the_sky(share):
    area = bright_area(suns([share, 0.5]), DESCRIPTION, 1000.0)
    np.testing.assert_allclose(area, [share, 0.5], atol=0.5 / solar_disk(SIZE_PX).sum())


def test_the_threshold_is_a_quantile_of_the_training_pixels():
    disk = solar_disk(SIZE_PX)
    images = np.full((3, SIZE_PX, SIZE_PX), SKY_DN)
    images[:, disk] = np.random.default_rng(0).uniform(10, 3000, (3, disk.sum()))
    images = scale(images[:, None], DESCRIPTION.minimum_dn, DESCRIPTION.maximum_dn)
    threshold = bright_threshold(images, DESCRIPTION)
    assert bright_area(images, DESCRIPTION, threshold).mean() == pytest.approx(
        1 - BRIGHT_QUANTILE, abs=1e-3
    )


def test_clipped_pixels_are_bright_if_the_threshold_is_the_clip():
    clipped = np.ones_like(suns([0.0]))
    threshold = bright_threshold(clipped, DESCRIPTION)
    assert threshold == pytest.approx(DESCRIPTION.maximum_dn)
    assert bright_area(clipped, DESCRIPTION, threshold) == [1.0]


def test_a_monotone_response_has_a_correlation_of_one():
    flux = np.repeat(np.linspace(-7, -4, 8), 5)
    response = Response(flux, np.exp(flux), np.tile(np.arange(5), 8))
    for function in (correlate, correlate_within):
        result = function(response, 20, 0)
        assert (result.value, result.std, result.n) == (pytest.approx(1), pytest.approx(0), 40)
    falling = Response(flux, -np.exp(flux), response.group)
    assert correlate(falling, 20, 0).value == pytest.approx(-1)


def test_a_shuffled_response_has_no_correlation():
    rng = np.random.default_rng(1)
    flux = np.repeat(np.linspace(-7, -4, 12), 40)
    response = Response(flux, rng.permutation(np.exp(flux)), np.tile(np.arange(40), 12))
    for function in (correlate, correlate_within):
        result = function(response, 200, 0)
        assert abs(result.value) < 3 * result.std
        assert result.std == pytest.approx(1 / np.sqrt(len(flux)), rel=0.4)


def test_images_of_one_seed_are_resampled_together():
    # Four seeds, each with equal images at all fluxes, count as four images, not as 400.
    rng = np.random.default_rng(2)
    seed = np.repeat(np.arange(4), 100)
    flux = rng.uniform(-7, -4, 4)[seed]
    area = rng.uniform(0, 1, 4)[seed]
    grouped = correlate(Response(flux, area, seed), 100, 0)
    single = correlate(Response(flux, area, np.arange(400)), 100, 0)
    assert grouped.std > 4 * single.std


def test_a_constant_has_no_correlation():
    assert rank_correlation(np.arange(5.0), np.zeros(5)) == 0
    assert rank_correlation(np.zeros(5), np.arange(5.0)) == 0


def test_images_of_the_test_split_affect_the_test_set_only(products, rising):
    first, table = measure_flux_response(**products(rising), repeats=5, block_days=1, seed=3)
    brighter = labelled(rising.log10_flux, np.full(20, 0.9), first_day=100)
    again, other = measure_flux_response(**products(brighter), repeats=5, block_days=1, seed=3)
    assert first["correlation"].pop("test") != again["correlation"].pop("test")
    for key in ("threshold_dn", "correlation", "correlation_within_seeds"):
        assert first[key] == again[key]
    is_other = table["set"] != "test"
    assert table[is_other].equals(other[is_other])


def test_the_script_writes_every_value_and_every_image(products, rising, tmp_path):
    paths = {name: str(path) for name, path in products(rising).items()}
    outputs = tmp_path / "m.json", tmp_path / "m.csv"
    script.main(
        [
            *("--name", "m", "--dataset", paths["dataset"]),
            *("--grid", paths["grid"], "--samples", paths["samples"]),
            *("--repeats", "10", "--block-days", "1", "--seed", "1"),
            *("--output-json", str(outputs[0]), "--output-csv", str(outputs[1])),
        ]
    )
    report, table = read_json(outputs[0]), tables.read(outputs[1], FLUX_RESPONSE)
    assert report["name"] == "m"
    counts = {"grid": 24, "population": 40, "train": 40, "test": 20}
    assert {name: entry["n"] for name, entry in report["correlation"].items()} == counts
    assert table["set"].value_counts().to_dict() == counts
    for name in ("grid", "population", "test"):
        assert report["correlation"][name]["value"] == pytest.approx(1, abs=0.01)
    assert abs(report["correlation"]["train"]["value"]) < 0.5
    assert report["correlation_within_seeds"]["value"] == pytest.approx(1)
    assert (report["fluxes"], report["images_per_flux"]) == (6, 4)
    assert table[table["set"] == "test"]["group"].nunique() == 10


def test_a_test_split_without_a_trained_class_is_named(products, rising):
    untrained = LabelledImages(**{**vars(rising), "goes_class": np.zeros(20, np.int8)})
    with pytest.raises(InputError, match=r"dataset\.h5: no test image of a trained class"):
        measure_flux_response(**products(untrained), repeats=5, block_days=1, seed=3)
    with pytest.raises(InputError, match="no image of the population"):
        paths = products(rising)
        paths["samples"] = paths["grid"]
        measure_flux_response(**paths, repeats=5, block_days=1, seed=3)


def test_real_frames_in_one_block_of_time_are_rejected(products, rising):
    with pytest.raises(InputError, match=r"all train images are in one block of 1000 days"):
        measure_flux_response(**products(rising), repeats=5, block_days=1000, seed=3)
