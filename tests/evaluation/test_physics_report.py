"""The products ``metrics/physics.json`` and ``metrics/physics_curves.json``."""

import json

import numpy as np
import pytest

from factories.labelled import generated_images, labelled_images
from heliosynth.arrays import DAY_S
from heliosynth.dataset.store import Description, LabelledImages, write_dataset, write_samples
from heliosynth.errors import InputError
from heliosynth.evaluation.physics_curves import CURVES
from heliosynth.evaluation.physics_report import measure_physics
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.io.files import read_json
from helpers.scripts import load

script = load("physics")

SIZE = 32
DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "noise of five brightnesses", {})
KEYS = {"value", "std", "n", "low", "high", "null_median", "null_q95"}
KEYS |= {"mean", "reference_mean", "reference_std"}


def frames(classes, seed, first_day=0):
    """Return two images a day."""
    images = labelled_images(classes, seed, SIZE)
    time = (first_day + np.arange(len(classes)) / 2) * DAY_S
    return LabelledImages(**{**vars(images), "time": time.astype(np.int64)})


@pytest.fixture
def dataset(tmp_path):
    """A dataset of 12 weeks of training and four of testing, some of an untrained class."""
    splits = {
        "train": frames([1, 2, 2, 3, 1, 2, 0] * 24, 0),
        "val": frames([1, 2], 2, 200),
        "test": frames([1, 2, 3, 2, 2, 1, 0] * 8, 3, 100),
    }
    write_dataset(tmp_path / "dataset.h5", splits, DESCRIPTION)
    return tmp_path / "dataset.h5"


@pytest.fixture
def samples(tmp_path):
    """Images of two models, of which half are the population."""
    paths = [tmp_path / "samples" / name for name in ("ddpm.h5", "bright.h5")]
    for path, classes in zip(paths, ([1, 2, 2, 3] * 10, [4] * 40), strict=True):
        images = generated_images(classes, [True, False] * 20, 1, SIZE)
        write_samples(path, images, DESCRIPTION)
    return paths


def test_every_row_has_every_statistic(dataset, samples):
    report, curves = measure_physics(dataset=dataset, samples=samples, block_days=7, seed=1)
    assert list(report) == ["real", "ddpm", "bright"]
    for row in report.values():
        assert list(row) == list(STATISTICS)
        for entry in filter(None, row.values()):
            assert set(entry) == KEYS
    assert [report[row]["disk_flux"]["n"] for row in report] == [48, 20, 20]
    about = curves["about"]
    assert about["rows"] == {"real": 48, "ddpm": 20, "bright": 20}
    assert about["reference"] == {"split": "train", "n": 144, "blocks_of_time": 12}
    assert about["null"] == {"sets": 200, "blocks_of_a_set": 4}


def test_a_model_of_other_brightness_is_outside_the_null(dataset, samples):
    report, _ = measure_physics(dataset=dataset, samples=samples, block_days=7, seed=1)
    for key in ("disk_flux", "intensity", "bright_share"):
        bright = report["bright"][key]
        assert bright["low"] > bright["null_q95"]
        assert bright["value"] > 3 * report["ddpm"][key]["value"]


def test_curves_have_a_value_at_every_position(dataset, samples):
    _, product = measure_physics(dataset=dataset, samples=samples, block_days=7, seed=1)
    assert list(product["curves"]) == list(CURVES)
    for curve in product["curves"].values():
        count = len(curve["x"])
        lines = [curve["reference"], curve["null_low"], curve["null_high"], *curve["rows"].values()]
        assert {len(line) for line in lines} == {count}
        assert list(curve["rows"]) == ["real", "ddpm", "bright"]
    density = product["curves"]["intensity"]
    for values in density["rows"].values():
        assert sum(values) * 2 / len(values) == pytest.approx(1)
    profile = product["curves"]["limb_profile"]
    for low, high in zip(profile["null_low"], profile["null_high"], strict=True):
        assert low is None or low <= high


def test_other_rows_do_not_change_a_row(dataset, samples):
    both, _ = measure_physics(dataset=dataset, samples=samples, block_days=7, seed=1)
    alone, _ = measure_physics(dataset=dataset, samples=samples[1:], block_days=7, seed=1)
    assert alone["bright"] == both["bright"]
    assert alone["real"] == both["real"]


def test_the_script_writes_both_products(dataset, samples, tmp_path):
    outputs = tmp_path / "physics.json", tmp_path / "curves.json"
    script.main(
        [
            *("--dataset", str(dataset), "--samples", *map(str, samples)),
            *("--block-days", "7", "--seed", "1"),
            *("--output", str(outputs[0]), "--output-curves", str(outputs[1])),
        ]
    )
    report, curves = measure_physics(dataset=dataset, samples=samples, block_days=7, seed=1)
    assert read_json(outputs[0]) == report
    assert read_json(outputs[1])["curves"] == json.loads(json.dumps(curves["curves"]))


def test_unusable_sets_are_named(dataset, tmp_path):
    def measure(path):
        return measure_physics(dataset=dataset, samples=[path], block_days=7, seed=1)

    small, nobody = tmp_path / "small.h5", tmp_path / "nobody.h5"
    write_samples(small, generated_images([1, 2], [True, True], 1, 16), DESCRIPTION)
    write_samples(nobody, generated_images([1, 2], [False, False], 1, SIZE), DESCRIPTION)
    with pytest.raises(InputError, match=r"small\.h5: images of 16 pixels, not 32"):
        measure(small)
    with pytest.raises(InputError, match=r"nobody\.h5: no image of the population"):
        measure(nobody)
    untrained = frames([0] * 6, 1)
    splits = {"train": frames([1, 2] * 20, 0), "val": untrained, "test": untrained}
    write_dataset(dataset, splits, DESCRIPTION)
    with pytest.raises(InputError, match="no test image of a trained class"):
        measure(small)
