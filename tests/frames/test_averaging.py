from __future__ import annotations

import dataclasses
import tracemalloc

import h5py
import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.frames import area, averaging, store

FRAMES = np.random.default_rng(0).lognormal(5, 1, (10, 16, 16)).astype(np.float32)
ROWS = np.arange(10) * 3


@dataclasses.dataclass
class Chunk:
    key: str


@dataclasses.dataclass
class Part:
    rows: np.ndarray
    made: averaging.Averaged
    source: Chunk


class Store:
    """Rows 0, 3, 6… of a raw store, in chunks of four frames."""

    def __init__(self, frames=FRAMES, rows=ROWS):
        self.frames, self.rows, self.asked, self.recorded = frames, rows, [], []
        self.breaks_at = None

    def read(self, rows, work):
        self.asked += [rows.tolist()]
        for at in range(0, len(self.rows), 4):
            here = [i for i in range(at, min(at + 4, len(self.rows))) if self.rows[i] in rows]
            if at == self.breaks_at:
                raise KeyboardInterrupt
            if here:
                yield Part(self.rows[here], work(self.frames[here]), Chunk(f"{at // 4}.0.0"))


def year(rows=ROWS, size=8, **changes):
    wanted = averaging.Year("a/store.zarr", 2012, "171A", size, rows, rows * 60)
    return dataclasses.replace(wanted, **changes)


@pytest.fixture
def write(tmp_path):
    def write(store, wanted=None):
        averaging.write_year(
            tmp_path / "2012.h5", wanted or year(store.rows), store.read, store.recorded.extend
        )
        return tmp_path / "2012.h5"

    return write


def test_frames_are_written_chunk_by_chunk_and_read_in_any_order(write):
    path = write(Store())
    measured = store.read_measured(path)
    assert (measured.year, measured.channel, measured.size_px) == (2012, "171A", 8)
    assert measured.store_row.tolist() == ROWS.tolist()
    assert set(map(len, measured.measures.values())) == {10}
    assert len(np.unique(measured.measures["digest"])) == 10
    wanted = np.array([7, 0, 9, 7])
    averaged = area.area_average(FRAMES, 8)
    assert (store.read_images(path, wanted) == averaged[wanted]).all()


def test_every_source_is_recorded(write):
    store = Store()
    write(store)
    assert [chunk["key"] for chunk in store.recorded] == ["0.0.0", "1.0.0", "2.0.0"]


def test_a_year_without_frames_is_an_empty_file(write):
    path = write(Store(FRAMES[:0], ROWS[:0]))
    assert len(store.read_measured(path).store_row) == 0


@pytest.fixture
def interrupted(write, monkeypatch, tmp_path):
    """A store whose reading stopped before its last chunk, all before it being kept."""
    monkeypatch.setattr(averaging, "KEEP_EVERY_S", -1.0)
    store = Store()
    store.breaks_at = 8
    with pytest.raises(KeyboardInterrupt):
        write(store)
    assert not (tmp_path / "2012.h5").exists()
    assert not store.recorded
    store.breaks_at = None
    return store


def test_a_killed_job_goes_on_where_it_was(interrupted, write, tmp_path):
    path = write(interrupted)
    assert interrupted.asked[-1] == [24, 27]
    assert len(interrupted.recorded) == 3
    with h5py.File(path) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()
    assert sorted(p.name for p in tmp_path.rglob("*.h5")) == ["2012.h5"]


def test_memory_holds_no_more_than_its_bound(write, monkeypatch):
    held = []
    monkeypatch.setattr(averaging, "KEEP_BYTES", 8 * 8 * 4 * 4 - 1)
    monkeypatch.setattr(averaging, "_write", lambda path, piece: held.append(len(piece.sources)))
    with pytest.raises(InputError, match="other frames"):
        write(Store())
    # The last chunk has two frames only, which go straight to the finished file.
    assert held == [1, 1]


def test_ten_times_the_frames_take_no_more_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "KEEP_BYTES", 2**18)
    sun = np.random.default_rng(0).lognormal(5, 1, (15, 32, 32)).astype(np.float32)

    def read(rows, work):
        for at in range(0, len(rows), 15):
            yield Part(rows[at : at + 15], work(sun), Chunk(f"{at // 15}.0.0"))

    def peak(count):
        wanted = year(np.arange(count), size=32)
        averaging.write_year(tmp_path / f"{count}.h5", wanted, read, list)
        tracemalloc.reset_peak()
        averaging.write_year(tmp_path / f"{count}.h5", wanted, read, list)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few, many = peak(600), peak(6000)
    finally:
        tracemalloc.stop()
    # What grows are times, places and sources: far less than the frames themselves.
    assert many - few < (6000 - 600) * 32 * 32 * 4 / 20


def test_what_was_kept_of_other_code_or_size_does_not_count(interrupted, write):
    write(interrupted, year(code="other"))
    assert interrupted.asked[-1] == ROWS.tolist()


def test_a_kept_file_that_is_broken_is_made_anew(interrupted, write, tmp_path):
    first = min(tmp_path.glob(".unfinished*/*.h5"))
    first.write_bytes(first.read_bytes()[:100])
    path = write(interrupted)
    assert interrupted.asked[-1] == [0, 3, 6, 9, 24, 27]
    with h5py.File(path) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()


def test_frames_before_and_after_those_kept_are_put_in_their_places(
    interrupted, write, tmp_path, monkeypatch
):
    monkeypatch.setattr(averaging, "KEEP_EVERY_S", 60.0)
    min(tmp_path.glob(".unfinished*/*.h5")).unlink()
    with h5py.File(write(interrupted)) as file:
        assert (file["images"][()] == area.area_average(FRAMES, 8)).all()
        assert len(np.unique(file["quality/digest"][()])) == 10


def test_wrong_frames_are_an_error(write, tmp_path):
    for rows in (ROWS + 1, ROWS[:3]):
        store = Store(FRAMES[: len(rows)], rows)
        store.read = lambda _, work, store=store: Store.read(store, store.rows, work)
        with pytest.raises(InputError, match="gave other frames"):
            write(store, year(code=str(rows)))
    assert not (tmp_path / "2012.h5").exists()


def test_frames_smaller_than_the_images_are_an_error(write):
    with pytest.raises(InputError, match="image_size_px is 32, but the frames have only 16"):
        write(Store(), year(size=32))


def test_images_are_single_precision_on_disk(write):
    with h5py.File(write(Store())) as file:
        assert file["images"].dtype == np.float32
