"""Files of features."""

import h5py
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.evaluation.features import (
    EncodedBy,
    read_features,
    read_image_groups,
    write_features,
)

ENCODED_BY = EncodedBy("efficientnet_lite0", "a network", "ab12", 128)


def test_features_are_read_as_written(tmp_path):
    values = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    write_features(tmp_path / "real.h5", {"train": values, "test": values[:2]}, ENCODED_BY)
    encoded = read_features(tmp_path / "real.h5", "test")
    np.testing.assert_array_equal(encoded.values, values[:2])
    assert encoded.encoded_by == ENCODED_BY


def test_a_missing_group_is_named(tmp_path):
    write_features(tmp_path / "real.h5", {"train": np.zeros((2, 3))}, ENCODED_BY)
    with pytest.raises(InputError, match="'generated'"):
        read_features(tmp_path / "real.h5", "generated")


def test_a_file_that_is_not_hdf5_is_named(tmp_path):
    (tmp_path / "real.h5").write_text("nothing")
    for read in (lambda path: read_features(path, "train"), read_image_groups):
        with pytest.raises(InputError, match=r"real\.h5"):
            read(tmp_path / "real.h5")


def test_images_are_read_by_split_or_as_generated(dataset, samples):
    assert {k: len(v) for k, v in read_image_groups(dataset).items()} == {
        "train": 43,
        "val": 12,
        "test": 11,
    }
    assert {k: len(v) for k, v in read_image_groups(samples).items()} == {"generated": 26}


def test_a_file_without_images_is_rejected(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match="no generated images"):
        read_image_groups(tmp_path / "other.h5")
