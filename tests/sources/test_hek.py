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
from heliosynth.sources.reading import ReadingReport
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


def test_only_flares_of_swpc_are_kept_if_there_are_any(
    make_hek: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    others = hek_event("2012-07-12T16:50:00", "X1.3", frm_name="SSW Latest Events")
    swpc = make_hek(hek_event("2012-07-12T16:49:00", "X1.4"))
    another = make_hek(others, name="others.json")
    report = ReadingReport()
    assert list(read_flares([swpc, another], report)["goes_class_label"]) == ["X1.4"]
    assert report.to_json()["left_out"] == {
        "not of SWPC's list": {"count": 1, "example": f"{another}: SSW Latest Events"}
    }
    assert not caplog.messages
    assert list(read_flares([another])["goes_class_label"]) == ["X1.3"]
    assert "none is of SWPC's list" in caplog.text


def test_what_is_left_out_is_counted(make_hek: Callable[..., Path]) -> None:
    good = [
        hek_event(f"2012-07-{day}T16:49:00", "C1.4", event_starttime=None) for day in range(10, 30)
    ]
    path = make_hek(
        *good,
        hek_event("2012-07-12T17:00:00", None),
        hek_event("2012-07-12T18:00:00", " "),
        hek_event("", "M1.0"),
        hek_event("2012-07-12T20:00:00", "Q9"),
        hek_event("2012-07-32T20:00:00", "M1.0"),
        hek_event("9999-07-12T20:00:00", "M1.0"),
        hek_event("2012-07-12T21:00:00", "M1.0", event_type="AR"),
        hek_event("2012-07-12T22:00:00", "M1.0", frm_name="Flare Detective"),
        hek_event("2012-07-12T23:00:00", "M1.0", hpc_x="west", event_endtime="late"),
    )
    report = ReadingReport()
    assert len(read_flares([path, path], report)) == 21
    assert report.left_out == {
        "another type of event than a flare": 2,
        "no GOES class": 4,
        "not of SWPC's list": 2,
        "no peak time": 2,
        "peak time not readable": 2,
        "peak time before 1974 or in the future": 2,
        "end time not readable": 2,
        "class that is no GOES class": 2,
        "hpc_x not a number, left empty": 2,
        "repeat of a flare": 21,
    }
    assert report.examples["peak time not readable"] == f"{path}: 2012-07-32T20:00:00"
    assert "'Q9' is not a GOES class" in report.examples["class that is no GOES class"]
    assert report.examples["another type of event than a flare"] == f"{path}: AR"
    assert (report.files, report.read) == (2, 21)


@pytest.mark.parametrize(
    ("text", "label", "flux"),
    [
        ("m1.2", "M1.2", 1.2e-5),
        (" M1.2 ", "M1.2", 1.2e-5),
        ("M 1.2", "M1.2", 1.2e-5),
        ("M", "M", 1e-5),
        ("X10", "X10", 1e-3),
        ("C5.", "C5.", 5e-6),
        ("B1", "B1", 1e-7),
    ],
)
def test_classes_are_read_however_they_are_written(
    make_hek: Callable[..., Path], text: str, label: str, flux: float
) -> None:
    (flare,) = read_flares([make_hek(hek_event("2012-07-12T16:49:00", text))]).itertuples()
    assert flare.goes_class_label == label
    assert flare.peak_flux == pytest.approx(flux)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("latin-1"),
        lambda text: b" \n\n   " + text.encode("cp1252"),
        lambda text: text.replace("Angstrom", "A\n\tB").encode(),
    ],
)
def test_an_answer_of_hek_is_read_in_any_encoding(
    make_hek: Callable[..., Path], encode: Callable[[str], bytes]
) -> None:
    path = make_hek(hek_event("2012-07-12T16:49:00", "X1.4", obs_title="Angstrom Å"))
    text = json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    path.write_bytes(encode(text))
    assert list(read_flares([path])["goes_class_label"]) == ["X1.4"]


def test_a_csv_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "2014-02.csv"
    path.write_text(
        "\ufeffEVENT_STARTTIME;Event_PeakTime;event_endtime;FL_GOEScls;AR_NOAAnum;hpc_x;;\r\n"
        '02/25/2014 00:39;"02/25/2014 00:49";02/25/2014 01:03;X4,9;11990;-942,5;;\r\n'
        "02/02/2014 08:20;02/02/2014 08:25;;M1.3;;;;\r\n",
        encoding="utf-8",
    )
    flares = read_flares([path])
    assert flares["peak"].astype(str).tolist() == [
        "2014-02-02T08:25:00",
        "2014-02-25T00:49:00",
    ] or (
        flares["peak"].dt.strftime("%FT%T").tolist()
        == ["2014-02-02T08:25:00", "2014-02-25T00:49:00"]
    )
    assert flares["peak_flux"].tolist() == pytest.approx([1.3e-5, 4.9e-4])
    assert flares["active_region"].tolist() == [0, 11990]
    assert flares["hpc_x"].iloc[1] == -942.5


def test_files_with_different_forms_of_time_are_each_read(tmp_path: Path) -> None:
    header = "event_peaktime,fl_goescls\n"
    (tmp_path / "2014-01.csv").write_text(header + "2014-01-07T18:32:00,X1.2\n")
    (tmp_path / "2014-02.csv").write_text(header + "02/25/2014 00:49,X4.9\n")
    (tmp_path / "2014-03.csv").write_text(header + "29.03.2014 17:48,X1.0\n")
    (tmp_path / "2014-04.csv").write_text(header + "1398428820,X1.3\n")
    flares = read_flares(sorted(tmp_path.glob("*.csv")))
    assert flares["peak"].dt.strftime("%FT%R").tolist() == [
        "2014-01-07T18:32", "2014-02-25T00:49", "2014-03-29T17:48", "2014-04-25T12:27",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["02/03/2014 00:49", "02/05/2014 01:00"], "day and month cannot be told apart"),
        (["yesterday", "today"], "column event_peaktime: the times cannot be read"),
        (["41695.034", "41696.1"], "serial days of a spreadsheet"),
    ],
)
def test_a_file_without_readable_times_is_an_error(
    tmp_path: Path, times: list[str], message: str
) -> None:
    good, path = tmp_path / "2014-01.csv", tmp_path / "2014-02.csv"
    good.write_text("event_peaktime,fl_goescls\n2014-01-07T18:32:00,X1.2\n")
    path.write_text("event_peaktime,fl_goescls\n" + "".join(f"{time},M1.0\n" for time in times))
    with pytest.raises(InputError, match=message) as caught:
        read_flares([good, path])
    assert str(path) in str(caught.value)
    assert times[0] in str(caught.value)


def test_the_first_page_of_a_longer_list_is_an_error(make_hek: Callable[..., Path]) -> None:
    path = make_hek(hek_event("2014-01-07T18:32:00", "X1.2"), name="2014-01.json", overmax=True)
    next_month = make_hek(hek_event("2014-02-25T00:49:00", "X4.9"), name="2014-02.json")
    with pytest.raises(InputError, match=f"{path}: a page of a longer list.*page 2 is missing"):
        read_flares([path, next_month])


@pytest.mark.parametrize(
    "names",
    [
        ("2014-01_01.json", "2014-01_02.json", "2014-01_03.json"),
        ("flares_page1.json", "flares_page2.json", "flares_page3.json"),
        ("flares-p1.json", "flares-p2.json", "flares-p3.json"),
        ("page 1.json", "page 2.json", "page 3.json"),
    ],
)
def test_all_pages_of_a_list_are_read(make_hek: Callable[..., Path], names: tuple[str]) -> None:
    days, files = ("07", "08", "09"), []
    for day, name in zip(days, names, strict=True):
        event = hek_event(f"2014-01-{day}T18:32:00", "X1.2")
        files.append(make_hek(event, name=name, overmax=day != "09"))
    assert len(read_flares(files)) == 3
    with pytest.raises(InputError, match=r"page 3 is missing; fetch it .&page=3. and save it as"):
        read_flares(files[:2])
    # The service repeats the last page, and announces more.
    repeated = make_hek(hek_event("2014-01-08T18:32:00", "X1.2"), name=names[2], overmax="true")
    assert len(read_flares([*files[:2], repeated])) == 2


def test_manifests_next_to_flare_lists_are_no_lists(make_hek: Callable[..., Path]) -> None:
    path, report = make_hek(hek_event("2012-07-12T16:49:00", "X1.4")), ReadingReport()
    manifest = path.with_name("2012.manifest.json")
    manifest.write_text('{"files": []}')
    assert len(read_flares([path, manifest], report)) == 1
    assert report.left_out == {"file: manifest of raw inputs": 1}


def test_a_month_without_flares_is_no_error(make_hek: Callable[..., Path], tmp_path: Path) -> None:
    path, quiet = make_hek(hek_event("2012-07-12T16:49:00", "X1.4")), tmp_path / "quiet.csv"
    quiet.write_text("event_peaktime,fl_goescls\n")
    assert len(read_flares([path, make_hek(name="empty.json"), quiet])) == 1


def test_files_without_a_flare_state_the_reasons(make_hek: Callable[..., Path]) -> None:
    path = make_hek(hek_event("2012-07-12T16:49:00", None), hek_event("2012-07-12T16:49:00", ""))
    with pytest.raises(InputError, match=f"no flare in {path}, left out: 2 no GOES class"):
        read_flares([path])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page.json", "<html>busy</html>", "should be JSON but holds a web page"),
        ("cut.json", '{"result": [{"event_pea', "not valid JSON"),
        ("other.json", '{"error": "no"}', "holds no list of events"),
        ("page.csv", "<html>\nbusy\n</html>\n", "should be CSV but holds a web page"),
        ("bad.csv", "event_peaktime,fl_goescls\n2012-01-01,Q9\n", "not a GOES class"),
        (
            "cme.csv",
            "date;speed\n2012-01-01;900\n",
            "lacks the columns event_peaktime, fl_goescls, and has date, speed",
        ),
        ("cme.json", '[{"speed": 900}]', "its events have no event_peaktime and no fl_goescls"),
        ("empty.json", '{"result": []}', "no flare in"),
        ("empty.csv", "", "is empty"),
        ("empty2.json", "", "is empty"),
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


def test_the_script_writes_the_table_and_the_report(
    make_hek: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_hek(hek_event("2012-07-12T16:49:00", "X1.4"), hek_event("2012-07-12T16:49:00", ""))
    (path.parent / "flares.xlsx").write_bytes(b"PK")
    output, report = tmp_path / "out" / "flares.csv", tmp_path / "out" / "flares.json"
    files = ["--files", str(path.parent)]
    script.main([*files, "--output", str(output), "--report", str(report)])
    assert list(pd.read_csv(output).columns) == COLUMNS
    content = json.loads(report.read_text())
    assert (content["files"], content["read"]) == (1, 1)
    assert content["left_out"]["no GOES class"] == {"count": 1, "example": f"{path}: SWPC"}
    assert content["left_out"]["file: of another kind"]["count"] == 1
    assert content["first_peak"] == content["last_peak"] == "2012-07-12T16:49:00"
    assert "flares left out, no GOES class: 1" in caplog.text


SAMPLES = {
    # Flares of SWPC with a class, entries without one, and those of other teams with one.
    "hek_01_FL.json": ([], 2, 0),
    "hek_02_FL.json": (["C1.4", "X6.9"], 15, 2),
    "hek_03_AR_CH.json": ([], 0, 0),
    "hek_04_FL.json": (["X1.0", "M5.1", "M1.4", "M2.8", "M2.7", "M4.4", "M1.5"], 0, 0),
    "hek_05_FL.json": ([], 7, 0),
    "hek_06_FL_strict_json_fails.txt": (["X3.1"], 11, 1),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_of_hek_is_read(samples: Path, name: str) -> None:
    labels, unclassed, others = SAMPLES[name]
    path, report = samples / "hek" / name, ReadingReport()
    if not labels:
        reason = "89 another type" if "AR" in name else f"{unclassed} no GOES class"
        with pytest.raises(InputError, match=f"no flare in .*{name}, left out: {reason}"):
            read_flares([path])
        return
    assert sorted(read_flares([path], report)["goes_class_label"]) == sorted(labels)
    assert report.left_out.get("no GOES class", 0) == unclassed
    assert report.left_out.get("not of SWPC's list", 0) == others


def test_the_samples_of_hek_are_read_together(samples: Path) -> None:
    report = ReadingReport()
    flares = read_flares(sorted((samples / "hek").iterdir()), report)
    assert len(flares) == 10
    assert report.left_out["another type of event than a flare"] == 89
    assert flares["peak"].iloc[-1] == pd.Timestamp("2014-10-24T21:41:00")


@pytest.mark.archive
def test_the_real_list_has_the_known_flares(archive: Path) -> None:
    table = read_flares(sorted((archive / "hek").iterdir()))
    counts = table["goes_class_label"].str[0].value_counts().to_dict()
    assert counts == {"C": 1348, "M": 132, "B": 114, "X": 7}
    assert table["peak"].is_monotonic_increasing
