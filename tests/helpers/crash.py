"""Every state in which a power cut can leave the files of a writer.

A disk may keep data and names that were not synced, lose them, or keep them in any order. The
recorder looks at a folder before and after each call that changes names or syncs, and records what
changed::

    with recording(folder) as log:
        write(folder)
    for state in log.states():
        state.restore(other)

What a crash between two calls can leave is then enumerated: each name in a folder has its value at
the last sync of that folder or any later one, independently of all other names; each file has its
content at its last sync, or any prefix of what was written since, or zeros instead of the rest.
Writers in C or Rust need nothing more, since only their files and not their calls are looked at.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from heliosynth.io import durable

Tree = dict[str, "bytes | Tree"]
"""Names in a folder, each with the content of a file or with a folder."""

CALLS = ("mkdir", "rename", "replace", "unlink", "remove", "rmdir", "symlink", "link")
SYNCS = ("fsync", "fdatasync")
HIDDEN = ".unfinished-"
ALL_CUTS = 40
"""Longest content of which every prefix is a state."""


@dataclass
class _Versions:
    """Values of a name or a file since its last sync; the first is on the disk."""

    values: list[Any]

    def add(self, value: Any) -> None:
        if value != self.values[-1]:
            self.values.append(value)

    def sync(self) -> None:
        del self.values[:-1]


@dataclass
class _Node:
    """A file or a folder: the versions of its content, or of the names in it."""

    content: _Versions | None = None
    names: dict[str, _Versions] = field(default_factory=dict)

    def copy(self) -> _Node:
        content = self.content and _Versions([*self.content.values])
        names = {name: _Versions([*versions.values]) for name, versions in self.names.items()}
        return _Node(content, names)


@dataclass(frozen=True)
class State:
    """A folder after a power cut, and whether the writer had returned before."""

    tree: Tree
    finished: bool

    def restore(self, folder: Path) -> None:
        """Write the state into a new folder."""
        _restore(self.tree, folder)


class Log:
    """The nodes of a folder after each call of a writer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nodes: list[_Node] = []
        self.by_inode: dict[int, int] = {}
        self.moments: list[list[_Node]] = []
        # Writers such as zarr have threads: none changes a name while the folder is looked at.
        self.lock = threading.RLock()
        self.observe()
        # What was there before is on the disk.
        self.sync_all()
        del self.moments[:-1]

    def observe(self) -> None:
        """Record what changed since the last call."""
        with self.lock:
            seen: dict[int, int] = {}
            self._observe(self.root, seen)
            self.by_inode = seen
            self.moments.append([node.copy() for node in self.nodes])

    def sync(self, descriptor: int) -> None:
        """Record that a file, or the names in a folder, were synced."""
        with self.lock:
            number = self.by_inode.get(os.fstat(descriptor).st_ino)
            if number is None:
                return
            node = self.nodes[number]
            for versions in (*node.names.values(), *filter(None, [node.content])):
                versions.sync()
            self.moments.append([node.copy() for node in self.nodes])

    def sync_all(self) -> None:
        """Record that the whole file system was synced."""
        with self.lock:
            for node in self.nodes:
                for versions in (*node.names.values(), *filter(None, [node.content])):
                    versions.sync()
            self.moments.append([node.copy() for node in self.nodes])

    def states(self) -> Iterator[State]:
        """Yield every state that a crash can leave, each once; temporary folders are left out."""
        known = set()
        for number, nodes in enumerate(self.moments):
            finished = number == len(self.moments) - 1
            for tree in _trees(nodes, 0):
                key = (_key(tree), finished)
                if key not in known:
                    known.add(key)
                    yield State(tree, finished)

    def killed(self) -> Iterator[State]:
        """Yield the states that a kill can leave: all calls so far, with temporary folders."""
        for nodes in self.moments[:-1]:
            yield State(_last_tree(nodes, 0), finished=False)

    def _observe(self, folder: Path, seen: dict[int, int]) -> int:
        number = self._node(folder, seen)
        node = self.nodes[number]
        entries = {entry.name: entry for entry in os.scandir(folder)}
        for name, entry in entries.items():
            path = folder / name
            if entry.is_dir(follow_symlinks=False):
                child = self._observe(path, seen)
            else:
                child = self._node(path, seen)
                versions = self.nodes[child].content or _Versions([b""])
                self.nodes[child].content = versions
                is_link = path.is_symlink()
                versions.add(os.fsencode(path.readlink()) if is_link else path.read_bytes())
            node.names.setdefault(name, _Versions([None])).add(child)
        for name in node.names.keys() - entries.keys():
            node.names[name].add(None)
        return number

    def _node(self, path: Path, seen: dict[int, int]) -> int:
        inode = path.lstat().st_ino
        if inode not in self.by_inode:
            self.nodes.append(_Node())
            self.by_inode[inode] = len(self.nodes) - 1
        seen[inode] = self.by_inode[inode]
        return seen[inode]


@contextlib.contextmanager
def recording(root: Path) -> Iterator[Log]:
    """Record the changes in a folder within the block."""
    log = Log(root)

    def observed(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with log.lock:
                log.observe()
                try:
                    return call(*args, **kwargs)
                finally:
                    log.observe()

        return wrapped

    def synced(call: Callable[[int], None]) -> Callable[[int], None]:
        @functools.wraps(call)
        def wrapped(descriptor: int) -> None:
            with log.lock:
                log.observe()
                call(descriptor)
                log.sync(descriptor)

        return wrapped

    def all_synced(path: Path) -> None:
        log.observe()
        log.sync_all()

    with contextlib.ExitStack() as stack:
        for name in (*CALLS, *SYNCS):
            call = getattr(os, name)
            wrapped = synced(call) if name in SYNCS else observed(call)
            stack.enter_context(mock.patch.object(os, name, wrapped))
        stack.enter_context(mock.patch.object(durable, "sync_file_system", all_synced))
        wrapped = observed(durable.exchange)
        stack.enter_context(mock.patch.object(durable, "exchange", wrapped))
        yield log
    log.observe()


def _trees(nodes: list[_Node], number: int) -> Iterator[Tree]:
    """Yield every state of a folder in which a crash can leave it."""
    names = [name for name in nodes[number].names if not name.startswith(HIDDEN)]
    options = []
    for name in names:
        values = dict.fromkeys(nodes[number].names[name].values)
        options.append([entry for value in values for entry in _entries(nodes, value)])
    for chosen in itertools.product(*options):
        yield {name: entry for name, entry in zip(names, chosen, strict=True) if entry is not None}


def _entries(nodes: list[_Node], number: int | None) -> Iterator[bytes | Tree | None]:
    if number is None:
        yield None
    elif (content := nodes[number].content) is not None:
        yield from dict.fromkeys(_contents(content.values))
    else:
        yield from _trees(nodes, number)


def _contents(values: list[bytes]) -> Iterator[bytes]:
    """Yield every content of a file that was not synced since the first of its values."""
    yield values[0]
    for value in values[1:]:
        yield value
        for cut in _cuts(value):
            yield value[:cut]
            yield value[:cut] + values[0][cut:]
            yield value[:cut] + bytes(len(value) - cut)


def _cuts(content: bytes) -> list[int]:
    if len(content) <= ALL_CUTS:
        return list(range(len(content)))
    line_ends = [n + 1 for n, byte in enumerate(content) if byte == ord("\n")][:4]
    shares = [len(content) * share // 8 for share in range(8)]
    return sorted({*shares, *line_ends, 1, len(content) - 1})


def _last_tree(nodes: list[_Node], number: int) -> Tree:
    tree: Tree = {}
    for name, versions in nodes[number].names.items():
        if versions.values[-1] is not None:
            content = nodes[versions.values[-1]].content
            is_file = content is not None
            tree[name] = content.values[-1] if is_file else _last_tree(nodes, versions.values[-1])
    return tree


def _key(entry: bytes | Tree) -> Any:
    if isinstance(entry, bytes):
        return entry
    return frozenset((name, _key(value)) for name, value in entry.items())


def _restore(tree: Tree, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, entry in tree.items():
        if isinstance(entry, bytes):
            (folder / name).write_bytes(entry)
        else:
            _restore(entry, folder / name)
