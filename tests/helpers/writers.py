"""The writer and the reader of each kind of product, on tiny products of two versions."""

from __future__ import annotations

import functools
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pandera.pandas as pa
import torch
import zarr
from matplotlib import pyplot as plt

from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.io import files, hdf5, tables
from heliosynth.paper import compile as paper
from heliosynth.paper import report
from heliosynth.training.checkpoint import Checkpoint, CheckpointFolder, Counters
from heliosynth.training.weights import read_weights, write_weights

SCHEMA = tables.table_schema({"time": pa.Column(tables.TIME), "value": pa.Column(np.float64)})


@dataclass(frozen=True)
class Writer:
    """How a product is written into a folder, and read from it.

    Attributes
    ----------
    name
        The product, below the folder.
    write
        Write a version of the product; its arguments are the path and the version.
    read
        Return the content of the product.
    """

    name: str
    write: Callable[[Path, int], None]
    read: Callable[[Path], Any]

    def write_into(self, folder: Path, version: int) -> None:
        """Write a version of the product."""
        self.write(folder / self.name, version)

    def outcome(self, folder: Path) -> Any:
        """Return the content of the product, or ``refused`` if the reader refuses it by name."""
        try:
            return self.read(folder / self.name)
        except InputError as error:
            return "refused" if str(folder / self.name) in str(error) else repr(error)


def _numbers(version: int, count: int = 20) -> np.ndarray:
    return np.arange(count, dtype=np.float32) + 100 * version


def _digest(path: Path) -> str:
    """Return a hash of a file, or of a folder with everything in it."""
    if not path.exists():
        raise InputError(f"{path}: not found")
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in found:
        content = file.read_bytes() if file.is_file() else b"folder"
        total.update(f"{file.relative_to(path)} {len(content)} ".encode() + content)
    return total.hexdigest()


def _write_hdf5(path: Path, version: int) -> None:
    with hdf5.open_write(path) as file:
        hdf5.create_dataset(file, "values", np.float32, (20,))[...] = _numbers(version)
        file.attrs["version"] = version


def _read_hdf5(path: Path) -> Any:
    with hdf5.open_read(path, "test") as file:
        return file.integer("version"), file.array("values").tolist()


def _read_weights(path: Path) -> Any:
    tensors, header = read_weights(path)
    return {name: tensor.tolist() for name, tensor in tensors.items()}, header


def _write_checkpoint(path: Path, version: int) -> None:
    tensors = {"layer": torch.from_numpy(_numbers(version))}
    counters = Counters(version, 0, 0, 0, 0, None, None, ())
    CheckpointFolder(path, {}).save(Checkpoint(tensors, {}, {}, {}, counters))


def _read_checkpoint(path: Path) -> Any:
    checkpoint = CheckpointFolder(path, {}).load()
    if checkpoint is None:
        raise InputError(f"{path}: no checkpoint")
    return checkpoint.counters.step, checkpoint.weights["layer"].tolist()


def _write_table(path: Path, version: int) -> None:
    time = pd.date_range("2012-07-01", periods=6, freq="D").astype(tables.TIME)
    values = _numbers(version, 6).astype(float)
    tables.write(path, pd.DataFrame({"time": time, "value": values}), SCHEMA)


def _write_folder(path: Path, version: int) -> None:
    with files.atomic_directory(path) as unfinished:
        (unfinished / "deep").mkdir()
        for name in ("a.txt", "deep/b.txt"):
            (unfinished / name).write_text(f"{name} of version {version}\n")
        if version == 1:
            (unfinished / "only_old").touch()


def _write_zarr(path: Path, version: int) -> None:
    with files.atomic_directory(path) as unfinished:
        root = zarr.create_group(unfinished, zarr_format=2)
        array = root.create_array("171A", shape=(4, 2), chunks=(2, 2), dtype="f4")
        array[...] = _numbers(version, 8).reshape(4, 2)
        array.attrs["version"] = version


def _write_figure(path: Path, version: int) -> None:
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot(_numbers(version) ** 2)
    style.save(figure, path, path.with_suffix(".png"))
    plt.close(figure)


def _write_paper(path: Path, version: int) -> None:
    source = path.parent / "source"
    files.write_text(source / "main.tex", "\\documentclass{article}")

    def latexmk(command: list[str], build: Path, environment: dict[str, str]) -> str:
        (build / "main.pdf").write_bytes(b"%PDF-1.5\n" + bytes([version]) * 200)
        return ""

    with (
        mock.patch.object(paper.shutil, "which", lambda program: program),
        mock.patch.object(paper, "_run", latexmk),
    ):
        paper.compile_paper(source, path.parent, path)


def _write_report(path: Path, version: int) -> None:
    files.write_json(path.parent / "run" / "metrics" / "a.json", {"version": version})
    with mock.patch.object(report, "_page", return_value=f"<html>{version}</html>"):
        report.write_report(path.parent / "run", path)


def _read_zip(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a zip ({error})") from error


WRITERS = {
    writer.name: writer
    for writer in (
        Writer("product.h5", _write_hdf5, _read_hdf5),
        Writer(
            "weights.safetensors",
            lambda path, version: write_weights(path, {"a": torch.from_numpy(_numbers(version))}),
            _read_weights,
        ),
        Writer("checkpoints", _write_checkpoint, _read_checkpoint),
        Writer(
            "product.json",
            lambda path, version: files.write_json(path, {"version": version, "text": "a" * 9}),
            files.read_json_product,
        ),
        Writer(
            "table.csv", _write_table, lambda path: tables.read(path, SCHEMA).to_dict("records")
        ),
        Writer("folder", _write_folder, _digest),
        Writer("store.zarr", _write_zarr, _digest),
        Writer("figure.pdf", _write_figure, _digest),
        Writer("paper.pdf", _write_paper, _digest),
        Writer("report.zip", _write_report, _read_zip),
    )
}


@functools.cache
def contents(name: str, folder: Path) -> tuple[Any, Any]:
    """Return the content of the old and the new version of a product."""
    values = []
    for version in (1, 2):
        WRITERS[name].write_into(folder / f"{name}-{version}", version)
        values.append(WRITERS[name].outcome(folder / f"{name}-{version}"))
    assert values[0] != values[1]
    return values[0], values[1]
