"""Files of the Heliophysics Events Knowledgebase (HEK): JSON pages of events, and CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from heliosynth.errors import InputError
from heliosynth.sources.text_files import read_table, read_text

REQUIRED = ["event_peaktime", "fl_goescls"]
"""HEK columns without which a list of flares is none."""
PAGE = re.compile(
    r"(?P<list>.*?)(?:[-_. ]*page[-_. ]*|[-_. ]p|(?<=\d{4}-\d{2})_)(?P<page>\d+)", re.IGNORECASE
)
"""Names of the pages of a list, without suffix: ``2014-01_02``, ``2014-01_page2``."""


@dataclass(frozen=True)
class EventFile:
    """The events of a file.

    Attributes
    ----------
    path
        The file.
    events
        A row per event, in columns with HEK's names, of any type.
    decimal_comma
        Whether numbers can have a decimal comma.
    more
        Whether the file says that HEK has more events than the file (``overmax``).
    """

    path: Path
    events: pd.DataFrame
    decimal_comma: bool = False
    more: bool = False


def read_events(path: Path) -> EventFile:
    """Read a file of events: HEK JSON if its suffix is ``.json`` or it looks like it, else CSV.

    Raises
    ------
    InputError
        If the file cannot be read, or is no list of events. The message names the columns of
        another table.
    """
    text = read_text(path)
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        return _read_json(path, text)
    table = read_table(path)
    table.require(REQUIRED, "a flare list of HEK", "rename its columns, or fetch the list from HEK")
    return EventFile(path, table.columns.astype(object), table.delimiter != ",")


def parse_page(text: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the events of an answer of HEK, and whether there are more on further pages.

    Raises
    ------
    ValueError
        If the text is not JSON, or not a list of events. The message says which.
    """
    try:
        # HEK's texts contain line breaks, which strict JSON does not allow.
        content = json.loads(text, strict=False)
    # Deeply nested brackets exceed the recursion limit.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON ({error})") from error
    events = content.get("result") if isinstance(content, dict) else content
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("holds no list of events under `result`")
    more = content.get("overmax", False) if isinstance(content, dict) else False
    return events, str(more).strip().lower() in ("true", "1", "1.0")


def require_all_pages(files: Sequence[EventFile]) -> None:
    """Check that no file is a page of a longer list whose other pages are missing.

    The service can announce further pages endlessly, and repeat the last one: a list is also
    complete if its last page has no new event.

    Raises
    ------
    InputError
        If one is. The message says how to complete the list.
    """
    pages: dict[tuple[Path, str], dict[int, EventFile]] = {}
    for file in files:
        match = PAGE.fullmatch(file.path.stem)
        name, number = (match["list"], int(match["page"])) if match else (file.path.name, 1)
        pages.setdefault((file.path.parent, name), {})[number] = file
    for group in pages.values():
        for number, file in group.items():
            if not file.more or number + 1 in group:
                continue
            earlier = {key for n, page in group.items() if n < number for key in _keys(page)}
            if not earlier or not _keys(file) <= earlier:
                raise InputError(
                    f"{file.path}: a page of a longer list (`overmax` is true), whose page "
                    f"{number + 1} is missing; fetch it (&page={number + 1}) and save it as "
                    f"{_page_name(file.path, number + 1)}, or fetch shorter periods"
                )


def _page_name(path: Path, number: int) -> str:
    """Return the name of another page of a list."""
    match = PAGE.fullmatch(path.stem)
    if not match:
        return f"{path.stem}_page{number}{path.suffix} (and this one as {path.stem}_page1)"
    width = len(match["page"])
    return f"{path.stem[: match.start('page')]}{number:0{width}d}{path.suffix}"


def _keys(file: EventFile) -> set[str]:
    """Return what tells the events of a page apart."""
    events = file.events
    if "kb_archivid" in events and events["kb_archivid"].notna().all():
        return set(events["kb_archivid"].astype(str))
    return set(events.astype(str).apply("|".join, axis=1)) if len(events) else set()


def _read_json(path: Path, text: str) -> EventFile:
    if text.lstrip()[:1] not in ("{", "["):
        content = "a web page" if text.lstrip().startswith("<") else "something else"
        raise InputError(
            f"{path}: should be JSON but holds {content}; delete it and fetch it again"
        )
    try:
        events, more = parse_page(text)
    except ValueError as error:
        raise InputError(f"{path}: {error}; delete it and fetch it again") from error
    # A month without flares is an empty list, from which columns cannot be inferred.
    table = pd.DataFrame(events, columns=None if events else REQUIRED, dtype=object)
    table.columns = table.columns.astype(str).str.strip().str.lower()
    missing = [name for name in REQUIRED if name not in table]
    if "event_type" in table:
        # Events of other types, which are left out, do not have all columns of flares.
        table = table.reindex(columns=[*table.columns, *missing])
    elif missing:
        raise InputError(
            f"{path}: not a flare list of HEK: its events have no {' and no '.join(missing)}; "
            "fetch flares (event type FL) from HEK"
        )
    return EventFile(path, table, more=more)
