"""The bright area of a disk of known area, and its correlation with the flux."""

import numpy as np
import pytest

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
from heliosynth.evaluation import flux_response
from heliosynth.evaluation.flux_response import (
    BRIGHT_QUANTILE,
    DISK_RADIUS,
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

SIZE = 64
ABOUT = Description("171A", 5.0, 3500.0, (1, 2, 3), "disks", {})
QUIET_DN, BRIGHT_DN, SKY_DN = 300.0, 2000.0, 3000.0


def suns(shares):
    """Give quiet disks of which a share is bright, under a sky brighter still, (N, 1, H, W)."""
    disk = solar_disk(SIZE)
    images = np.full((len(shares), SIZE, SIZE), SKY_DN)
    for image, share in zip(images, shares, strict=True):
        bright = np.arange(disk.sum()) < round(share * disk.sum())
        image[disk] = np.where(bright, BRIGHT_DN, QUIET_DN)
    return scale(images[:, None], ABOUT.minimum_dn, ABOUT.maximum_dn)


def labelled(log10_flux, shares, first_day=0):
    """Give two frames a day of such Suns."""
    n = len(shares)
    flux = np.asarray(log10_flux, np.float32)
    time = first_day * 86400 + 43200 * np.arange(n, dtype=np.int64)
    return LabelledImages(suns(shares), np.full(n, 2, np.int8), flux, time)


def generated(log10_flux, shares, seeds, population):
    images, n = labelled(log10_flux, shares), len(shares)
    marks = {"population": np.full(n, population), "balanced": np.zeros(n, bool)}
    of_none = {"time": np.full(n, NO_TIME), "seed": np.asarray(seeds, np.int64)}
    return GeneratedImages(**{**vars(images), **of_none, **marks})


@pytest.fixture
def products(tmp_path):
    """Write a dataset and a model's images, and give a function that writes other test frames."""
    rng = np.random.default_rng(0)
    flux = np.linspace(-7, -4, 40)
    train = labelled(flux, 0.1 * rng.uniform(0, 1, 40))
    grid = np.repeat(np.linspace(-7, -4, 6), 4)
    samples = generated(grid, (grid + 7.5) / 30, np.tile(np.arange(4), 6), population=False)
    write_samples(tmp_path / "grid.h5", samples, ABOUT)
    population = generated(flux, (flux + 7.5) / 30, np.arange(40), population=True)
    write_samples(tmp_path / "samples.h5", population, ABOUT)

    def write(test):
        path = tmp_path / "dataset.h5"
        write_dataset(path, {"train": train, "val": train, "test": test}, ABOUT)
        return path, tmp_path / "grid.h5", tmp_path / "samples.h5"

    return write


@pytest.fixture
def rising():
    """Give 20 test frames whose bright area rises with their flux."""
    return labelled(np.linspace(-7, -4, 20), np.linspace(0, 0.1, 20), first_day=100)


def test_the_disk_is_that_of_sdoml():
    assert solar_disk(512).mean() == pytest.approx(np.pi * DISK_RADIUS**2, rel=1e-3)
    assert not solar_disk(SIZE)[0].any()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.25, 1.0])
def test_a_disk_of_known_bright_area_has_it_whatever_the_sky(share):
    found = bright_area(suns([share, 0.5]), ABOUT, 1000.0)
    np.testing.assert_allclose(found, [share, 0.5], atol=0.5 / solar_disk(SIZE).sum())


def test_the_threshold_leaves_its_share_of_the_training_pixels_bright():
    disk = solar_disk(SIZE)
    images = np.full((3, SIZE, SIZE), SKY_DN)
    images[:, disk] = np.random.default_rng(0).uniform(10, 3000, (3, disk.sum()))
    images = scale(images[:, None], ABOUT.minimum_dn, ABOUT.maximum_dn)
    threshold = bright_threshold(images, ABOUT)
    assert bright_area(images, ABOUT, threshold).mean() == pytest.approx(
        1 - BRIGHT_QUANTILE, abs=1e-3
    )


def test_pixels_at_the_clip_are_bright_where_the_threshold_is_there():
    clipped = suns([0.0]) * 0 + 1
    threshold = bright_threshold(clipped, ABOUT)
    assert threshold == pytest.approx(ABOUT.maximum_dn)
    assert bright_area(clipped, ABOUT, threshold) == [1.0]


def test_a_monotone_set_has_a_correlation_of_one_without_spread():
    flux = np.repeat(np.linspace(-7, -4, 8), 5)
    response = Response(flux, np.exp(flux), np.tile(np.arange(5), 8))
    for of in (correlate, correlate_within):
        found = of(response, 20, 0)
        assert (found.value, found.std, found.n) == (pytest.approx(1), pytest.approx(0), 40)
    falling = Response(flux, -np.exp(flux), response.group)
    assert correlate(falling, 20, 0).value == pytest.approx(-1)


def test_a_shuffled_set_has_none_within_its_spread():
    rng = np.random.default_rng(1)
    flux = np.repeat(np.linspace(-7, -4, 12), 40)
    response = Response(flux, rng.permutation(np.exp(flux)), np.tile(np.arange(40), 12))
    for of in (correlate, correlate_within):
        found = of(response, 200, 0)
        assert abs(found.value) < 3 * found.std
        assert found.std == pytest.approx(1 / np.sqrt(len(flux)), rel=0.4)


def test_images_of_one_seed_are_resampled_together():
    # Four seeds, each with one answer for all its fluxes: as good as four images, not 400.
    rng = np.random.default_rng(2)
    seed = np.repeat(np.arange(4), 100)
    flux = rng.uniform(-7, -4, 4)[seed]
    area = rng.uniform(0, 1, 4)[seed]
    together = correlate(Response(flux, area, seed), 100, 0)
    apart = correlate(Response(flux, area, np.arange(400)), 100, 0)
    assert together.std > 4 * apart.std


def test_what_never_changes_does_not_respond():
    assert rank_correlation(np.arange(5.0), np.zeros(5)) == 0
    assert rank_correlation(np.zeros(5), np.arange(5.0)) == 0


def test_test_images_do_not_change_the_threshold_nor_any_other_set(products, rising):
    first, table = measure_flux_response(*products(rising), repeats=5, seed=3)
    brighter = labelled(rising.log10_flux, np.full(20, 0.9), first_day=100)
    again, other = measure_flux_response(*products(brighter), repeats=5, seed=3)
    assert first["correlation"].pop("test") != again["correlation"].pop("test")
    for key in ("threshold_dn", "correlation", "correlation_within_seeds"):
        assert first[key] == again[key]
    kept = table["set"] != "test"
    assert table[kept].equals(other[kept])


def test_the_door_writes_every_number_and_every_image(products, rising, tmp_path):
    dataset, grid, samples = map(str, products(rising))
    outputs = tmp_path / "m.json", tmp_path / "m.csv"
    script.main(
        [
            *("--name", "m", "--dataset", dataset, "--grid", grid, "--samples", samples),
            *("--repeats", "10", "--seed", "1"),
            *("--output-json", str(outputs[0]), "--output-csv", str(outputs[1])),
        ]
    )
    found, table = read_json(outputs[0]), tables.read(outputs[1], flux_response.FLUX_RESPONSE)
    assert found["name"] == "m"
    counts = {"grid": 24, "population": 40, "train": 40, "test": 20}
    assert {name: entry["n"] for name, entry in found["correlation"].items()} == counts
    assert table["set"].value_counts().to_dict() == counts
    for name in ("grid", "population", "test"):
        assert found["correlation"][name]["value"] == pytest.approx(1, abs=0.01)
    assert abs(found["correlation"]["train"]["value"]) < 0.5
    assert found["correlation_within_seeds"]["value"] == pytest.approx(1)
    assert (found["fluxes"], found["images_per_flux"]) == (6, 4)
    assert table[table["set"] == "test"]["group"].nunique() == 10


def test_a_test_split_without_a_trained_class_is_named(products, rising):
    untrained = LabelledImages(**{**vars(rising), "goes_class": np.zeros(20, np.int8)})
    with pytest.raises(InputError, match=r"dataset\.h5: no test image of a trained class"):
        measure_flux_response(*products(untrained), repeats=5, seed=3)
    with pytest.raises(InputError, match="no image of the population"):
        dataset, grid, _ = products(rising)
        measure_flux_response(dataset, grid, grid, repeats=5, seed=3)
