"""A loopback server of a folder, over HTTP or as an object store, with faults on request."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

GOOGLE = re.compile(r"(?:/download)?/storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>[^/]+))?")
"""URL paths of Google Storage's JSON API: of a list of objects, or of one."""


class FaultyServer:
    """A folder over HTTP, which also answers the requests of S3 and Google Storage clients.

    The folders in it are the buckets.

    Attributes
    ----------
    url
        Its URL, without a slash at the end.
    faults
        By path, such as ``/a/b.nc``, the faults of the first requests for it, in order: a
        status, ``html`` (a web page under status 200), ``cut`` (half a body, with the length
        of the full one) or ``stall`` (no answer until the server closes). Later requests succeed.
    requested
        The paths that were requested with GET.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: dict[str, list[str | int]] = defaultdict(list)
        self.requested: list[str] = []
        self.closing = threading.Event()
        self.url = ""

    def answer(self, request: http.server.BaseHTTPRequestHandler, body: bool) -> None:
        path, _, query = request.path.partition("?")
        if body:
            self.requested.append(path)
        fault = self.faults[path].pop(0) if body and self.faults[path] else None
        google = GOOGLE.fullmatch(path)
        file = self.folder / (_object_path(google) if google else path.lstrip("/"))
        if isinstance(fault, int):
            request.send_error(fault)
            return
        if fault == "stall":
            self.closing.wait()
            return
        if google and not google["name"]:
            content = _google_objects(file, query)
        elif "list-type=2" in query:
            content = _objects(file, query)
        elif not file.exists():
            request.send_error(404)
            return
        else:
            content = _content(file)
        if fault == "html":
            content = b"<html>busy, come back later</html>"
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if body:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                request.wfile.write(content[: len(content) // 2] if fault == "cut" else content)


def _content(file: Path) -> bytes:
    """Return a file, or the listing of a folder as a web server shows it."""
    if file.is_file():
        return file.read_bytes()
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in file.iterdir())
    return "".join(f'<a href="{name}">{name}</a><br>' for name in names).encode()


def _object_path(google: re.Match[str]) -> str:
    return f"{google['bucket']}/{unquote(google['name'] or '')}"


def _below(bucket: Path, query: str) -> tuple[dict[str, int], list[str]]:
    """Return the objects of a bucket below a prefix, with their sizes, and the folders."""
    parameters = parse_qs(query)
    prefix = parameters.get("prefix", [""])[0]
    objects: dict[str, int] = {}
    folders = set()
    for path in sorted(bucket.rglob("*")):
        key = path.relative_to(bucket).as_posix()
        if path.is_dir() or not key.startswith(prefix):
            continue
        below, slash, _ = key.removeprefix(prefix).partition("/")
        if slash and "delimiter" in parameters:
            folders.add(f"{prefix}{below}/")
        else:
            objects[key] = path.stat().st_size
    return objects, sorted(folders)


def _objects(bucket: Path, query: str) -> bytes:
    """List a bucket as S3's ListObjectsV2 does."""
    objects, folders = _below(bucket, query)
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size>"
        "<LastModified>2012-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, size in objects.items()
    )
    common = "".join(
        f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>'
        f"<Name>{bucket.name}</Name>{contents}{common}</ListBucketResult>"
    ).encode()


def _google_objects(bucket: Path, query: str) -> bytes:
    """List a bucket as Google Storage's objects.list does."""
    objects, folders = _below(bucket, query)
    items = [
        {"name": key, "bucket": bucket.name, "size": str(size), "updated": "2012-01-01T00:00:00Z"}
        for key, size in objects.items()
    ]
    return json.dumps({"kind": "storage#objects", "items": items, "prefixes": folders}).encode()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[FaultyServer]:
    """Serve a folder until the block ends."""
    faulty = FaultyServer(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            faulty.answer(self, body=True)

        def do_HEAD(self) -> None:
            faulty.answer(self, body=False)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    faulty.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield faulty
    finally:
        faulty.closing.set()
        server.shutdown()
        server.server_close()
