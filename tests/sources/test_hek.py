"""Flare lists: columns, duplicates, flares across midnight, and unusable files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heliosynth.catalogue import schemas
from heliosynth.errors import InputError
from heliosynth.io import tables
from heliosynth.sources.hek import read_flares
from helpers.observations import hek_event
from helpers.scripts import load

script = load("flares")

COLUMNS = [
    "start",
    "peak",
    "end",
    "goes_class_label",
    "peak_flux",
    "active_region",
    "hpc_x",
    "hpc_y",
    "identifier",
]


def test_a_hek_answer_becomes_a_table(make_hek: Callable[..., Path]) -> None:
    path = make_hek(
        hek_event("2012-07-12T16:49:00", "X1.4"),
        hek_event(
            "2012-07-12T05:00:00",
            "C2.0",
            event_starttime="2012-07-12T04:50:00",
            ar_noaanum=None,
            hpc_x=None,
            hpc_y=None,
        ),
    )
    table = read_flares([path])
    assert list(table.columns) == COLUMNS
    assert all(table[column].dtype == "datetime64[s]" for column in ("start", "peak", "end"))
    assert list(table["goes_class_label"]) == ["C2.0", "X1.4"], "in order of peak"
    np.testing.assert_allclose(table["peak_flux"], [2e-6, 1.4e-4])
    assert list(table["active_region"]) == [0, 11520]
    np.testing.assert_allclose(table["hpc_x"], [np.nan, 19.6])
    assert table["end"].isna().all()


def test_a_json_list_and_csv_with_few_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(json.dumps([hek_event("2012-07-12T16:49:00", "X1.4")]))
    (tmp_path / "few.csv").write_text(
        "event_peaktime,fl_goescls\n2012-07-13T00:00:00,M1.0\n2012-07-14T00:00:00Z,C3\n"
    )
    table = read_flares([tmp_path / "list.json", tmp_path / "few.csv"])
    assert list(table["goes_class_label"]) == ["X1.4", "M1.0", "C3"]
    assert list(table["identifier"][1:]) == ["2012-07-13T00:00:00_M1.0", "2012-07-14T00:00:00_C3"]


def test_duplicates_share_an_identifier_or_peak_and_class(make_hek: Callable[..., Path]) -> None:
    peak = "2012-07-12T16:49:00"
    page = make_hek(
        hek_event(peak, "X1.4", kb_archivid="a", ar_noaanum=None),
        hek_event(peak, "X1.4", kb_archivid="b"),
        hek_event(peak, "C1.0", kb_archivid="c"),
    )
    repeated = make_hek(hek_event(peak, "X1.4", kb_archivid="b"), name="repeated.json")
    table = read_flares([page, repeated])
    assert sorted(table["identifier"]) == ["b", "c"], "the event with a region is kept"


def test_only_flares_of_swpc_are_kept_if_there_are_any(make_hek: Callable[..., Path]) -> None:
    others = hek_event("2012-07-12T16:50:00", "X1.3", frm_name="SSW Latest Events")
    both = make_hek(hek_event("2012-07-12T16:49:00", "X1.4"), others)
    assert list(read_flares([both])["goes_class_label"]) == ["X1.4"]
    assert list(read_flares([make_hek(others)])["goes_class_label"]) == ["X1.3"]


def test_events_without_class_or_peak_are_left_out(make_hek: Callable[..., Path]) -> None:
    path = make_hek(
        hek_event("2012-07-12T16:49:00", "X1.4"),
        hek_event("2012-07-12T17:00:00", None),
        hek_event("2012-07-12T18:00:00", " "),
        hek_event("", "M1.0"),
    )
    assert len(read_flares([path])) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page.json", "<html>busy</html>", "should be JSON but holds a web page"),
        ("cut.json", '{"result": [{"event_pea', "not valid JSON"),
        ("other.json", '{"error": "no"}', "holds no list of events"),
        ("page.csv", "<html>\nbusy\n</html>\n", "lacks the HEK columns"),
        ("bad.csv", "event_peaktime,fl_goescls\n2012-01-01,Q9\n", "not a GOES class"),
        ("empty.json", '{"result": []}', "no flare in"),
        ("empty.csv", "", "cannot be read as CSV"),
    ],
)
def test_unusable_files_are_errors_that_name_them(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_flares([tmp_path / name])
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flare_across_midnight_peaks_on_the_next_day(tmp_path: Path) -> None:
    path = tmp_path / "flares.csv"
    path.write_text(
        "event_starttime,event_peaktime,event_endtime,fl_goescls\n"
        "2012-07-30T23:50:00,2012-07-30T00:05:00,2012-07-30T00:20:00,C6.3\n"
        "2012-08-02T23:40:00,2012-08-02T23:55:00,2012-08-02T00:10:00,C1.0\n"
        "2012-08-04T11:00:00,2012-08-04T11:05:00,2012-08-04T11:20:00,C1.0\n"
    )
    flares = read_flares([path])
    assert flares["peak"].dt.strftime("%dT%H:%M").tolist() == ["31T00:05", "02T23:55", "04T11:05"]
    assert flares["end"].dt.strftime("%dT%H:%M").tolist() == ["31T00:20", "03T00:10", "04T11:20"]


def test_the_table_is_read_as_it_was_written(make_hek: Callable[..., Path], tmp_path: Path) -> None:
    table = read_flares([make_hek(hek_event("2012-07-12T16:49:00", "X1.4"))])
    tables.write(tmp_path / "flares.csv", table, schemas.FLARES)
    pd.testing.assert_frame_equal(tables.read(tmp_path / "flares.csv", schemas.FLARES), table)


def test_the_script_writes_the_table(make_hek: Callable[..., Path], tmp_path: Path) -> None:
    path, output = make_hek(hek_event("2012-07-12T16:49:00", "X1.4")), tmp_path / "flares.csv"
    script.main(["--files", str(path.parent), "--output", str(output)])
    assert list(pd.read_csv(output).columns) == COLUMNS


@pytest.mark.archive
def test_the_real_list_has_the_known_flares(archive: Path) -> None:
    table = read_flares(sorted((archive / "hek").iterdir()))
    counts = table["goes_class_label"].str[0].value_counts().to_dict()
    assert counts == {"C": 1348, "M": 132, "B": 114, "X": 7}
    assert table["peak"].is_monotonic_increasing
