"""Averages of the frames of a year."""

from __future__ import annotations

import dataclasses
import tracemalloc

import h5py
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.frames import area, averaging, store
from helpers.chunks import Chunk, Source

FRAMES = np.random.default_rng(0).lognormal(5, 1, (10, 16, 16)).astype(np.float32)
ROWS = np.arange(10) * 3


class Store:
    """Rows 0, 3, 6… of a raw store, in chunks of four frames."""

    def __init__(self, frames=FRAMES, rows=ROWS):
        self.frames, self.rows, self.requested, self.recorded = frames, rows, [], []
        self.interrupt_at = None

    def read(self, rows, work):
        self.requested += [rows.tolist()]
        for start in range(0, len(self.rows), 4):
            stop = min(start + 4, len(self.rows))
            chunk = [index for index in range(start, stop) if self.rows[index] in rows]
            if start == self.interrupt_at:
                raise KeyboardInterrupt
            if chunk:
                source = Source(f"{start // 4}.0.0")
                yield Chunk(self.rows[chunk], work(self.frames[chunk]), source)


def make_request(rows=ROWS, size=8, **changes):
    request = averaging.FrameRequest("a/store.zarr", 2012, "171A", size, rows, rows * 60)
    return dataclasses.replace(request, **changes)


@pytest.fixture
def write(tmp_path):
    """Return a function that averages the frames of a store and returns the file."""

    def write_year(raw, request=None):
        request = request or make_request(raw.rows)
        averaging.write_year(tmp_path / "2012.h5", request, raw.read, raw.recorded.extend)
        return tmp_path / "2012.h5"

    return write_year


def test_averaged_frames_are_read_in_any_order(write):
    path = write(Store())
    measured = store.read_measured(path)
    assert (measured.year, measured.channel, measured.size_px) == (2012, "171A", 8)
    assert measured.store_row.tolist() == ROWS.tolist()
    assert set(map(len, measured.measures.values())) == {10}
    assert len(np.unique(measured.measures["digest"])) == 10
    rows = np.array([7, 0, 9, 7])
    averaged = area.area_average(FRAMES, 8)
    assert (store.read_images(path, rows) == averaged[rows]).all()


def test_a_frame_outside_the_file_is_an_error(write):
    with pytest.raises(InputError, match=r"2012\.h5: 10 frames, no frame 10; rebuild the index"):
        store.read_images(write(Store()), np.array([3, 10]))


def test_every_source_is_recorded(write):
    raw = Store()
    write(raw)
    assert [source["key"] for source in raw.recorded] == ["0.0.0", "1.0.0", "2.0.0"]


def test_a_year_without_frames_is_an_empty_file(write):
    path = write(Store(FRAMES[:0], ROWS[:0]))
    assert len(store.read_measured(path).store_row) == 0


@pytest.fixture
def interrupted(write, monkeypatch, tmp_path):
    """A store whose averaging was interrupted at the last chunk, after the others were saved."""
    monkeypatch.setattr(averaging, "SAVE_EVERY_S", -1.0)
    raw = Store()
    raw.interrupt_at = 8
    with pytest.raises(KeyboardInterrupt):
        write(raw)
    assert not (tmp_path / "2012.h5").exists()
    assert not raw.recorded
    raw.interrupt_at = None
    return raw


def test_an_interrupted_job_reads_only_what_is_missing(interrupted, write, tmp_path):
    path = write(interrupted)
    assert interrupted.requested[-1] == [24, 27]
    assert len(interrupted.recorded) == 3
    with h5py.File(path) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()
    assert sorted(p.name for p in tmp_path.rglob("*.h5")) == ["2012.h5"]


def test_a_full_buffer_is_saved(write, monkeypatch):
    counts = []
    monkeypatch.setattr(averaging, "BUFFER_BYTES", 8 * 8 * 4 * 4 - 1)
    monkeypatch.setattr(
        averaging, "_write_partial", lambda path, partial: counts.append(len(partial.sources))
    )
    with pytest.raises(InputError, match="other frames"):
        write(Store())
    # The last chunk has only two frames, which are written directly to the finished file.
    assert counts == [1, 1]


def test_ten_times_the_frames_take_no_more_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "BUFFER_BYTES", 2**18)
    sun = np.random.default_rng(0).lognormal(5, 1, (15, 32, 32)).astype(np.float32)

    def read(rows, work):
        for start in range(0, len(rows), 15):
            source = Source(f"{start // 15}.0.0")
            yield Chunk(rows[start : start + 15], work(sun), source)

    def peak(count):
        request = make_request(np.arange(count), size=32)
        averaging.write_year(tmp_path / f"{count}.h5", request, read, list)
        # What libraries keep from the first time is not counted.
        tracemalloc.start()
        try:
            averaging.write_year(tmp_path / f"{count}.h5", request, read, list)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(120), peak(1200)
    # Only times, rows and sources grow; they are much smaller than the frames.
    assert many - few < (1200 - 120) * 32 * 32 * 4 / 20


def test_intermediate_files_of_other_code_are_not_used(interrupted, write):
    write(interrupted, make_request(code="other"))
    assert interrupted.requested[-1] == ROWS.tolist()


def test_a_broken_intermediate_file_is_replaced(interrupted, write, tmp_path):
    first = min(tmp_path.glob(".unfinished*/*.h5"))
    first.write_bytes(first.read_bytes()[:100])
    path = write(interrupted)
    assert interrupted.requested[-1] == [0, 3, 6, 9, 24, 27]
    with h5py.File(path) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()


def test_saved_and_new_frames_are_joined_in_order(interrupted, write, tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "SAVE_EVERY_S", 60.0)
    min(tmp_path.glob(".unfinished*/*.h5")).unlink()
    with h5py.File(write(interrupted)) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()
        assert len(np.unique(file["quality/digest"][()])) == 10


def test_other_frames_than_requested_are_an_error(write, tmp_path):
    for rows in (ROWS + 1, ROWS[:3]):
        raw = Store(FRAMES[: len(rows)], rows)
        raw.read = lambda _, work, raw=raw: Store.read(raw, raw.rows, work)
        with pytest.raises(InputError, match="returned other frames than requested"):
            write(raw, make_request(code=str(rows)))
    assert not (tmp_path / "2012.h5").exists()


def test_frames_smaller_than_the_images_are_an_error(write):
    with pytest.raises(InputError, match="image_size_px is 32, but the frames have only 16"):
        write(Store(), make_request(size=32))


def test_images_are_single_precision_on_disk(write):
    with h5py.File(write(Store())) as file:
        assert file["images"].dtype == np.float32


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "2012.h5").write_text("not HDF5")
    with pytest.raises(InputError, match=r"2012\.h5: cannot be read as HDF5"):
        store.read_measured(tmp_path / "2012.h5")
