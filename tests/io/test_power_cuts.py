"""After a power cut at any moment a product is the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from heliosynth.io import durable, files
from helpers.crash import Log, recording
from helpers.writers import WRITERS, contents


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of products that were written without a fault."""
    return tmp_path_factory.mktemp("examples")


def record(root: Path, write: Callable[[], None]) -> Log:
    with recording(root) as log:
        write()
    return log


@pytest.fixture(params=["whole file system", "each file"])
def sync(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sync folders as old and new kernels do."""
    monkeypatch.setattr(durable, "_can_sync_file_system", lambda: request.param != "each file")


@pytest.mark.usefixtures("sync")
@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("name", ["folder", "store.zarr"])
def test_every_state_of_a_folder_is_old_or_new(
    tmp_path: Path, examples: Path, name: str, replaced: bool
) -> None:
    check_states(tmp_path, examples, name, replaced)


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - {"folder", "store.zarr"}))
@pytest.mark.parametrize("replaced", [False, True])
def test_every_state_of_a_file_is_old_or_new(
    tmp_path: Path, examples: Path, name: str, replaced: bool
) -> None:
    check_states(tmp_path, examples, name, replaced)


def check_states(tmp_path: Path, examples: Path, name: str, replaced: bool) -> None:
    """Check every state that a power cut can leave while a product is written or replaced."""
    writer, root = WRITERS[name], tmp_path / "root"
    old, new = contents(name, examples)
    root.mkdir()
    if replaced:
        writer.write_into(root, 1)
    log = record(root, lambda: writer.write_into(root, 2))
    allowed = {repr(old if replaced else "refused"), repr(new)}
    seen, finished = set(), set()
    for number, state in enumerate(log.states()):
        folder = tmp_path / f"state-{number}"
        state.restore(folder)
        (finished if state.finished else seen).add(repr(writer.outcome(folder)))
        shutil.rmtree(folder)
    assert seen == allowed
    assert finished == {repr(new)}


@pytest.mark.parametrize("name", WRITERS)
def test_the_next_writer_deletes_what_a_kill_leaves(
    tmp_path: Path, examples: Path, name: str
) -> None:
    writer, root = WRITERS[name], tmp_path / "root"
    old, new = contents(name, examples)
    root.mkdir()
    writer.write_into(root, 1)
    log = record(root, lambda: writer.write_into(root, 2))
    states = list(log.killed())
    for number in {*range(0, len(states), max(len(states) // 8, 1)), len(states) - 1}:
        folder = tmp_path / f"killed-{number}"
        states[number].restore(folder)
        assert writer.outcome(folder) in (old, new)
        writer.write_into(folder, 2)
        assert writer.outcome(folder) == new
        assert list(folder.rglob(".unfinished-*")) == []


def unsynced(path: Path) -> None:
    path.with_suffix(".part").write_text("new")
    path.with_suffix(".part").replace(path)


def in_place(path: Path) -> None:
    path.write_text("new")
    durable.sync_file(path)


def deleted_first(path: Path) -> None:
    path.with_suffix(".part").write_text("new")
    durable.sync_file(path.with_suffix(".part"))
    path.unlink(missing_ok=True)
    path.with_suffix(".part").rename(path)


def name_unsynced(path: Path) -> None:
    path.with_suffix(".part").write_text("new")
    durable.sync_file(path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


@pytest.mark.parametrize(
    ("write", "during", "after"),
    [
        (unsynced, {"old", "new", "", "n", "ne", "\0\0\0"}, {"old", "new", ""}),
        (in_place, {"old", "new", "", "n", "nld", "n\0\0"}, {"new"}),
        (deleted_first, {"old", "new", None}, {"old", "new", None}),
        (name_unsynced, {"old", "new"}, {"old", "new"}),
        (lambda path: files.write_text(path, "new"), {"old", "new"}, {"new"}),
    ],
)
def test_states_of_writers_with_a_fault_are_found(
    tmp_path: Path, write: Callable[[Path], None], during: set, after: set
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("old")
    log = record(root, lambda: write(root / "a.txt"))

    def values(finished: bool) -> set:
        found = set()
        for state in log.states():
            content = state.tree.get("a.txt")
            if state.finished is finished:
                found.add(content.decode() if isinstance(content, bytes) else None)
        return found

    assert values(finished=False) >= during
    assert values(finished=True) >= after
    if during == {"old", "new"}:
        assert values(finished=False) == during


def test_a_new_folder_deleted_before_its_successor_is_named_is_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "product").mkdir(parents=True)
    (root / "product" / "a").write_text("old")

    def write() -> None:
        (root / "part").mkdir()
        (root / "part" / "a").write_text("new")
        durable.sync_tree(root / "part")
        shutil.rmtree(root / "product")
        (root / "part").rename(root / "product")
        durable.sync_folder(root)

    trees = [state.tree.get("product") for state in record(root, write).states()]
    assert {} in trees
    assert None in trees


def test_missing_parents_are_on_the_disk_when_a_writer_returns(tmp_path: Path) -> None:
    log = record(tmp_path, lambda: files.write_json(tmp_path / "a" / "b" / "c.json", 1))
    assert {repr(s.tree) for s in log.states() if s.finished} == {
        repr({"a": {"b": {"c.json": b"1\n"}}})
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


UNSUPPORTED = OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def test_without_exchange_an_old_folder_is_kept_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    with files.atomic_directory(folder) as unfinished:
        (unfinished / "old").touch()
    reason = rf"^{folder}: exists, and its file system cannot exchange it .*; delete it and rerun"
    with (
        mock.patch.object(durable, "exchange", side_effect=UNSUPPORTED),
        pytest.raises(files.UnwritableError, match=reason),
        files.atomic_directory(folder),
    ):
        pytest.fail("refused before anything is written")
    assert [path.name for path in folder.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_without_exchange_a_first_folder_is_written(tmp_path: Path) -> None:
    with (
        mock.patch.object(durable, "exchange", side_effect=UNSUPPORTED),
        files.atomic_directory(tmp_path / "raw") as unfinished,
    ):
        (unfinished / "new").touch()
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["new"]


def test_an_old_folder_is_not_deleted_before_its_exchange_is_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    with files.atomic_directory(folder) as unfinished:
        (unfinished / "old").touch()
    failing = OSError(errno.EIO, os.strerror(errno.EIO), str(tmp_path))
    with (
        pytest.raises(files.UnwritableError, match="raw: cannot be written"),
        files.atomic_directory(folder) as unfinished,
    ):
        (unfinished / "new").touch()
        mock.patch.object(durable, "sync_folder", side_effect=failing).start()
    mock.patch.stopall()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.glob(".unfinished-*/raw/*")] == ["old"]
    with files.atomic_directory(folder):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
