import http.server
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
from heliosynth.sources import patience, retrieval
from heliosynth.sources.hek import read_flares


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "time", SimpleNamespace(sleep=lambda seconds: None))


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
    retrieval.fetch_flares(2012, output, hek_service.url)
    assert len(read_flares([output])) == 12
    assert len(json.loads(output.read_text())["result"]) == 12, "pages repeat, events do not"
    assert len(hek_service.asked) == 1 + 2 * 12
    starts = {query["event_starttime"][0][:10] for query in hek_service.asked}
    assert {"2011-12-31", "2012-01-31", "2012-11-30"} <= starts
    assert all("SWPC" in str(query) for query in hek_service.asked)

    output.unlink()
    retrieval.fetch_flares(2012, output, hek_service.url)
    assert len(hek_service.asked) == 1 + 2 * 12, "what was fetched is kept"


def test_a_dead_service_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="HEK flares of 2012-01, page 1: no good answer in 5 attempts"
    ):
        retrieval.fetch_flares(2012, tmp_path / "flares.json", "http://127.0.0.1:9/her?")
    assert not list(tmp_path.rglob("*.json"))


class _Fido:
    """Serves some days of some satellites; spoils the first download of every file."""

    def __init__(self, days: dict[int, int], source: Path) -> None:
        self.days, self.source, self.fetched = days, source, 0

    def search(self, _time: Any, instrument: Any, satellite: Any, resolution: Any) -> Any:
        assert (instrument.value, resolution.value) == ("XRS", "avg1m")
        days = self.days.get(int(satellite.value), 0)
        return SimpleNamespace(file_num=days, satellite=int(satellite.value))

    def fetch(self, found: Any, path: str, **_options: Any) -> Any:
        for day in range(found.file_num):
            target = Path(path.format(file=f"g{found.satellite}_{day}.nc"))
            if not target.exists():
                self.fetched += 1
                shutil.copy(self.source, target)
                if self.fetched == 1:
                    target.write_bytes(target.read_bytes()[:1000])
        return SimpleNamespace(errors=[])


@pytest.fixture
def fido(
    make_netcdf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[int, int]], _Fido]:
    import sunpy.net

    def serve(days: dict[int, int]) -> _Fido:
        source = make_netcdf(15, "d20120712", "2012-07-12", np.full(5, 1e-6))
        server = _Fido(days, source)
        monkeypatch.setattr(sunpy.net, "Fido", server)
        return server

    return serve


def test_the_first_satellite_with_enough_days_is_taken(
    fido: Callable[[dict[int, int]], _Fido], tmp_path: Path
) -> None:
    server = fido({15: 3, 14: 340, 13: 366})
    retrieval.fetch_xrs(2012, [15, 14, 13], tmp_path / "xrs_2012")
    names = {path.name.split("_")[0] for path in (tmp_path / "xrs_2012").iterdir()}
    assert names == {"g14"}
    assert len(list((tmp_path / "xrs_2012").iterdir())) == 340
    assert server.fetched == 341, "only the broken file is fetched again"
    assert not (tmp_path / "xrs_2012.fetched").exists()


def test_else_the_satellite_with_the_most_days(
    fido: Callable[[dict[int, int]], _Fido], tmp_path: Path
) -> None:
    fido({15: 3, 14: 5})
    retrieval.fetch_xrs(2012, [15, 14], tmp_path / "xrs_2012")
    assert len(list((tmp_path / "xrs_2012").glob("g14_*.nc"))) == 5


def test_a_year_that_no_satellite_serves(
    fido: Callable[[dict[int, int]], _Fido], tmp_path: Path
) -> None:
    fido({})
    with pytest.raises(InputError, match="no XRS files of 1970 from GOES-15, GOES-14"):
        retrieval.fetch_xrs(1970, [15, 14], tmp_path / "xrs_1970")
