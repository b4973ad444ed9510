"""The terminal of a run: stages with progress, then the products or the errors.

Snakemake says about fifteen lines per job, and more after an error. :class:`Terminal` takes the
place of its handler on the terminal and prints a line per rule and per training. When a job fails,
the last thing it prints is the error that the job wrote to its log. Snakemake's own log file, dry
runs and options that ask for more (``--verbose``, ``--printshellcmds``) or less (``--quiet``)
stay as they are.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from heliosynth.workflow import job_log

LONG = "train"
"""The rule whose jobs take so long that the start and the end of each are printed."""
SNAKEMAKE_LOG = "DefaultLogFileHandler"
SNAKEMAKE_TERMINAL = "DefaultStreamHandler"
"""Names of Snakemake's own handlers."""
NOTHING_TO_DO = "Nothing to be done"
INTERRUPTED = "interrupted; the same command continues the run"
INTERRUPTS = ("Terminating processes on user request", "Will exit after finishing currently")
AFTER_FAILURES = (
    "Exiting because a job execution failed",
    "WorkflowError:\nAt least one job did not complete successfully",
)
"""How messages of Snakemake begin that have no event of their own."""


@dataclass(frozen=True)
class Job:
    """A job that has started, as Snakemake announced it."""

    rule: str
    label: str
    log: Path | None
    start: float

    @classmethod
    def of(cls, record: Any) -> Job:
        label = " ".join((record.rule_name, *map(str, record.wildcards.values())))
        log = Path(record.log[0]) if record.log else None
        return cls(record.rule_name, label, log, record.created)


class Terminal(logging.Handler):
    """Print what a person wants to know of a run.

    Parameters
    ----------
    default
        Snakemake's handler for the terminal; prints warnings and errors of Snakemake itself, and
        everything where no jobs run, as with ``--unlock``.
    products
        Returns the products to print at the end: paths by title.
    show_traceback
        Print the traceback from the log of a failed job, too.
    """

    def __init__(
        self,
        default: logging.StreamHandler[TextIO],
        products: Callable[[], Mapping[str, str]],
        show_traceback: bool = False,
    ) -> None:
        super().__init__()
        self.default = default
        self.products = products
        self.show_traceback = show_traceback
        self.start: float | None = None
        self.before_start: list[logging.LogRecord] = []
        self.jobs: dict[int, Job] = {}
        self.failures: dict[int, job_log.Failure] = {}
        self.reasons: dict[int | None, str] = {}
        self.left: Counter[str] = Counter()
        self.done = self.total = 0
        self.succeeded = self.interrupted = self.closed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, or remember it until the end, or leave it to Snakemake's log file."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)  # a run must not end because of what it prints

    def _show(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        if event == "workflow_started":
            self.start = record.created
            self.before_start.clear()
        elif self.start is None:
            self.before_start.append(record)
            if record.levelno >= logging.WARNING:
                self._flush_before_start()
        elif action := getattr(self, f"_on_{event}", None):
            action(record)
        else:
            self._on_message(record)

    def _on_run_info(self, record: Any) -> None:
        self.left = Counter(record.stats)
        self.total = self.left.pop("total")
        handlers = logging.getLogger(record.name).handlers
        logs = [h.baseFilename for h in handlers if h.name == SNAKEMAKE_LOG]  # type: ignore[attr-defined]
        self._print(f"{self.total} jobs; Snakemake's log: {', '.join(logs) or 'none'}")

    def _on_job_info(self, record: Any) -> None:
        job = Job.of(record)
        self.jobs[record.jobid] = job
        self.failures.pop(record.jobid, None)  # another attempt
        if job.rule == LONG:
            self._progress(f"{job.label} …")

    def _on_job_finished(self, record: Any) -> None:
        job = self.jobs.get(record.job_id)
        self.done += 1
        self.succeeded = self.done == self.total
        if job is None:
            return
        self.failures.pop(record.job_id, None)
        count = sum(other.rule == job.rule for other in self.jobs.values())
        self.left[job.rule] -= 1
        if job.rule == LONG:
            self._progress(f"{job.label}: {_duration(record.created - job.start)}")
        elif self.left[job.rule] <= 0 and job.log is not None:
            self._progress(f"{job.rule} ({count} jobs)" if count > 1 else job.label)

    def _on_job_error(self, record: Any) -> None:
        if record.indent:
            return  # one of a group, see below
        reason = record.rule_msg or self.reasons.pop(record.thread, "")
        self._fail(record.jobid, self._read_failure(record.jobid, reason))

    def _on_group_error(self, record: Any) -> None:
        # Snakemake does not say which job of the group failed.
        jobids = [info["jobid"] for info in record.job_error_info]
        failures = {jobid: self._read_failure(jobid) for jobid in jobids}
        explained = {jobid: f for jobid, f in failures.items() if f.is_explained}
        for jobid, failure in explained.items():
            self._fail(jobid, failure)
        if not explained:
            log = ", ".join(record.aux_logs)
            name = f"group {record.groupid}"
            message = f"error: {name} failed without a message; see {log}"
            self._fail(jobids[0], job_log.Failure(name, log, message))

    def _read_failure(self, jobid: int, reason: str = "") -> job_log.Failure:
        job = self.jobs[jobid]
        return job_log.read_failure(job.label, job.log, job.start, reason)

    def _fail(self, jobid: int, failure: job_log.Failure) -> None:
        if not failure.is_interrupt:
            self.failures[jobid] = failure
            self._progress(f"{failure.label} failed; log: {failure.log}")

    def _on_error(self, record: Any) -> None:
        if record.exception == "RuleException":  # Snakemake's account of a failed command
            self.reasons[record.thread] = record.getMessage()
        else:
            self._on_message(record)

    def _on_message(self, record: logging.LogRecord) -> None:
        message = str(record.msg)
        if message.startswith(NOTHING_TO_DO):
            self.succeeded = True
            self._print(message)
        elif message.startswith(INTERRUPTS):
            self.interrupted = True
        elif message.startswith(AFTER_FAILURES) and (self.failures or self.interrupted):
            pass
        elif record.levelno >= logging.WARNING:
            self.default.handle(record)

    def _flush_before_start(self) -> None:
        for record in self.before_start:
            self.default.handle(record)
        self.before_start.clear()

    def close(self) -> None:
        """Print the end of the run; Snakemake closes its handlers last of all."""
        if not self.closed:
            self.closed = True
            self._flush_before_start()
            self._print_end()
        self.default.close()
        super().close()

    def _print_end(self) -> None:
        for reason in self.reasons.values():
            if not self.interrupted:
                self._print(reason)
        if self.interrupted:
            self._print(INTERRUPTED)
            return
        if self.show_traceback:
            for failure in self.failures.values():
                self._print(failure.traceback.rstrip())
        for failure in self.failures.values():
            self._print(failure.message)
        if self.succeeded and not self.failures:
            products = self.products()
            for title, path in products.items():
                self._print(f"{title + ':':{max(map(len, products)) + 1}} {path}")

    def _progress(self, text: str) -> None:
        elapsed = _duration(time.time() - (self.start or time.time()))
        self._print(f"{elapsed}  {self.done:{len(str(self.total))}}/{self.total}  {text}")

    def _print(self, text: str) -> None:
        stream = self.default.stream
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except (OSError, ValueError):  # the terminal is gone
            self.handleError(logging.makeLogRecord({"msg": text}))


def _duration(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def install(
    logger: logging.Logger,
    workflow: Any,
    products: Callable[[], Mapping[str, str]],
    show_traceback: bool,
) -> None:
    """Put a :class:`Terminal` in the place of Snakemake's handler, where that is in use.

    Dry runs, and runs that were asked to say more or less, keep Snakemake's handler; so do jobs
    on a cluster, with the log of a job that failed. An interrupt is one line in any case.

    Parameters
    ----------
    logger, workflow
        Snakemake's.
    products
        Returns the products of a run that goes to the end: paths by title.
    show_traceback
        See :class:`Terminal`.
    """
    report_interrupts()
    handler = next((h for h in logger.handlers if h.name == SNAKEMAKE_TERMINAL), None)
    if not isinstance(handler, logging.StreamHandler):
        return
    if not workflow.is_main_process:
        # SLURM keeps what this prints of every attempt, the rule's log is of the last one only.
        handler.formatter.show_failed_logs = True  # type: ignore[union-attr]
        return
    settings = workflow.output_settings
    if settings.verbose or settings.printshellcmds or settings.debug_dag:
        return
    if settings.dryrun or settings.quiet:
        return

    def final_products() -> Mapping[str, str]:
        goals = workflow.dag_settings
        return {} if goals.targets or goals.until or goals.omit_from else products()

    logger.removeHandler(handler)
    logger.addHandler(Terminal(handler, final_products, show_traceback))


def report_interrupts() -> None:
    """Print one line when this process ends by an interrupt, in place of a traceback."""
    sys.excepthook = _excepthook


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print(INTERRUPTED, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)
