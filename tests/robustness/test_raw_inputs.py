"""Broken raw files: a table or a light curve comes of each, or one line that names the file."""

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
from helpers.mutation import RUBBISH, damaged, mutated
from helpers.outcome import accepted
from helpers.scripts import load

pytestmark = pytest.mark.robustness

make_flares = load("flares").main
make_frames = load("frames").main
make_intensities = load("intensities").main
make_xrs = load("xrs").main

COUNT = 200
FEW = 40
"""Files for a script that takes half a second."""


def read_flares_by_the_door(file: Path, output: Path) -> bool:
    made = accepted(make_flares, ["--files", str(file), "--output", str(output)], output, file.name)
    if made:
        tables.read(output, schemas.FLARES)
    return made


def read_xrs_by_the_door(file: Path, output: Path) -> bool:
    options = ["--files", str(file), "--csv-scale", "true", "--output", str(output)]
    made = accepted(make_xrs, options, output, file.name)
    if made:
        series = read_series(output)
        assert np.isfinite(series.xrsb).any()
    return made


def read_frames_by_the_door(store: Path, output: Path) -> bool:
    options = ["--store", str(store), "--year", "2012", "--channel", "171A"]
    made = accepted(make_frames, [*options, "--output", str(output)], output, "sdomlv2.zarr")
    if made:
        tables.read(output, schemas.FRAMES)
    return made


def test_hek_answers_with_damaged_events_are_read_or_refused(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "hek").iterdir()
    content, rng = json.loads(path.read_text()), random.Random(1)
    content["result"] = content["result"][:6]
    made = 0
    for _ in range(COUNT):
        path.write_text(json.dumps(mutated(content, rng)[0]))
        made += read_flares_by_the_door(path, tmp_path / "out" / "flares.csv")
    assert 0 < made < COUNT


def test_hek_answers_with_damaged_bytes_are_read_or_refused(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "hek").iterdir()
    content, rng = path.read_bytes(), random.Random(2)
    made = 0
    for _ in range(COUNT):
        path.write_bytes(damaged(content, rng))
        made += read_flares_by_the_door(path, tmp_path / "out" / "flares.csv")
    assert 0 < made < COUNT


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
def test_an_answer_without_a_flare_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hek_2012.json"
    path.write_text(text)
    assert not read_flares_by_the_door(path, tmp_path / "out" / "flares.csv")


def test_nonsense_beside_a_good_flare_is_left_out(tmp_path: Path) -> None:
    good = {"event_peaktime": "2012-07-12T16:49:00", "fl_goescls": "X1.4"}
    for value in RUBBISH:
        path = tmp_path / "hek_2012.json"
        about = {"ar_noaanum": value, "hpc_x": value, "kb_archivid": value, "frm_name": value}
        path.write_text(json.dumps([{**good, **about, "event_endtime": value}]))
        assert read_flares_by_the_door(path, tmp_path / "out" / "flares.csv"), value


def csv_faults(text: str, rng: random.Random) -> bytes:
    """Damage a CSV table as people, editors and transfers do."""
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


def test_damaged_csv_light_curves_are_read_or_refused(tmp_path: Path) -> None:
    times = np.arange("2012-07-12T00:00", "2012-07-12T06:00", 5, dtype="datetime64[m]")
    flux = 1e-6 * (2 + np.sin(np.arange(len(times))))
    rows = [f"{t}:00,{f / 9:.3e},{f:.3e}" for t, f in zip(times, flux, strict=True)]
    text, rng = "\n".join(["time,xrsa,xrsb", *rows, ""]), random.Random(3)
    path, made = tmp_path / "goes15_xrs.csv", 0
    for _ in range(COUNT):
        path.write_bytes(csv_faults(text, rng))
        made += read_xrs_by_the_door(path, tmp_path / "out" / "xrs.h5")
    assert 0 < made < COUNT


def test_damaged_csv_flare_lists_are_read_or_refused(tmp_path: Path) -> None:
    names = "event_starttime,event_peaktime,event_endtime,fl_goescls,ar_noaanum,hpc_x,kb_archivid"
    rows = [
        f"2012-07-{d}T01:00:00,2012-07-{d}T01:10:00,,M{d}.1,11520,1.5,a{d}" for d in range(10, 30)
    ]
    text, rng = "\n".join([names, *rows, ""]), random.Random(4)
    path, made = tmp_path / "flares_2012.csv", 0
    for _ in range(COUNT):
        path.write_bytes(csv_faults(text, rng))
        made += read_flares_by_the_door(path, tmp_path / "out" / "flares.csv")
    assert 0 < made < COUNT


def outside_heaps(changed: bytes, content: bytes) -> bytes:
    """Leave the global heaps of HDF5 as they were: it reads some broken ones for ever."""
    whole = bytearray(changed)
    for heap in re.finditer(b"GCOL", content):
        start = heap.start()
        length = int.from_bytes(content[start + 8 : start + 16], "little")
        stop = min(start + length, len(changed))
        whole[start:stop] = content[start:stop]
    return bytes(whole[: len(changed)])


def test_netcdf_with_damaged_bytes_is_read_or_refused(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "goes").iterdir()
    content, rng, made = path.read_bytes(), random.Random(5), 0
    for number in range(COUNT):
        # Most of a file is data; what can go wrong oddly is in its first pages.
        reach = 40_000 if number % 2 else len(content)
        path.write_bytes(outside_heaps(damaged(content[:reach], rng) + content[reach:], content))
        made += read_xrs_by_the_door(path, tmp_path / "out" / "xrs.h5")
    assert 0 < made < COUNT


def wrong_datasets() -> list[tuple[str, Callable[[h5py.File], None]]]:
    """Give what may be wrong in a netCDF file that is whole."""
    wrong: list[tuple[str, Callable[[h5py.File], None]]] = []
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

        wrong += [
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

            wrong.append((f"{name}.{key} = {value}", change))
    return wrong


def test_whole_netcdf_files_of_wrong_content_are_read_or_refused(raw: Path, tmp_path: Path) -> None:
    (path,) = (raw / "goes").iterdir()
    content, made = path.read_bytes(), []
    for what, change in wrong_datasets():
        path.write_bytes(content)
        with h5py.File(path, "a") as file:
            change(file)
        if read_xrs_by_the_door(path, tmp_path / "out" / "xrs.h5"):
            made.append(what)
    assert not {"time removed", "xrsb_flux removed", "xrsb_flux of NaN"} & set(made)


@pytest.mark.parametrize("name", [".zarray", ".zattrs"])
def test_a_store_with_damaged_metadata_is_read_or_refused(
    raw: Path, tmp_path: Path, name: str
) -> None:
    store = raw / "aia" / "sdomlv2.zarr"
    path = store / "2012" / "171A" / name
    text, rng = path.read_text(), random.Random(6)

    made = 0
    for number in range(COUNT):
        if number % 3:
            path.write_text(json.dumps(mutated(json.loads(text), rng)[0]))
        else:
            path.write_bytes(damaged(text.encode(), rng))
        made += read_frames_by_the_door(store, tmp_path / "out" / "frames_2012.csv")
    assert made < COUNT


def labelled(observed: Path, path: Path) -> Path:
    """Write a label table that selects every frame."""
    frames = path.with_name("frames.csv")
    options = ["--store", str(observed / "aia" / "sdomlv2.zarr"), "--year", "2012"]
    make_frames([*options, "--channel", "171A", "--output", str(frames)])
    table = tables.read(frames, schemas.FRAMES)
    table = table.assign(
        goes_class="C",
        log10_flux=-5.5,
        flare="",
        flare_peak=np.datetime64("NaT", "s"),
        measured_log10_flux=-5.5,
        flare_measured_log10_flux=math.nan,
        selected=True,
        reason="",
    )
    tables.write(path, table, schemas.LABELS)
    return path


def intensities_options(labels: Path, store: Path, output: Path) -> list[str]:
    options = ["--labels", str(labels), "--store", str(store), "--year", "2012"]
    return [*options, "--channel", "171A", "--size", "8", "--output", str(output)]


def test_a_store_with_damaged_chunks_is_read_or_refused(
    observed: Path, raw: Path, tmp_path: Path
) -> None:
    store, labels = raw / "aia" / "sdomlv2.zarr", labelled(observed, tmp_path / "labels.csv")
    chunk, rng = store / "2012" / "171A" / "2.0.0", random.Random(7)
    content, made = chunk.read_bytes(), 0
    output = tmp_path / "out" / "2012.h5"
    for _ in range(FEW):
        chunk.write_bytes(damaged(content, rng))
        made += accepted(
            make_intensities, intensities_options(labels, store, output), output, "2.0.0"
        )
        shutil.rmtree(output.parent)
    assert made < FEW


def test_a_store_with_damaged_metadata_gives_no_intensities_or_good_ones(
    observed: Path, raw: Path, tmp_path: Path
) -> None:
    store, labels = raw / "aia" / "sdomlv2.zarr", labelled(observed, tmp_path / "labels.csv")
    path, rng, made = store / "2012" / "171A" / ".zarray", random.Random(8), 0
    text, output = path.read_text(), tmp_path / "out" / "2012.h5"
    for _ in range(FEW):
        path.write_text(json.dumps(mutated(json.loads(text), rng)[0]))
        made += accepted(
            make_intensities, intensities_options(labels, store, output), output, "171A"
        )
        shutil.rmtree(output.parent)
    assert made < FEW


def test_a_chunk_that_a_manifest_knows_is_refused_with_any_bit_changed(
    observed: Path, raw: Path, tmp_path: Path
) -> None:
    shutil.copy2(observed.parent / "raw.manifest.json", tmp_path)
    store, labels = raw / "aia" / "sdomlv2.zarr", labelled(observed, tmp_path / "labels.csv")
    chunk, rng = store / "2012" / "171A" / "2.0.0", random.Random(9)
    content, output = chunk.read_bytes(), tmp_path / "out" / "2012.h5"
    for _ in range(10):
        chunk.write_bytes(damaged(content, rng))
        options = intensities_options(labels, store, output)
        assert not accepted(make_intensities, options, output, "2.0.0")
    chunk.write_bytes(content)
    assert accepted(make_intensities, options, output)
