"""Download of raw inputs: GOES XRS through Fido, flares through sunpy's HEK client.

Requests are retried, responses are checked, and fetched files are kept for the next attempt.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import itertools
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
from heliosynth.io.durable import make_folder, sync_file, sync_folder
from heliosynth.io.files import atomic_directory, read_json_product, write_json, write_text
from heliosynth.sources.hek_files import parse_page
from heliosynth.sources.manifest import describe, write_manifest
from heliosynth.sources.retry import retry
from heliosynth.sources.signature import require_signature
from heliosynth.sources.text_files import decode, read_text

SEARCH_LIMIT_S = 600.0
"""Time limit for listing a year of daily files."""
HEK_LIMIT_S = 120.0
"""Time limit for a page of flares."""
BATCH = 31
"""Daily files to fetch before they are synced and listed as complete."""
COMPLETE_LIST = "complete.json"
SUFFICIENT_SHARE = 0.9
"""Share of a year's days from which on a satellite is chosen without searching later ones."""

_log = logging.getLogger(__name__)


def fetch_xrs(year: int, satellites: Sequence[int], output: Path | str) -> None:
    """Fetch a year of science-quality 1-minute XRS files of one satellite.

    The first satellite with data of :data:`SUFFICIENT_SHARE` of the days is chosen, else the one
    with data of most days. Files are downloaded into a folder next to the output, which appears
    atomically when all files are complete, with its manifest next to it.

    Parameters
    ----------
    year
        The year, UTC.
    satellites
        GOES numbers in order of preference.
    output
        Folder for the daily netCDF files.

    Raises
    ------
    InputError
        If no satellite has data of the year, or the server does not answer.
    """
    final = Path(output)
    downloads = final.parent / f"{final.name}.fetched"
    satellite, results = _choose_satellite(year, satellites)
    folder = downloads / f"goes{satellite:02d}"
    what = f"GOES-{satellite} XRS files of {year}"
    files = retry(functools.partial(_download, results, folder), what)
    urls = {row["url"].rpartition("/")[2]: row["url"] for table in results for row in table}
    with atomic_directory(final) as unfinished:
        for path in files:
            path.rename(unfinished / path.name)
    write_manifest(
        final, (describe(final / path.name, urls[path.name], final.parent) for path in files)
    )
    shutil.rmtree(downloads)


def fetch_flares(year: int, output: Path | str, url: str | None = None) -> None:
    """Fetch a year of SWPC flares from HEK, month by month, each event once.

    A day is added at both ends of a month, since the service leaves out events that extend
    beyond the requested time. Every page is kept in a folder named after the output, and
    listed in the manifest.

    Parameters
    ----------
    year
        The year, UTC.
    output
        JSON file, ``{"result": [...]}`` like the responses of HEK.
    url
        URL of the service; None is sunpy's.

    Raises
    ------
    InputError
        If the service does not answer, or has no flare of that year.
    """
    final = Path(output)
    events: dict[str, Any] = {}
    pages: dict[Path, str] = {}
    for month in tqdm(range(1, 13), desc=f"HEK flares {year}", mininterval=2):
        query, seen = _flare_query(year, month, url), set[str]()
        for page in itertools.count(1):
            path = final.with_suffix("") / f"{year}-{month:02d}_{page:02d}.json"
            pages[path] = f"{query}&page={page}"
            if not path.exists():
                what = f"HEK flares of {year}-{month:02d}, page {page}"
                write_text(path, retry(functools.partial(_hek_page, pages[path]), what))
            answer, more = _read_page(path)
            on_page = {str(event.get("kb_archivid") or event): event for event in answer}
            events |= on_page
            # The service can announce further pages endlessly, and repeat the last one.
            if not more or on_page.keys() <= seen:
                break
            seen |= on_page.keys()
    if not events:
        raise InputError(f"HEK has no SWPC flare of {year}; check the year")
    write_json(final, {"result": list(events.values())})
    write_manifest(final, (describe(path, url, final.parent) for path, url in pages.items()))


def _choose_satellite(year: int, satellites: Sequence[int]) -> tuple[int, Any]:
    """Return the number of a satellite and Fido's results for its files of a year."""
    days = 366 if calendar.isleap(year) else 365
    chosen, best, most_files = 0, None, 0
    for satellite in satellites:
        what = f"list of GOES-{satellite} XRS files of {year}"
        results = retry(functools.partial(_search_xrs, year, satellite), what, SEARCH_LIMIT_S)
        if results.file_num > most_files:
            chosen, best, most_files = satellite, results, results.file_num
        if most_files >= SUFFICIENT_SHARE * days:
            break
    if not most_files:
        names = ", ".join(f"GOES-{number}" for number in satellites)
        raise InputError(f"no XRS files of {year} from {names}; name others in xrs_satellites")
    _log.info("GOES-%d has data of %d of %d days of %d", chosen, most_files, days, year)
    return chosen, best


def _search_xrs(year: int, satellite: int) -> Any:
    from sunpy.net import Fido
    from sunpy.net import attrs as a

    return Fido.search(
        a.Time(f"{year}-01-01 00:00", f"{year}-12-31 23:59"),
        a.Instrument("XRS"),
        a.goes.SatelliteNumber(satellite),
        a.Resolution("avg1m"),
    )


def _download(results: Any, folder: Path) -> list[Path]:
    """Download the files that the folder lacks, and return all of them.

    Files are listed when they are on the disk, and only those are kept for the next attempt: what
    a power cut leaves of others can look complete.

    Raises
    ------
    OSError
        If a file was not served, or is not a complete netCDF file.
    """
    from sunpy.net import Fido

    complete = make_folder(folder) / COMPLETE_LIST
    kept = set(read_json_product(complete)) if complete.exists() else set()
    for path in _netcdf_files(folder):
        if path.name not in kept:
            path.unlink()
    errors = incomplete = 0
    for table in results:
        for first in range(0, len(table), BATCH):
            batch, target = table[first : first + BATCH], str(folder / "{file}")
            served = Fido.fetch(batch, path=target, overwrite=False, max_conn=4)
            errors += len(served.errors)
            incomplete += _delete_incomplete(folder)
            for path in _netcdf_files(folder):
                if path.name not in kept:
                    sync_file(path)
            sync_folder(folder)
            kept = {path.name for path in _netcdf_files(folder)}
            write_json(complete, sorted(kept))
    if errors or incomplete:
        raise OSError(f"{errors} files not served, {incomplete} incomplete")
    return _netcdf_files(folder)


def _netcdf_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.nc"))


def _delete_incomplete(folder: Path) -> int:
    """Delete files that are not complete HDF5, so that they are fetched again; return how many."""
    incomplete = [path for path in _netcdf_files(folder) if not _is_complete(path)]
    for path in incomplete:
        path.unlink()
    return len(incomplete)


def _is_complete(path: Path) -> bool:
    try:
        require_signature(path, "netCDF")
        # HDF5 compares the length of a file with the one written in it.
        h5py.File(path).close()
    except (InputError, OSError):
        return False
    return True


def _flare_query(year: int, month: int, url: str | None) -> str:
    """Return the URL of a month of flares without the page number, as sunpy's client builds it."""
    from sunpy.net import attrs as a
    from sunpy.net.hek import HEKClient
    from sunpy.net.hek.attrs import walker

    day = datetime.timedelta(days=1)
    first = datetime.datetime(year, month, 1)
    last = datetime.datetime(year, month, calendar.monthrange(year, month)[1])
    attributes = a.Time(first - day, last + 2 * day) & a.hek.FL & (a.hek.FRM.Name == "SWPC")
    (terms,) = walker.create(attributes, {})
    # The service calls `op0` what sunpy's terms call `operator0`.
    terms = {key.replace("operator", "op"): value for key, value in terms.items()}
    client = HEKClient()
    return (url or client.url) + urllib.parse.urlencode({**client.default, **terms})


def _hek_page(url: str) -> str:
    """Return the text of a page of events, after checking that it is one.

    Raises
    ------
    OSError
        If the service does not answer, or not with a page of events.
    """
    with urllib.request.urlopen(url, timeout=HEK_LIMIT_S) as answer:
        text = decode(answer.read())
    try:
        _parse_answer(text)
    except ValueError as error:
        raise OSError(f"a wrong answer, {error}: {text[:60]!r}") from error
    return text


def _read_page(path: Path) -> tuple[list[dict[str, Any]], bool]:
    """Return the events of a page that was fetched earlier, and whether there are more.

    Raises
    ------
    InputError
        If it is no longer a page of events.
    """
    try:
        return _parse_answer(read_text(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}; delete it and rerun") from error


def _parse_answer(text: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the events of an answer of the service, and whether there are more.

    Raises
    ------
    ValueError
        If it is no page of events; a list alone does not say whether there are more.
    """
    if not text.lstrip().startswith("{"):
        raise ValueError("not a page of events")
    return parse_page(text)
