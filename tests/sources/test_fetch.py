import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.sources import fetch, retry
from heliosynth.sources.hek import read_flares
from heliosynth.sources.manifest import verify
from helpers.loopback import serving


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def hek_service() -> Iterator[Any]:
    """Serve HEK's answers: a web page first, then one flare a month on endless equal pages."""
    asked: list[dict[str, list[str]]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            asked.append(query)
            self.send_response(200)
            self.end_headers()
            body = "<html>busy</html>" if len(asked) == 1 else json.dumps(_answer(query))
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/her?", asked=asked)
    server.shutdown()
    server.server_close()


def _answer(query: dict[str, list[str]]) -> dict[str, Any]:
    day = np.datetime64(query["event_starttime"][0], "D") + 10
    event = {
        "event_starttime": f"{day}T00:00:00",
        "event_peaktime": f"{day}T00:10:00",
        "event_endtime": None,
        "fl_goescls": "M1.2",
        "frm_name": "SWPC",
        "ar_noaanum": 11520,
        "kb_archivid": f"ivo://helio-informatics.org/FL1_SWPC_{day}",
    }
    return {"result": [event], "overmax": True}


def test_flares_come_by_month_whole_and_once(hek_service: Any, tmp_path: Path) -> None:
    output = tmp_path / "flares_2012.json"
    fetch.fetch_flares(2012, output, hek_service.url)
    assert len(read_flares([output])) == 12
    assert len(json.loads(output.read_text())["result"]) == 12, "pages repeat, events do not"
    assert len(hek_service.asked) == 1 + 2 * 12
    starts = {query["event_starttime"][0][:10] for query in hek_service.asked}
    assert {"2011-12-31", "2012-01-31", "2012-11-30"} <= starts
    assert all("SWPC" in str(query) for query in hek_service.asked)

    assert verify([tmp_path / "flares_2012.manifest.json"]) == 2 * 12

    output.unlink()
    fetch.fetch_flares(2012, output, hek_service.url)
    assert len(hek_service.asked) == 1 + 2 * 12, "what was fetched is kept"


@pytest.mark.parametrize("fault", [429, 403, 500, "html", "cut", "stall"])
def test_faults_of_the_service_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str | int
) -> None:
    monkeypatch.setattr(fetch, "HEK_LIMIT_S", 0.5)
    event = _answer({"event_starttime": ["2012-07-01"]})["result"]
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "her").write_text(json.dumps({"result": event, "overmax": False}))
    with serving(tmp_path / "served") as server:
        server.stall_s = 1.0
        server.faults["/her"] = [fault, fault]
        fetch.fetch_flares(2012, tmp_path / "2012.json", f"{server.url}/her?")
        assert len(server.asked) == 12 + 2
        server.faults["/her"] = [fault] * 10
        with pytest.raises(InputError, match="HEK flares of 2013-01, page 1: no good answer"):
            fetch.fetch_flares(2013, tmp_path / "2013.json", f"{server.url}/her?")
    assert len(read_flares([tmp_path / "2012.json"])) == 1
    assert not list(tmp_path.glob("2013*"))


def test_a_dead_service_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="HEK flares of 2012-01, page 1: no good answer in 5 attempts"
    ):
        fetch.fetch_flares(2012, tmp_path / "flares.json", "http://127.0.0.1:9/her?")
    assert not list(tmp_path.rglob("*.json"))


@pytest.fixture
def noaa(
    make_netcdf: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Serve days of July 2012 by satellite to sunpy's own client."""
    from sunpy.net.dataretriever.sources.goes import XRSClient

    def add(satellite: int, days: range) -> None:
        for day in days:
            text = f"2012-07-{day:02d}"
            made = make_netcdf(satellite, f"d{text.replace('-', '')}", text, np.full(5, 1e-6))
            folder = tmp_path / f"served/goes{satellite}/xrsf-l2-avg1m_science/2012/07"
            folder.mkdir(parents=True, exist_ok=True)
            made.rename(folder / made.name)

    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        base = XRSClient.pattern_new.index("goes{SatelliteNumber")
        pattern = f"{server.url}/{XRSClient.pattern_new[base:]}"
        monkeypatch.setattr(XRSClient, "pattern_new", pattern)
        monkeypatch.setattr(fetch, "ENOUGH_OF_A_YEAR", 4 / 366)
        yield SimpleNamespace(add=add, server=server)


def test_the_first_satellite_with_enough_days_is_taken(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 13))
    noaa.add(14, range(10, 14))
    noaa.add(13, range(1, 29))
    output = tmp_path / "goes" / "2012"
    fetch.fetch_xrs(2012, [15, 14, 13], output)
    assert len(list(output.iterdir())) == 4
    assert all("_g14_" in path.name for path in output.iterdir())
    assert sorted(path.name for path in output.parent.iterdir()) == ["2012", "2012.manifest.json"]
    manifest = json.loads((tmp_path / "goes" / "2012.manifest.json").read_text())
    assert len(manifest["files"]) == 4
    assert all(entry["url"].startswith(noaa.server.url) for entry in manifest["files"])
    assert verify([output.parent / "2012.manifest.json"]) == 4


def test_else_the_satellite_with_the_most_days(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 12))
    noaa.add(14, range(10, 13))
    fetch.fetch_xrs(2012, [15, 14], tmp_path / "2012")
    assert len(list((tmp_path / "2012").glob("*_g14_*.nc"))) == 3


@pytest.mark.parametrize("fault", [429, 403, "html", "cut"])
def test_faults_of_one_file_fetch_it_again(noaa: Any, tmp_path: Path, fault: str | int) -> None:
    noaa.add(15, range(10, 14))
    spoilt = next(noaa.server.folder.rglob("*d20120712*.nc"))
    address = f"/{spoilt.relative_to(noaa.server.folder).as_posix()}"
    noaa.server.faults[address] = [fault, fault]
    fetch.fetch_xrs(2012, [15], tmp_path / "2012")
    got = {path.name: path.read_bytes() for path in (tmp_path / "2012").iterdir()}
    assert got == {path.name: path.read_bytes() for path in noaa.server.folder.rglob("*.nc")}
    others = [path for path in noaa.server.asked if path.endswith(".nc") and path != address]
    assert len(others) == len(set(others)), "a good file is fetched once"


def test_a_fault_that_stays_leaves_no_half_product(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 14))
    spoilt = next(noaa.server.folder.rglob("*d20120712*.nc"))
    noaa.server.faults[f"/{spoilt.relative_to(noaa.server.folder).as_posix()}"] = ["html"] * 50
    with pytest.raises(InputError, match="GOES-15 XRS files of 2012: no good answer"):
        fetch.fetch_xrs(2012, [15], tmp_path / "2012")
    assert not (tmp_path / "2012").exists()
    assert not (tmp_path / "2012.manifest.json").exists()


def test_a_year_that_no_satellite_serves(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 14))
    with pytest.raises(InputError, match="no XRS files of 2011 from GOES-15, GOES-14"):
        fetch.fetch_xrs(2011, [15, 14], tmp_path / "2011")
