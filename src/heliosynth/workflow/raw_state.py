"""State of raw inputs, which the rules that read them carry as a parameter.

Snakemake compares the modification time of an input with that of a product. Of a folder that says
nothing about the files deeper in it, and a file that is replaced by an older one, or removed, goes
unnoticed. So a rule carries a digest of exactly the files that its script takes: if one is edited,
added, removed or renamed, that rule runs again, and nothing else does. User files are no inputs in
Snakemake's sense, in whose names it would interpret braces.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from heliosynth.config.schema import RunConfig
from heliosynth.errors import InputError
from heliosynth.io.provenance import file_sha256
from heliosynth.sources import manifest
from heliosynth.sources.archive import (
    ARRAY_METADATA,
    channel_files,
    channel_metadata,
    list_flares,
    list_level1,
    list_xrs,
    locate,
    years,
)
from heliosynth.sources.listing import FolderListing
from heliosynth.sources.locations import RawInputs

HASHED_BYTES = 2**26
"""Files of this size together are compared by content; larger ones by size and time."""
UNCHANGED = ""
"""The state of files that are as the run made them, or that it has yet to make."""

Status = tuple[str, os.stat_result]
"""A file: its path in the folder, and its status."""


@dataclass(frozen=True)
class RawStates:
    """The states of a run's raw inputs.

    Attributes
    ----------
    configuration
        Validated configuration.
    inputs
        Locations of the raw inputs.
    resources
        Folder of those that rules make.
    """

    configuration: RunConfig
    inputs: RawInputs
    resources: str

    def determine(self) -> None:
        """Determine all states now, so that changes made later are not taken for known.

        Raises
        ------
        InputError
            If a file is missing or cannot be read.
        """
        _ = (self.flares, self.xrs, self.level1, self.frames, self.images)
        _ = (self.clip_weights, self.compared)

    @cached_property
    def flares(self) -> str:
        """State of the flare lists."""
        return self._files(self.inputs.flare_files, self.inputs.flare_depends_on, list_flares)

    @cached_property
    def xrs(self) -> str:
        """State of the light curves."""
        return self._files(self.inputs.xrs_files, self.inputs.xrs_depends_on, list_xrs)

    @cached_property
    def frames(self) -> dict[int, str]:
        """State of what describes the frames of each year."""
        return {year: self._array(year, chunks=False) for year in self.inputs.years}

    @cached_property
    def images(self) -> dict[int, str]:
        """State of the frames of each year."""
        return {year: self._array(year, chunks=True) for year in self.inputs.years}

    @cached_property
    def level1(self) -> str:
        """State of the level-1 files and of their calibration tables."""
        folder, tables = self.inputs.level1_folder, self.configuration.level1
        if folder is None or tables is None:
            return UNCHANGED
        paths = [path for path in (tables.degradation, tables.pointing) if path is not None]
        images = list_level1(folder).files
        return f"{files_state(images)}, tables {files_state(paths)}"

    @cached_property
    def clip_weights(self) -> str:
        """State of the configured weights of CLIP."""
        evaluation = self.configuration.evaluation
        if evaluation.clip_weights is None or "clip" not in evaluation.encoders:
            return UNCHANGED
        return files_state([evaluation.clip_weights])

    @cached_property
    def compared(self) -> str:
        """State of the frames of the archive and of the simulation that a figure compares."""
        archive = self.configuration.archive
        paths = locate(archive) if archive is not None else None
        if paths is None or paths.aia_store is None:
            return UNCHANGED
        channel = self.configuration.dataset.channel
        first = years(paths, channel)[0]
        if str(paths.aia_store) == self.inputs.aia_store:
            real = self.images[first]
        else:
            real = channel_state(paths.aia_store, first, channel)
        store = f"{self.resources}/simulated/aia/sdomlv2.zarr"
        simulated = self._made_array(store, self.configuration.simulation.start.year)
        return f"{real}{simulated and f', simulated {simulated}'}"

    def _files(
        self,
        paths: Sequence[str],
        made_by_rules: Sequence[str],
        list_files: Callable[[str], FolderListing],
    ) -> str:
        if not made_by_rules:
            return files_state(file for path in paths for file in list_files(path).files)
        states = []
        for path in paths:
            files: list[Path] = []
            # Its rule may not have run yet; what is gone since is in the manifest.
            with contextlib.suppress(InputError):
                files = list_files(path).files
            states.append(made_state(path, _statuses(files, path), self.resources))
        return ", ".join(filter(None, states))

    def _array(self, year: int, *, chunks: bool) -> str:
        store, channel = self.inputs.aia_store, self.configuration.dataset.channel
        if self.inputs.store_is_remote:
            return UNCHANGED
        if self.inputs.aia_depends_on:
            return self._made_array(store, year, chunks=chunks)
        return (channel_state if chunks else metadata_state)(store, year, channel)

    def _made_array(self, store: str, year: int, *, chunks: bool = True) -> str:
        def counts(path: str) -> bool:
            return chunks or path in ARRAY_METADATA

        channel = self.configuration.dataset.channel
        files: list[Status] = []
        with contextlib.suppress(InputError):
            files = [file for file in channel_files(Path(store), year, channel) if counts(file[0])]
        return made_state(f"{store}/{year}/{channel}", files, self.resources, counts)


def files_state(files: Iterable[Path | str]) -> str:
    """Return the state of some files, whatever their folders: names, and content or size and time.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    paths = sorted(map(Path, files), key=lambda path: (path.name, path))
    return _state([(path.name, path, _status(path)) for path in paths])


def metadata_state(store: Path | str, year: int, channel: str) -> str:
    """Return the state of what describes a year's frames.

    Raises
    ------
    InputError
        If there is nothing, or it cannot be read.
    """
    return files_state(channel_metadata(Path(store), year, channel))


def channel_state(store: Path | str, year: int, channel: str) -> str:
    """Return the state of a year's frames: of the array's metadata, and of its chunks.

    Raises
    ------
    InputError
        If the array cannot be listed or read.
    """
    text = "\n".join(
        f"{path} {status.st_size} {status.st_mtime_ns}"
        for path, status in sorted(channel_files(Path(store), year, channel))
        if path not in ARRAY_METADATA
    )
    return f"{metadata_state(store, year, channel)}, chunks {_hash(text)}"


def made_state(
    scope: Path | str,
    files: Iterable[Status],
    resources: Path | str,
    counts: Callable[[str], bool] = lambda path: True,
) -> str:
    """Return the state of files that a rule made: what differs from their manifest.

    It is :data:`UNCHANGED` before the files are made and after, so that making them re-runs
    nothing by itself; Snakemake knows that job. A file is compared by size, and by content if it
    is newer than the manifest.

    Parameters
    ----------
    scope
        A folder of the product, or a file, on which the state depends.
    files
        The files that are there now, by their paths in the folder; that of a file is empty.
    resources
        The folder of all that rules make; the manifest is looked up inside.
    counts
        Which files the state depends on, by their paths in the folder.

    Raises
    ------
    InputError
        If the manifest cannot be read.
    """
    inside = Path(scope)
    path = _find_manifest(inside, Path(resources))
    if path is None:
        return UNCHANGED
    base, written_ns = path.parent, path.stat().st_mtime_ns
    prefix = f"{inside.relative_to(base).as_posix()}/"
    listed = {
        entry["path"]: entry
        for entry in manifest.read_entries(path)
        if f"{entry['path']}/".startswith(prefix) and counts(entry["path"].removeprefix(prefix))
    }
    present = {(inside / name).relative_to(base).as_posix(): status for name, status in files}
    changed = [name for name in listed if name not in present]
    newer: list[str] = []
    for name, status in present.items():
        entry = listed.get(name)
        if listed and (entry is None or entry["size_bytes"] != status.st_size):
            changed.append(name)
        elif status.st_mtime_ns > written_ns:
            newer.append(name)
    can_hash = bool(listed) and sum(present[name].st_size for name in newer) <= HASHED_BYTES
    changed += [
        name for name in newer if not can_hash or file_sha256(base / name) != listed[name]["sha256"]
    ]
    lines = [
        f"{name} {present[name].st_size} {present[name].st_mtime_ns}"
        if name in present
        else f"{name} is gone"
        for name in sorted(changed)
    ]
    return f"{len(lines)} changed {_hash(*lines)}" if lines else UNCHANGED


def _statuses(paths: Sequence[Path], folder: Path | str) -> list[Status]:
    """Return files with their statuses, for :func:`made_state`."""
    return [
        ("" if path == Path(folder) else path.relative_to(folder).as_posix(), _status(path))
        for path in paths
    ]


def _state(files: Sequence[tuple[str, Path, os.stat_result]]) -> str:
    """Return the state of files, each with the name that counts, in their order."""
    total = sum(status.st_size for _, _, status in files)
    if total <= HASHED_BYTES:
        lines = [f"{name} {_content(path)}" for name, path, _ in files]
    else:
        lines = [f"{name} {status.st_size} {status.st_mtime_ns}" for name, _, status in files]
    return f"{len(files)} file{'s' * (len(files) != 1)} {_hash(*lines)}"


def _content(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); restore it or the permission to read it"
        ) from error


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); restore it or correct its path"
        ) from error


def _find_manifest(scope: Path, resources: Path) -> Path | None:
    """Return the manifest of the product that contains a path, if it has one."""
    for product in (scope, *scope.parents):
        if not product.is_relative_to(resources) or product == resources:
            return None
        path = manifest.manifest_path(product)
        if path.is_file():
            return path
    return None


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]
