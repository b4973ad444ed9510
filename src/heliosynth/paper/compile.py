"""Compilation of the paper with latexmk, in a temporary folder."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file, write_text
from heliosynth.jobs.environment import job_environment, make_home

SOURCES = "sources"
"""The folder of the paper, by its name in the folder where LaTeX runs."""
PRODUCTS = ("tables", "figures")
"""Folders of a run that LaTeX reads."""
TIME_LIMIT_S = 300
DISK_FULL_BYTES = 2**20
"""Free space below which a failure is attributed to a full disk."""
INSTALL = (
    "apt-get install --no-install-recommends latexmk texlive-latex-base "
    "texlive-latex-recommended texlive-science texlive-fonts-recommended lmodern"
)

_ERROR = re.compile(r"^(?:[^\s:][^:\n]*:\d+: .+|! .+)$", re.MULTILINE)


def compile_paper(paper: Path | str, results: Path | str, output: Path | str) -> None:
    """Compile ``main.tex`` with the figures, tables and macros of a run.

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
        If latexmk is missing, the disk is full, or LaTeX fails; then it holds the first error, and
        the log is next to the output.
    """
    program = shutil.which("latexmk")
    if program is None:
        raise InputError(f"latexmk is not installed; on Debian or Ubuntu: {INSTALL}")
    source, log = Path(paper).resolve() / "main.tex", Path(output).with_suffix(".log")
    if not source.exists():
        raise InputError(f"{source}: not found; --paper must name the folder of main.tex")
    command = [program, "-pdf", "-norc", "-interaction=nonstopmode", "-halt-on-error"]
    command += ["-file-line-error", "-quiet", f"{SOURCES}/{source.name}"]
    with atomic_file(output) as unfinished:
        build = unfinished.parent / "build"
        build.mkdir()
        # In the names of folders TeX interprets commas, colons, braces, dollars and tildes.
        (build / SOURCES).symlink_to(source.parent)
        for folder in PRODUCTS:
            (build / folder).symlink_to(Path(results).resolve() / folder)
        failed = _run(command, build, _environment())
        pdf, tex_log = build / "main.pdf", build / "main.log"
        text = tex_log.read_text(encoding="utf-8", errors="replace") if tex_log.exists() else failed
        if failed or not pdf.exists():
            # LaTeX reports a full disk as an error of another kind.
            if shutil.disk_usage(build).free < DISK_FULL_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write_text(log, text)
            raise InputError(f"the paper: {first_error(text)}; see {log}")
        pdf.rename(unfinished)
    # The log of an earlier failure; the paper is complete without its deletion.
    with contextlib.suppress(OSError):
        log.unlink()


def first_error(log: str) -> str:
    """Return the first error of a LaTeX log in one line."""
    error = _ERROR.search(log)
    return " ".join(error.group().split()) if error else "LaTeX failed without an error message"


def _environment() -> dict[str, str]:
    make_home()
    # The empty last entry stands for the files of the TeX distribution.
    inputs = [".", SOURCES, *PRODUCTS, ""]
    return {
        # Without the user's TEXMFHOME and the like.
        **job_environment(os.environ),
        "TEXINPUTS": os.pathsep.join(inputs),
        "BIBINPUTS": os.pathsep.join((SOURCES, "")),
        # LaTeX wraps the lines of its log, also those with errors, at this width.
        "max_print_line": "1000",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
    }


def _run(command: list[str], build: Path, environment: dict[str, str]) -> str:
    """Run LaTeX; return its output if it failed, else an empty text."""
    try:
        process = subprocess.run(
            command, cwd=build, env=environment, check=False, timeout=TIME_LIMIT_S,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"! LaTeX did not finish within {TIME_LIMIT_S} s."
    return (process.stdout + process.stderr or "failed") if process.returncode else ""
