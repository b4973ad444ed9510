"""Raw inputs from the network: GOES XRS through Fido, flares through sunpy's HEK client.

Servers are asked retry, what came is looked at before it counts, and what was fetched is
kept for the next run.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import itertools
import json
import logging
import shutil
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_directory, read_json, write_json, write_text
from heliosynth.sources.manifest import fetched, write_manifest
from heliosynth.sources.retry import retry
from heliosynth.sources.signature import require_signature

SEARCH_LIMIT_S = 600.0
"""Time limit for listing a year of daily files."""
HEK_LIMIT_S = 120.0
"""Time limit for a page of flares."""
ENOUGH_OF_A_YEAR = 0.9
"""Share of a year's days that a satellite must serve to be taken at once."""

_log = logging.getLogger(__name__)


def fetch_xrs(year: int, satellites: Sequence[int], output: Path | str) -> None:
    """Fetch a year of science-quality 1-minute XRS files of one satellite.

    The first satellite that serves nine days of ten is taken, else the one that serves most.
    Files are gathered beside the output, which appears whole when all of them are there,
    with its manifest beside it.

    Parameters
    ----------
    satellites
        GOES numbers in order of preference.
    output
        Folder for the daily netCDF files.

    Raises
    ------
    InputError
        If no satellite serves the year, or the server does not answer.
    """
    final = Path(output)
    gathered = final.parent / f"{final.name}.fetched"
    satellite, found = _preferred(year, satellites)
    folder = gathered / f"goes{satellite:02d}"
    what = f"GOES-{satellite} XRS files of {year}"
    files = retry(functools.partial(_download, found, folder), what)
    urls = {row["url"].rpartition("/")[2]: row["url"] for table in found for row in table}
    with atomic_directory(final) as unfinished:
        for path in files:
            path.rename(unfinished / path.name)
    write_manifest(
        final, (fetched(final / path.name, urls[path.name], final.parent) for path in files)
    )
    shutil.rmtree(gathered)


def fetch_flares(year: int, output: Path | str, url: str | None = None) -> None:
    """Fetch a year of SWPC flares from HEK, month by month, each event once.

    Months are asked for with a day on either side, since the service leaves out events that
    reach over the ends of the span. Every page is kept in a folder
    named after the output, and named in the manifest.

    Parameters
    ----------
    output
        JSON file, ``{"result": [...]}`` as HEK answers.
    url
        Address of the service; None is sunpy's.

    Raises
    ------
    InputError
        If the service does not answer, or knows no flare of that year.
    """
    final = Path(output)
    events: dict[str, Any] = {}
    pages: dict[Path, str] = {}
    for month in tqdm(range(1, 13), desc=f"HEK flares {year}", mininterval=2):
        query, seen = _flare_query(year, month, url), set[str]()
        for page in itertools.count(1):
            kept = final.with_suffix("") / f"{year}-{month:02d}_{page:02d}.json"
            address = pages[kept] = f"{query}&page={page}"
            if not kept.exists():
                what = f"HEK flares of {year}-{month:02d}, page {page}"
                write_text(kept, retry(functools.partial(_hek_page, address), what))
            answer = read_json(kept)
            found = {str(event.get("kb_archivid") or event): event for event in answer["result"]}
            events |= found
            # The service can promise more pages for ever and repeat the last.
            if not answer.get("overmax") or found.keys() <= seen:
                break
            seen |= found.keys()
    if not events:
        raise InputError(f"HEK knows no SWPC flare of {year}; check the year")
    write_json(final, {"result": list(events.values())})
    write_manifest(final, (fetched(kept, url, final.parent) for kept, url in pages.items()))


def _preferred(year: int, satellites: Sequence[int]) -> tuple[int, Any]:
    days = 366 if calendar.isleap(year) else 365
    best: tuple[int, int, Any] = (0, 0, None)
    for satellite in satellites:
        what = f"list of GOES-{satellite} XRS files of {year}"
        found = retry(functools.partial(_search_xrs, year, satellite), what, SEARCH_LIMIT_S)
        if found.file_num > best[0]:
            best = (found.file_num, satellite, found)
        if best[0] >= ENOUGH_OF_A_YEAR * days:
            break
    if not best[0]:
        named = ", ".join(f"GOES-{number}" for number in satellites)
        raise InputError(f"no XRS files of {year} from {named}; name others in xrs_satellites")
    _log.info("GOES-%d serves %d of %d days of %d", best[1], best[0], days, year)
    return best[1], best[2]


def _search_xrs(year: int, satellite: int) -> Any:
    from sunpy.net import Fido
    from sunpy.net import attrs as a

    return Fido.search(
        a.Time(f"{year}-01-01 00:00", f"{year}-12-31 23:59"),
        a.Instrument("XRS"),
        a.goes.SatelliteNumber(satellite),
        a.Resolution("avg1m"),
    )


def _download(found: Any, folder: Path) -> list[Path]:
    """Download what is not there yet, and throw out what is no whole netCDF file."""
    from sunpy.net import Fido

    folder.mkdir(parents=True, exist_ok=True)
    _broken(folder)
    results = Fido.fetch(found, path=str(folder / "{file}"), overwrite=False, max_conn=4)
    broken = _broken(folder)
    if results.errors or broken:
        raise OSError(f"{len(results.errors)} files refused, {len(broken)} broken")
    return sorted(folder.glob("*.nc"))


def _broken(folder: Path) -> list[Path]:
    """Delete files that are no whole HDF5, so that they are fetched anew."""
    broken = [path for path in folder.iterdir() if path.is_file() and not _is_whole(path)]
    for path in broken:
        path.unlink()
    return broken


def _is_whole(path: Path) -> bool:
    try:
        require_signature(path, "netCDF")
        # HDF5 compares the length of a file with the one written in it.
        with h5py.File(path):
            return True
    except (InputError, OSError):
        return False


def _flare_query(year: int, month: int, url: str | None) -> str:
    """Give the address of a month of flares, less the page, as sunpy's client would ask."""
    from sunpy.net import attrs as a
    from sunpy.net.hek import HEKClient
    from sunpy.net.hek.attrs import walker

    day = datetime.timedelta(days=1)
    first = datetime.datetime(year, month, 1)
    last = datetime.datetime(year, month, calendar.monthrange(year, month)[1])
    wanted = a.Time(first - day, last + 2 * day) & a.hek.FL & (a.hek.FRM.Name == "SWPC")
    (terms,) = walker.create(wanted, {})
    # The service calls `op0` what sunpy's terms call `operator0`.
    terms = {key.replace("operator", "op"): value for key, value in terms.items()}
    client = HEKClient()
    return (url or client.url) + urllib.parse.urlencode({**client.default, **terms})


def _hek_page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=HEK_LIMIT_S) as answer:
        text = str(answer.read().decode("utf-8", errors="replace"))
    try:
        content = json.loads(text)
    except ValueError:
        raise OSError(f"an answer that is no JSON: {text[:60]!r}") from None
    if not isinstance(content, dict) or not isinstance(content.get("result"), list):
        raise OSError(f"an answer without a list of events: {text[:60]!r}")
    return text
