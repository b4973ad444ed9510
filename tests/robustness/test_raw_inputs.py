"""Broken raw files: each is read, or rejected in one line that names the file."""

import json
import math
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import sunpy.timeseries  # noqa: F401  (once, rather than in every process)
import zarr  # noqa: F401

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from heliosynth.sources.goes import read_series
from helpers.intensities import options, write_labels
from helpers.mutation import RUBBISH, damaged, mutated
from helpers.outcome import isolated, succeeds
from helpers.scripts import load

pytestmark = pytest.mark.robustness

flares, frames, xrs = (load(name).main for name in ("flares", "frames", "xrs"))
average = load("intensities").main

COUNT = 200
FEW = 40
"""Files for the slowest script."""


def reads_flares(file: Path, output: Path) -> bool:
    argv = ["--files", str(file), "--output", str(output)]
    success = succeeds(flares, argv, output, file.name)
    if success:
        tables.read(output, schemas.FLARES)
    return success


def reads_xrs(file: Path, output: Path) -> bool:
    argv = ["--files", str(file), "--csv-scale", "true", "--output", str(output)]
    success = succeeds(xrs, argv, output, file.name)
    if success:
        assert np.isfinite(read_series(output).xrsb).any()
    return success


def reads_frames(store: Path, output: Path) -> bool:
    argv = ["--store", str(store), "--year", "2012", "--channel", "171A", "--output", str(output)]
    success = succeeds(frames, argv, output, "sdomlv2.zarr")
    if success:
        tables.read(output, schemas.FRAMES)
    return success


@isolated
def test_damaged_hek_events_are_read_or_rejected(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "hek").iterdir()
    content, rng = json.loads(path.read_text()), random.Random(1)
    content["result"] = content["result"][:6]
    accepted = 0
    for _ in range(COUNT):
        path.write_text(json.dumps(mutated(content, rng)[0]))
        accepted += reads_flares(path, tmp_path / "out" / "flares.csv")
    assert 0 < accepted < COUNT


@isolated
def test_damaged_hek_bytes_are_read_or_rejected(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "hek").iterdir()
    content, rng = path.read_bytes(), random.Random(2)
    accepted = 0
    for _ in range(COUNT):
        path.write_bytes(damaged(content, rng))
        accepted += reads_flares(path, tmp_path / "out" / "flares.csv")
    assert 0 < accepted < COUNT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 100_000,
        '{"result": {"event_peaktime": "2012-07-12T16:49:00"}}',
        '[{"event_peaktime": ["2012"], "fl_goescls": {"X": 1}}]',
        '[{"event_peaktime": "2012-07-12T16:49:00", "fl_goescls": "X1e99"}]',
        '[{"event_peaktime": "2012-07-12T16:49:00", "fl_goescls": "M-1"}]',
        '[{"event_peaktime": "9999-07-12T16:49:00", "fl_goescls": "M\\u00b2"}]',
    ],
)
@isolated
def test_an_answer_without_a_flare_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hek_2012.json"
    path.write_text(text)
    assert not reads_flares(path, tmp_path / "out" / "flares.csv")


@isolated
def test_rubbish_in_optional_keys_of_a_flare_is_ignored(tmp_path: Path) -> None:
    good = {"event_peaktime": "2012-07-12T16:49:00", "fl_goescls": "X1.4"}
    for value in RUBBISH:
        path = tmp_path / "hek_2012.json"
        about = {"ar_noaanum": value, "hpc_x": value, "kb_archivid": value, "frm_name": value}
        path.write_text(json.dumps([{**good, **about, "event_endtime": value}]))
        assert reads_flares(path, tmp_path / "out" / "flares.csv"), value


def csv_faults(text: str, rng: random.Random) -> bytes:
    """Damage a CSV table as users, editors and transfers do."""
    lines = text.splitlines()
    at, column = rng.randrange(1, len(lines)), rng.randrange(lines[0].count(",") + 1)

    def without_column() -> bytes:
        rows = [line.split(",") for line in lines]
        return "\n".join(",".join(r[:column] + r[column + 1 :]) for r in rows).encode()

    def rubbish_cell() -> bytes:
        row = lines[at].split(",")
        row[min(column, len(row) - 1)] = str(rng.choice(RUBBISH))
        return "\n".join([*lines[:at], ",".join(row), *lines[at + 1 :]]).encode()

    def rubbish_column() -> bytes:
        rows = [line.split(",") for line in lines]
        value = str(rng.choice(RUBBISH))
        cut = [[*r[:column], value, *r[column + 1 :]] for r in rows[1:]]
        return "\n".join(",".join(row) for row in [rows[0], *cut]).encode()

    kinds: list[Callable[[], bytes]] = [
        without_column,
        rubbish_cell,
        rubbish_column,
        lambda: "\n".join([*lines[:at], lines[at][: len(lines[at]) // 2]]).encode(),
        lambda: "\n".join([*lines[:at], lines[at] + ",1,2,3", *lines[at + 1 :]]).encode(),
        lambda: "\n".join([*lines[:at], "☀" * 9, *lines[at + 1 :]]).encode("utf-16"),
        lambda: text.encode() + b"\xff\xfe\x00,\xb0",
        lambda: b"\n".join([text.encode()[: at * 7], b"\0" * 9, text.encode()[at * 7 :]]),
        lambda: "\n".join(lines[1:]).encode(),
        lambda: "\n".join([lines[0]]).encode(),
        lambda: text.replace(",", ";").encode(),
        lambda: damaged(text.encode(), rng),
    ]
    return rng.choice(kinds)()


@isolated
def test_damaged_xrs_csv_is_read_or_rejected(tmp_path: Path) -> None:
    times = np.arange("2012-07-12T00:00", "2012-07-12T06:00", 5, dtype="datetime64[m]")
    flux = 1e-6 * (2 + np.sin(np.arange(len(times))))
    rows = [f"{t}:00,{f / 9:.3e},{f:.3e}" for t, f in zip(times, flux, strict=True)]
    text, rng = "\n".join(["time,xrsa,xrsb", *rows, ""]), random.Random(3)
    path, accepted = tmp_path / "goes15_xrs.csv", 0
    for _ in range(COUNT):
        path.write_bytes(csv_faults(text, rng))
        accepted += reads_xrs(path, tmp_path / "out" / "xrs.h5")
    assert 0 < accepted < COUNT


@isolated
def test_damaged_flare_csv_is_read_or_rejected(tmp_path: Path) -> None:
    names = "event_starttime,event_peaktime,event_endtime,fl_goescls,ar_noaanum,hpc_x,kb_archivid"
    rows = [
        f"2012-07-{d}T01:00:00,2012-07-{d}T01:10:00,,M{d}.1,11520,1.5,a{d}" for d in range(10, 30)
    ]
    text, rng = "\n".join([names, *rows, ""]), random.Random(4)
    path, accepted = tmp_path / "flares_2012.csv", 0
    for _ in range(COUNT):
        path.write_bytes(csv_faults(text, rng))
        accepted += reads_flares(path, tmp_path / "out" / "flares.csv")
    assert 0 < accepted < COUNT


def outside_heaps(changed: bytes, content: bytes) -> bytes:
    """Restore the global heaps of HDF5, which reads some broken ones in an endless loop."""
    whole = bytearray(changed)
    for heap in re.finditer(b"GCOL", content):
        start = heap.start()
        length = int.from_bytes(content[start + 8 : start + 16], "little")
        stop = min(start + length, len(changed))
        whole[start:stop] = content[start:stop]
    return bytes(whole[: len(changed)])


@isolated
def test_damaged_netcdf_bytes_are_read_or_rejected(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "goes").iterdir()
    content, rng, accepted = path.read_bytes(), random.Random(5), 0
    for number in range(COUNT):
        # Most of a file is data; its structure is in its first pages.
        reach = 40_000 if number % 2 else len(content)
        path.write_bytes(outside_heaps(damaged(content[:reach], rng) + content[reach:], content))
        accepted += reads_xrs(path, tmp_path / "out" / "xrs.h5")
    assert 0 < accepted < COUNT


def dataset_changes() -> list[tuple[str, Callable[[h5py.File], None]]]:
    """Return changes to a netCDF file that stays readable, with their names."""
    changes: list[tuple[str, Callable[[h5py.File], None]]] = []
    for name in ("time", "xrsa_flux", "xrsb_flux", "xrsb_flag", "xrsa_flag"):

        def replaced(values: Any, name: str = name) -> Callable[[h5py.File], None]:
            def change(file: h5py.File) -> None:
                attributes = dict(file[name].attrs)
                del file[name]
                file[name] = values
                for key in ("units", "flag_meanings", "flag_masks", "flag_values"):
                    if key in attributes:
                        file[name].attrs[key] = attributes[key]

            return change

        def removed(file: h5py.File, name: str = name) -> None:
            del file[name]

        changes += [
            (f"{name} removed", removed),
            (f"{name} as text", replaced(np.array([b"many"] * 60))),
            (f"{name} as one number", replaced(3.0)),
            (f"{name} of another length", replaced(np.arange(7.0))),
            (f"{name} in two dimensions", replaced(np.ones((5, 5)))),
            (f"{name} empty", replaced(np.empty(0))),
            (f"{name} of NaN", replaced(np.full(5760, math.nan))),
            (f"{name} huge", replaced(np.full(5760, 1e300))),
            (f"{name} complex", replaced(np.full(5760, 1j))),
        ]
    for name, key in (("time", "units"), ("xrsb_flag", "flag_masks"), ("xrsb_flag", "flag_values")):
        for value in ("", "seconds since yesterday", -1.5, np.arange(3)):

            def change(file: h5py.File, name: str = name, key: str = key, to: Any = value) -> None:
                file[name].attrs[key] = to

            changes.append((f"{name}.{key} = {value}", change))
    return changes


@isolated
def test_wrong_netcdf_content_is_read_or_rejected(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "goes").iterdir()
    content, accepted = path.read_bytes(), []
    for name, change in dataset_changes():
        path.write_bytes(content)
        with h5py.File(path, "a") as file:
            change(file)
        if reads_xrs(path, tmp_path / "out" / "xrs.h5"):
            accepted.append(name)
    assert not {"time removed", "xrsb_flux removed", "xrsb_flux of NaN"} & set(accepted)


@pytest.mark.parametrize("name", [".zarray", ".zattrs"])
@isolated
def test_damaged_store_metadata_is_read_or_rejected(raw: Path, tmp_path: Path, name: str) -> None:
    store = raw / "aia" / "sdomlv2.zarr"
    path = store / "2012" / "171A" / name
    text, rng = path.read_text(), random.Random(6)

    accepted = 0
    for number in range(COUNT):
        if number % 3:
            path.write_text(json.dumps(mutated(json.loads(text), rng)[0]))
        else:
            path.write_bytes(damaged(text.encode(), rng))
        accepted += reads_frames(store, tmp_path / "out" / "frames_2012.csv")
    assert accepted < COUNT


@isolated
def test_damaged_chunks_are_read_or_rejected(observed: Path, raw: Path, tmp_path: Path) -> None:
    store, labels = raw / "aia" / "sdomlv2.zarr", write_labels(observed, tmp_path / "labels.csv")
    chunk, rng = store / "2012" / "171A" / "2.0.0", random.Random(7)
    content, accepted = chunk.read_bytes(), 0
    output = tmp_path / "out" / "2012.h5"
    for _ in range(FEW):
        chunk.write_bytes(damaged(content, rng))
        accepted += succeeds(average, options(labels, store, output), output, "2.0.0")
        shutil.rmtree(output.parent)
    assert accepted < FEW


@isolated
def test_damaged_store_metadata_averages_or_is_rejected(
    observed: Path, raw: Path, tmp_path: Path
) -> None:
    store, labels = raw / "aia" / "sdomlv2.zarr", write_labels(observed, tmp_path / "labels.csv")
    path, rng, accepted = store / "2012" / "171A" / ".zarray", random.Random(8), 0
    text, output = path.read_text(), tmp_path / "out" / "2012.h5"
    for _ in range(FEW):
        path.write_text(json.dumps(mutated(json.loads(text), rng)[0]))
        accepted += succeeds(average, options(labels, store, output), output, "171A")
        shutil.rmtree(output.parent)
    assert accepted < FEW


@isolated
def test_a_chunk_that_differs_from_its_manifest_is_rejected(
    observed: Path, raw: Path, tmp_path: Path
) -> None:
    shutil.copy2(observed.parent / "raw.manifest.json", tmp_path)
    store, labels = raw / "aia" / "sdomlv2.zarr", write_labels(observed, tmp_path / "labels.csv")
    chunk, rng = store / "2012" / "171A" / "2.0.0", random.Random(9)
    content, output = chunk.read_bytes(), tmp_path / "out" / "2012.h5"
    argv = options(labels, store, output)
    for _ in range(10):
        chunk.write_bytes(damaged(content, rng))
        assert not succeeds(average, argv, output, "2.0.0")
    chunk.write_bytes(content)
    assert succeeds(average, argv, output)
