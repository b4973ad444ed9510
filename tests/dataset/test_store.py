"""Labelled images on disk."""

from __future__ import annotations

from dataclasses import fields

import h5py
import numpy as np
import pytest
from torch.utils.data import BatchSampler, DataLoader

from heliosynth.arrays import SPLITS
from heliosynth.dataset import store
from heliosynth.errors import InputError
from heliosynth.io import hdf5

DESCRIPTION = store.Description(
    channel="171A",
    minimum_dn=5.0,
    maximum_dn=3500.0,
    trained_classes=(1, 2, 4),
    observations="simulated",
    provenance={"versions": {"numpy": "2"}},
)


def make_labelled(count, seed=0):
    rng = np.random.default_rng(seed)
    return store.LabelledImages(
        images=rng.uniform(-1, 1, (count, 1, 4, 4)).astype(np.float32),
        goes_class=rng.integers(0, 5, count).astype(np.int8),
        log10_flux=rng.uniform(-8, -3, count).astype(np.float32),
        time=np.arange(count, dtype=np.int64),
    )


def make_generated(count):
    return store.GeneratedImages(
        **vars(make_labelled(count)),
        seed=np.arange(count, dtype=np.int64),
        population=np.arange(count) < 2,
        balanced=np.arange(count) >= 1,
    )


def assert_same(result, expected):
    for field in fields(result):
        first, second = getattr(result, field.name), getattr(expected, field.name)
        assert first.dtype == second.dtype
        assert np.array_equal(first, second)


def test_a_dataset_is_read_as_it_was_written(tmp_path):
    splits = {
        name: make_labelled(count, count) for name, count in zip(SPLITS, (5, 0, 3), strict=True)
    }
    path = tmp_path / "dataset.h5"
    store.write_dataset(path, splits, DESCRIPTION)
    for name, images in splits.items():
        assert_same(store.read_split(path, name), images)
    assert store.read_description(path) == DESCRIPTION


def test_slabs_are_joined_into_one_split(tmp_path):
    parts = {name: [make_labelled(3, 1), make_labelled(0), make_labelled(2, 2)] for name in SPLITS}
    store.write_dataset(tmp_path / "dataset.h5", parts, DESCRIPTION)
    split = store.read_split(tmp_path / "dataset.h5", "train")
    assert_same(split.take(np.arange(3)), make_labelled(3, 1))
    assert_same(split.take(np.arange(3, 5)), make_labelled(2, 2))


@pytest.fixture
def lazy(tmp_path):
    path = tmp_path / "dataset.h5"
    store.write_dataset(path, dict.fromkeys(SPLITS, make_labelled(7)), DESCRIPTION)
    return store.LazySplit(path, "train")


def test_a_lazy_split_reads_the_indexed_images(lazy):
    assert len(lazy) == 7
    assert lazy.shape == (7, 1, 4, 4)
    rows = np.array([5, 0, 5, 6])
    assert_same(lazy[rows], make_labelled(7).take(rows))
    assert_same(lazy[2:4], make_labelled(7).take(np.arange(2, 4)))
    assert_same(lazy.read_all(), make_labelled(7))
    lazy.close()
    assert_same(lazy[[1]], make_labelled(7).take(np.array([1])))


def test_labels_are_read_without_images(lazy, monkeypatch):
    reads = []
    array = hdf5.Reader.array
    monkeypatch.setattr(
        hdf5.Reader, "array", lambda self, name, *rows: reads.append(name) or array(self, name)
    )
    images = make_labelled(7)
    labels = lazy.labels
    assert len(labels) == 7
    assert_same(labels, store.Labels(images.goes_class, images.log10_flux, images.time))
    assert reads == ["train/goes_class", "train/log10_flux", "train/time"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_lazy_split_works_in_worker_processes(lazy, method):
    _ = lazy[[0]]
    loader = DataLoader(
        lazy,
        sampler=BatchSampler(range(7), 2, drop_last=False),
        batch_size=None,
        num_workers=2,
        multiprocessing_context=method,
    )
    for rows, part in zip(([0, 1], [2, 3], [4, 5], [6]), loader, strict=True):
        assert_same(part, make_labelled(7).take(np.array(rows)))


def test_samples_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "ddpm.h5"
    store.write_samples(path, make_generated(4), DESCRIPTION)
    assert_same(store.read_samples(path), make_generated(4))
    assert store.read_description(path) == DESCRIPTION


def test_images_are_selected_by_class_and_by_row():
    images = make_labelled(20)
    selected = images.of_classes([1, 4])
    assert set(selected.goes_class) == {1, 4}
    assert len(selected) == np.isin(images.goes_class, [1, 4]).sum()
    rows = np.array([3, 1, 3])
    assert images.take(rows).time.tolist() == [3, 1, 3]
    assert len(make_generated(4).take(rows).seed) == 3


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda path: store.read_samples(path), "no generated images"),
        (lambda path: store.read_split(path, "holiday"), "no split 'holiday'"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, read, message):
    path = tmp_path / "dataset.h5"
    store.write_dataset(path, dict.fromkeys(SPLITS, make_labelled(1)), DESCRIPTION)
    with pytest.raises(InputError, match=message):
        read(path)


def test_another_schema_version_is_an_error(tmp_path):
    path = tmp_path / "dataset.h5"
    store.write_dataset(path, dict.fromkeys(SPLITS, make_labelled(1)), DESCRIPTION)
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(InputError, match="schema version 99"):
        store.read_description(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.h5: cannot be read as HDF5"):
        store.read_split(tmp_path / "none.h5", "train")
