"""Snakemake's copies of the Snakefile and the rules, deleted when they are out of date.

Snakemake reads both from a cache. Its default place is the user's home; in the project
(``runtime-source-cache-path`` of the profiles) it outlives the run, and Snakemake never compares
a copy with its source: an edited rule would not be seen.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from heliosynth.errors import InputError

LOCAL = "file"
"""Folder of the cache with copies of local files, each below its absolute path."""
RESTARTED = "HELIOSYNTH_RULES_REFRESHED"
"""Environment variable of a Snakemake that was restarted with the new Snakefile."""


def refresh(cache: Path | str, snakefile: Path | str) -> None:
    """Delete copies that differ from their source; restart this process if that reads new rules.

    Parameters
    ----------
    cache
        Folder of Snakemake's source cache.
    snakefile
        The Snakefile, whose copy this process has read.

    Raises
    ------
    InputError
        If an outdated copy cannot be deleted.
    """
    outdated = delete_outdated(cache)
    if Path(snakefile).absolute() in outdated and RESTARTED not in os.environ:
        os.environ[RESTARTED] = "1"
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os.environ.pop(RESTARTED, None)


def delete_outdated(cache: Path | str) -> list[Path]:
    """Delete the copies that differ from their source; return the sources.

    Raises
    ------
    InputError
        If one cannot be deleted.
    """
    root = Path(cache) / LOCAL
    outdated = []
    for copy in root.rglob("*"):
        source = Path("/", copy.relative_to(root))
        if not copy.is_file() or _are_equal(copy, source):
            continue
        try:
            copy.unlink()
        except OSError as error:
            raise InputError(
                f"{copy}: an outdated copy of {source} that cannot be deleted "
                f"({error.strerror}); delete it"
            ) from error
        outdated.append(source)
    return outdated


def _are_equal(copy: Path, source: Path) -> bool:
    with contextlib.suppress(OSError):
        return copy.read_bytes() == source.read_bytes()
    return False
