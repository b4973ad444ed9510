"""Compiling the paper: LaTeX runs in a folder of its own, and the sources stay clean."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file

TIME_LIMIT_S = 300
ROOM_BYTES = 2**20
"""Free bytes below which the disk is to blame for what fails."""
INSTALL = (
    "apt-get install --no-install-recommends latexmk texlive-latex-base "
    "texlive-latex-recommended texlive-science texlive-fonts-recommended lmodern"
)

_ERROR = re.compile(r"^(?:[^\s:][^:\n]*:\d+: .+|! .+)$", re.MULTILINE)


def compile_paper(paper: Path | str, results: Path | str, output: Path | str) -> None:
    """Compile ``main.tex`` with the figures, tables and numbers of a run.

    Parameters
    ----------
    paper
        Folder of ``main.tex`` and ``refs.bib``; nothing is written there.
    results
        Folder of the run, with ``figures/`` and ``tables/``.
    output
        The PDF to write.

    Raises
    ------
    InputError
        If latexmk is missing, the disk is full, or LaTeX fails: then with its first error, and
        the log beside the output.
    """
    program = shutil.which("latexmk")
    if program is None:
        raise InputError(f"latexmk is not installed; on Debian or Ubuntu: {INSTALL}")
    source, log = Path(paper).resolve() / "main.tex", Path(output).with_suffix(".log")
    if not source.exists():
        raise InputError(f"{source}: is not there; --paper must name the folder of main.tex")
    command = [program, "-pdf", "-norc", "-interaction=nonstopmode", "-halt-on-error"]
    command += ["-file-line-error", "-quiet", str(source)]
    with atomic_file(output) as unfinished:
        build = unfinished.parent / "build"
        build.mkdir()
        failed = _run(command, build, _environment(source.parent, Path(results).resolve()))
        made, written = build / "main.pdf", build / "main.log"
        text = written.read_text(encoding="utf-8", errors="replace") if written.exists() else failed
        if failed or not made.exists():
            # LaTeX says much of a full disk, but not that it is full.
            if shutil.disk_usage(build).free < ROOM_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            log.write_text(text, encoding="utf-8")
            raise InputError(f"the paper: {first_error(text)}; the whole log is {log}")
        made.rename(unfinished)
    log.unlink(missing_ok=True)


def first_error(log: str) -> str:
    """Give the first error of a LaTeX log in one line."""
    found = _ERROR.search(log)
    return " ".join(found.group().split()) if found else "LaTeX failed without naming an error"


def _environment(paper: Path, results: Path) -> dict[str, str]:
    # The empty last entry stands for the distribution's own files.
    inputs = [".", paper, results / "tables", results / "figures", ""]
    return {
        **os.environ,
        "TEXINPUTS": os.pathsep.join(map(str, inputs)),
        "BIBINPUTS": os.pathsep.join((str(paper), "")),
        # LaTeX breaks the lines of its log, and with them the errors in it, at this width.
        "max_print_line": "1000",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
    }


def _run(command: list[str], build: Path, environment: dict[str, str]) -> str:
    """Run LaTeX; give what it said if it failed, else nothing."""
    try:
        done = subprocess.run(
            command, cwd=build, env=environment, check=False, timeout=TIME_LIMIT_S,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"! LaTeX did not end within {TIME_LIMIT_S} s."
    return (done.stdout + done.stderr or "failed") if done.returncode else ""
