"""Why a job failed, as its log tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

INTERNAL = "error: internal error"
"""How :mod:`heliosynth.jobs.entry_point` begins to report what is not the user's fault."""
ERROR = re.compile(r"(?:^|\] ?)(error: .+)$", re.MULTILINE)
"""The line that a script ends with; a progress bar, which ends with a bracket, may precede it."""
STATUS = re.compile(r"(returned non-zero exit status \d+|died with .*?>)\.?$", re.MULTILINE)
KILLED = re.compile(r"SIGKILL|status 137\b")
INTERRUPTED = re.compile(r"SIGINT|status 130\b")
CLOCK_S = 60.0
"""How far the clocks of a file system and of this machine may differ."""


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Attributes
    ----------
    label
        The rule and its wildcards.
    log
        Its log.
    message
        One line that starts with ``error:``.
    traceback
        What the job wrote from its first traceback on; may be empty.
    is_explained
        Whether the job itself wrote why it failed.
    is_interrupt
        Whether it was interrupted.
    """

    label: str
    log: Path | str | None
    message: str
    traceback: str = ""
    is_explained: bool = True
    is_interrupt: bool = False


def read_failure(label: str, log: Path | None, start: float, reason: str) -> Failure:
    """Find out why a job failed.

    Parameters
    ----------
    label
        The rule and its wildcards.
    log
        The log of the job, if it has one.
    start
        When the job started, s since 1970; what was written before is of another run.
    reason
        What Snakemake says about it; may be empty.
    """
    text = _read(log, start)
    lines = [line for line in text.splitlines() if line.strip()]
    traceback = (
        text[text.find("Traceback (most recent call last)") :] if "Traceback" in text else ""
    )
    errors = ERROR.findall(text)
    if errors:
        where = f"; the traceback is in {log}" if errors[-1].startswith(INTERNAL) else ""
        return Failure(label, log, f"{errors[-1]}{where}", traceback)
    if INTERRUPTED.search(reason) or (lines and lines[-1] in ("interrupted", "KeyboardInterrupt")):
        return Failure(label, log, f"error: {label}: interrupted", is_interrupt=True)
    statuses = STATUS.findall(reason)
    if KILLED.search(reason):
        reason = "was killed, which often means that memory ran out"
    elif lines:
        reason = f"failed: {lines[-1]}"
    else:
        reason = f"failed: {statuses[-1] if statuses else ' '.join(reason.split())}"
    return Failure(label, log, f"error: {label} {reason}; see {log}", traceback, is_explained=False)


def _read(log: Path | None, start: float) -> str:
    """Return the text of a log; empty if it cannot be read, or was not written since."""
    try:
        if log is None or log.stat().st_mtime < start - CLOCK_S:
            return ""
        return log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n")
    except OSError:
        return ""
