"""Downloads through the real client libraries from servers on this machine, with faults."""

import http.server
import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from heliosynth.errors import InputError
from heliosynth.io.files import write_json
from heliosynth.sources import fetch
from heliosynth.sources.hek import read_flares
from heliosynth.sources.manifest import verify
from helpers.loopback import serving
from helpers.observations import hek_event

pytestmark = pytest.mark.usefixtures("fast_retries")


@pytest.fixture
def hek_service() -> Iterator[Any]:
    """Serve HEK: a web page first, then one flare per month on endlessly repeated pages."""
    queries: list[dict[str, list[str]]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            queries.append(query)
            self.send_response(200)
            self.end_headers()
            body = "<html>busy</html>" if len(queries) == 1 else json.dumps(answer(query))
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/her?", queries=queries)
    server.shutdown()
    server.server_close()


def answer(query: dict[str, list[str]]) -> dict[str, Any]:
    """Return a page with one flare, which is not the last page."""
    day = np.datetime64(query["event_starttime"][0], "D") + 10
    event = hek_event(f"{day}T00:10:00", event_starttime=f"{day}T00:00:00")
    return {"result": [event], "overmax": True}


def test_flares_are_fetched_by_month_and_kept_once(hek_service: Any, tmp_path: Path) -> None:
    output = tmp_path / "flares_2012.json"
    fetch.fetch_flares(2012, output, hek_service.url)
    assert len(read_flares([output])) == 12
    assert len(json.loads(output.read_text())["result"]) == 12, "pages repeat, events do not"
    assert len(hek_service.queries) == 1 + 2 * 12
    starts = {query["event_starttime"][0][:10] for query in hek_service.queries}
    assert {"2011-12-31", "2012-01-31", "2012-11-30"} <= starts
    assert all("SWPC" in str(query) for query in hek_service.queries)

    assert verify([tmp_path / "flares_2012.manifest.json"]) == 2 * 12

    output.unlink()
    fetch.fetch_flares(2012, output, hek_service.url)
    assert len(hek_service.queries) == 1 + 2 * 12, "fetched pages are kept"


@pytest.mark.parametrize("fault", [429, 403, 500, "html", "cut", "stall"])
def test_temporary_faults_of_hek_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str | int
) -> None:
    if fault == "stall":
        monkeypatch.setattr(fetch, "HEK_LIMIT_S", 3.0)
    (tmp_path / "served").mkdir()
    page = {"result": [hek_event("2012-07-12T16:49:00")], "overmax": False}
    (tmp_path / "served" / "her").write_text(json.dumps(page))
    with serving(tmp_path / "served") as server:
        server.faults["/her"] = [fault, fault]
        fetch.fetch_flares(2012, tmp_path / "2012.json", f"{server.url}/her?")
        assert len(server.requested) == 12 + 2
        server.faults["/her"] = [fault] * 10
        monkeypatch.setattr(fetch, "HEK_LIMIT_S", 0.2)
        with pytest.raises(InputError, match="HEK flares of 2013-01, page 1: no valid answer"):
            fetch.fetch_flares(2013, tmp_path / "2013.json", f"{server.url}/her?")
    assert len(read_flares([tmp_path / "2012.json"])) == 1
    assert not list(tmp_path.glob("2013*"))


def test_pages_of_a_list_are_fetched_until_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service answers in Latin-1, with blanks before the page and line breaks in texts."""

    def page(url: str, timeout: float) -> Any:
        query = parse_qs(urlsplit(url).query)
        month, number = query["event_starttime"][0][:7], int(query["page"][0])
        event = hek_event(f"{month}-20T{number:02d}:00:00", title="Å\n", event_starttime=None)
        body = json.dumps({"result": [event], "overmax": number < 3}, ensure_ascii=False)
        return io.BytesIO(f"\n   {body}".replace("\\n", "\n").encode("latin-1"))

    monkeypatch.setattr(fetch.urllib.request, "urlopen", page)
    fetch.fetch_flares(2012, tmp_path / "2012.json", "https://hek.example/her?")
    assert len(read_flares([tmp_path / "2012.json"])) == 3 * 12
    assert len(list((tmp_path / "2012").iterdir())) == 3 * 12
    assert len(read_flares(sorted((tmp_path / "2012").iterdir()))) == 3 * 12


def test_an_unreachable_service_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="HEK flares of 2012-01, page 1: no valid answer in 5 attempts"
    ):
        fetch.fetch_flares(2012, tmp_path / "flares.json", "http://127.0.0.1:9/her?")
    assert not list(tmp_path.rglob("*.json"))


@pytest.fixture
def noaa(
    make_netcdf: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Serve daily files of July 2012, by satellite, to the client of sunpy."""
    from sunpy.net.dataretriever.sources.goes import XRSClient

    def add(satellite: int, days: range) -> None:
        for day in days:
            text = f"2012-07-{day:02d}"
            file = make_netcdf(satellite, f"d{text.replace('-', '')}", text, np.full(5, 1e-6))
            folder = tmp_path / f"served/goes{satellite}/xrsf-l2-avg1m_science/2012/07"
            folder.mkdir(parents=True, exist_ok=True)
            file.rename(folder / file.name)

    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        base = XRSClient.pattern_new.index("goes{SatelliteNumber")
        pattern = f"{server.url}/{XRSClient.pattern_new[base:]}"
        monkeypatch.setattr(XRSClient, "pattern_new", pattern)
        monkeypatch.setattr(fetch, "SUFFICIENT_SHARE", 4 / 366)
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


def test_without_enough_days_the_satellite_with_most_is_taken(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 12))
    noaa.add(14, range(10, 13))
    fetch.fetch_xrs(2012, [15, 14], tmp_path / "2012")
    assert len(list((tmp_path / "2012").glob("*_g14_*.nc"))) == 3


@pytest.mark.parametrize("fault", [429, 403, "html", "cut"])
def test_a_faulty_file_is_fetched_again(noaa: Any, tmp_path: Path, fault: str | int) -> None:
    noaa.add(15, range(10, 14))
    faulty = next(noaa.server.folder.rglob("*d20120712*.nc"))
    path = f"/{faulty.relative_to(noaa.server.folder).as_posix()}"
    noaa.server.faults[path] = [fault, fault]
    fetch.fetch_xrs(2012, [15], tmp_path / "2012")
    fetched = {file.name: file.read_bytes() for file in (tmp_path / "2012").iterdir()}
    assert fetched == {file.name: file.read_bytes() for file in noaa.server.folder.rglob("*.nc")}
    others = [name for name in noaa.server.requested if name.endswith(".nc") and name != path]
    assert len(others) == len(set(others)), "a good file is fetched once"


def test_files_that_a_power_cut_may_have_changed_are_fetched_again(
    noaa: Any, tmp_path: Path
) -> None:
    noaa.add(15, range(10, 14))
    served = {file.name: file for file in noaa.server.folder.rglob("*.nc")}
    first, second, *_ = sorted(served)
    kept = tmp_path / "2012.fetched" / "goes15"
    write_json(kept / fetch.COMPLETE_LIST, [first])
    shutil.copy(served[first], kept)
    # It can be read, but holds the data of another day.
    shutil.copy(served[first], kept / second)
    fetch.fetch_xrs(2012, [15], tmp_path / "2012")
    for name, file in served.items():
        assert (tmp_path / "2012" / name).read_bytes() == file.read_bytes()
    requested = [Path(name).name for name in noaa.server.requested]
    assert second in requested
    assert first not in requested


def test_a_permanent_fault_leaves_no_output(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 14))
    faulty = next(noaa.server.folder.rglob("*d20120712*.nc"))
    noaa.server.faults[f"/{faulty.relative_to(noaa.server.folder).as_posix()}"] = ["html"] * 50
    with pytest.raises(InputError, match="GOES-15 XRS files of 2012: no valid answer"):
        fetch.fetch_xrs(2012, [15], tmp_path / "2012")
    assert not (tmp_path / "2012").exists()
    assert not (tmp_path / "2012.manifest.json").exists()


def test_a_year_without_data_of_any_satellite_is_an_error(noaa: Any, tmp_path: Path) -> None:
    noaa.add(15, range(10, 14))
    with pytest.raises(InputError, match="no XRS files of 2011 from GOES-15, GOES-14"):
        fetch.fetch_xrs(2011, [15, 14], tmp_path / "2011")


@pytest.mark.parametrize("text", ["<html>", "[]", '{"result": [1]}'])
def test_a_page_changed_since_fetching_is_named(
    hek_service: Any, tmp_path: Path, text: str
) -> None:
    fetch.fetch_flares(2012, tmp_path / "2012.json", hek_service.url)
    page = tmp_path / "2012" / "2012-03_01.json"
    page.write_text(text)
    with pytest.raises(InputError, match=f"{page}: .*; delete it and rerun"):
        fetch.fetch_flares(2012, tmp_path / "2012.json", hek_service.url)
