"""A server on this machine that serves a folder, as web or object store, and fails as told."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape


class FaultyServer:
    """Serves a folder over HTTP; asked as S3 is, it answers as S3 does, its folders as buckets.

    Attributes
    ----------
    url
        Its address, without a slash at the end.
    faults
        For a path, such as ``/a/b.nc``, what goes wrong with the requests for it, in order:
        a status, ``html`` (a web page under status 200), ``cut`` (half a body, announced
        whole) or ``stall`` (no answer before :attr:`stall_s`). The requests after them are
        served well.
    asked
        The paths that were asked for with GET.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: dict[str, list[str | int]] = defaultdict(list)
        self.asked: list[str] = []
        self.stall_s = 3.0
        self.url = ""

    def answer(self, request: http.server.BaseHTTPRequestHandler, body: bool) -> None:
        path, _, query = request.path.partition("?")
        if body:
            self.asked.append(path)
        fault = self.faults[path].pop(0) if body and self.faults[path] else None
        file = self.folder / path.lstrip("/")
        if isinstance(fault, int):
            request.send_error(fault)
            return
        if fault == "stall":
            time.sleep(self.stall_s)
            return
        listing = "list-type=2" in query
        if not listing and not file.exists():
            request.send_error(404)
            return
        content = _objects(file, query) if listing else _content(file)
        if fault == "html":
            content = b"<html>busy, come back later</html>"
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if body:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                request.wfile.write(content[: len(content) // 2] if fault == "cut" else content)


def _content(file: Path) -> bytes:
    """Give a file, or the list of a folder as a web server shows it."""
    if file.is_file():
        return file.read_bytes()
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in file.iterdir())
    return "".join(f'<a href="{name}">{name}</a><br>' for name in names).encode()


def _objects(bucket: Path, query: str) -> bytes:
    """List the objects of a bucket below a prefix, as S3's ListObjectsV2."""
    asked = parse_qs(query)
    prefix = asked.get("prefix", [""])[0]
    objects, folders = "", set()
    for path in sorted(bucket.rglob("*")):
        key = path.relative_to(bucket).as_posix()
        if path.is_dir() or not key.startswith(prefix):
            continue
        below, slash, _ = key.removeprefix(prefix).partition("/")
        if slash and "delimiter" in asked:
            folders.add(f"{prefix}{below}/")
        else:
            objects += (
                f"<Contents><Key>{escape(key)}</Key><Size>{path.stat().st_size}</Size>"
                "<LastModified>2012-01-01T00:00:00.000Z</LastModified></Contents>"
            )
    common = "".join(
        f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
        for name in sorted(folders)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>'
        f"<Name>{bucket.name}</Name>{objects}{common}</ListBucketResult>"
    ).encode()


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
        server.shutdown()
        server.server_close()
