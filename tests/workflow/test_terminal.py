"""What a run prints: rules with progress, then its products, or its errors as the last lines."""

import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from heliosynth.workflow.terminal import INTERRUPTED, SNAKEMAKE_TERMINAL, install, report_interrupts

PRODUCTS = {"paper": "results/a/paper.pdf", "report": "results/a/report.zip"}
FAILED_COMMAND = "CalledProcessError in file a.smk, line 9:\nCommand 'python' {}."


class Run:
    """Snakemake's messages of a run, and the lines that a terminal shows of them."""

    def __init__(self, logger: logging.Logger, stream: io.StringIO) -> None:
        self.logger = logger
        self.stream = stream

    def log(self, event: LogEvent | None = None, message: str = "", **extra: Any) -> None:
        level = logging.ERROR if "ERROR" in str(event and event.name) else logging.INFO
        self.logger.log(level, message, extra={"event": event, **extra})

    def start(self, **counts: int) -> None:
        self.log(LogEvent.WORKFLOW_STARTED)
        self.log(message="Building DAG of jobs...")
        stats = {**counts, "total": sum(counts.values())}
        self.log(LogEvent.RUN_INFO, stats=stats)

    def begin(self, jobid: int, rule: str, *wildcards: str, log: Path | str = "a.log") -> None:
        named = {str(i): value for i, value in enumerate(wildcards)}
        self.log(LogEvent.JOB_INFO, jobid=jobid, rule_name=rule, wildcards=named, log=[str(log)])

    def finish(self, jobid: int) -> None:
        self.log(LogEvent.JOB_FINISHED, job_id=jobid)

    def fail(self, jobid: int, status: str = "", message: str = "", indent: bool = False) -> None:
        if status:
            text = FAILED_COMMAND.format(status)
            self.log(LogEvent.ERROR, text, exception="RuleException")
        self.log(LogEvent.JOB_ERROR, jobid=jobid, rule_msg=message, indent=indent)

    def end(self) -> list[str]:
        for handler in list(self.logger.handlers):
            self.logger.removeHandler(handler)
            handler.close()
        return self.lines

    @property
    def lines(self) -> list[str]:
        """The lines so far, without the time."""
        return [re.sub(r"^\d:\d\d:\d\d +", "", line) for line in self.stream.getvalue().split("\n")]


@pytest.fixture
def make_run() -> Iterator[Callable[..., Run]]:
    """Start a run with some targets and settings of Snakemake's output."""
    hook = sys.excepthook
    logger = logging.Logger("snakemake")

    def make(
        targets: tuple[str, ...] = (),
        until: tuple[str, ...] = (),
        traceback: bool = False,
        **settings: Any,
    ) -> Run:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.name = SNAKEMAKE_TERMINAL
        logger.addHandler(handler)
        defaults = dict.fromkeys(("dryrun", "quiet", "verbose", "printshellcmds", "debug_dag"))
        workflow = SimpleNamespace(
            output_settings=SimpleNamespace(**{**defaults, **settings}),
            is_main_process=True,
            dag_settings=SimpleNamespace(targets=targets, until=until, omit_from=()),
        )
        install(logger, workflow, products=lambda: PRODUCTS, show_traceback=traceback)
        return Run(logger, stream)

    yield make
    sys.excepthook = hook
    for handler in logger.handlers:
        handler.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


def test_a_run_prints_its_rules_and_then_its_products(make_run) -> None:
    run = make_run()
    run.start(figure=2, train=1)
    run.begin(1, "train", "cevae")
    run.finish(1)
    for jobid, name in ((2, "unet"), (3, "coverage")):
        run.begin(jobid, "figure", name)
        run.finish(jobid)
    assert run.end() == [
        "3 jobs; Snakemake's log: none",
        "0/3  train cevae …",
        "1/3  train cevae: 0:00:00",
        "3/3  figure (2 jobs)",
        "paper:  results/a/paper.pdf",
        "report: results/a/report.zip",
        "",
    ]


@pytest.mark.parametrize("goal", [{"targets": ("figures",)}, {"until": ("labels",)}])
def test_a_run_of_some_targets_prints_no_products(make_run, goal) -> None:
    run = make_run(**goal)
    run.start(figure=1)
    run.begin(1, "figure", "unet")
    run.finish(1)
    assert run.end()[-2:] == ["1/1  figure unet", ""]


def test_a_run_with_nothing_to_do_says_so(make_run) -> None:
    run = make_run()
    run.log(LogEvent.WORKFLOW_STARTED)
    run.log(message="Nothing to be done (all requested files are present and up to date).")
    assert run.end()[0].startswith("Nothing to be done")
    assert run.lines[-2] == "report: results/a/report.zip"


def test_the_error_of_a_job_is_the_last_line(make_run, log: Path) -> None:
    run = make_run()
    run.start(labels=1, xrs=1)
    run.begin(1, "labels", log=log)
    run.begin(2, "xrs")
    log.write_text("Traceback (most recent call last)\n  file\nerror: flares.csv: not found\n")
    run.fail(1, "returned non-zero exit status 1")
    run.finish(2)
    run.log(LogEvent.ERROR, "Exiting because a job execution failed. Look above", exception="")
    message = "WorkflowError:\nAt least one job did not complete successfully."
    run.log(LogEvent.ERROR, message, exception="WorkflowError")
    assert run.end() == [
        "2 jobs; Snakemake's log: none",
        f"0/2  labels failed; log: {log}",
        "1/2  xrs",
        "error: flares.csv: not found",
        "",
    ]


def test_the_traceback_is_printed_on_request(make_run, log: Path) -> None:
    run = make_run(traceback=True)
    run.start(labels=1)
    run.begin(1, "labels", log=log)
    log.write_text("reading\nTraceback (most recent call last)\n  file\nerror: internal error in a")
    run.fail(1)
    assert run.end()[-5:] == [
        "Traceback (most recent call last)",
        "  file",
        "error: internal error in a",
        f"error: internal error in a; the traceback is in {log}",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("", "died with <Signals.SIGKILL: 9>", "train cevae was killed, which often means"),
        ("50%", "returned non-zero exit status 137", "train cevae was killed, which often means"),
        ("", "returned non-zero exit status 2", "failed: returned non-zero exit status 2;"),
        ("train.py: error: no such option", "returned non-zero exit status 2", "no such option;"),
        ("50% [1.0it/s]error: disk full", "returned non-zero exit status 1", "error: disk full"),
    ],
)
def test_a_job_without_an_error_line_is_explained(
    make_run, log: Path, text: str, status: str, expected: str
) -> None:
    run = make_run()
    run.start(train=1)
    run.begin(1, "train", "cevae", log=log)
    log.write_text(text)
    run.fail(1, status)
    last = run.end()[-2]
    assert last.startswith("error: ")
    assert expected in last


def test_the_log_of_an_earlier_run_explains_nothing(make_run, log: Path) -> None:
    log.write_text("error: of last week\n")
    week_ago = time.time() - 7 * 86400
    os.utime(log, (week_ago, week_ago))
    run = make_run()
    run.start(train=1)
    run.begin(1, "train", log=log)
    run.fail(1, message="SLURM-job '7' failed")
    assert run.end()[-2] == f"error: train failed: SLURM-job '7' failed; see {log}"


def test_an_attempt_that_succeeds_makes_up_for_a_failed_one(make_run, log: Path) -> None:
    run = make_run()
    run.start(train=1)
    run.begin(1, "train", "cevae", log=log)
    log.write_text("time is up after 3 of 9 images\n")
    run.fail(1)
    run.begin(1, "train", "cevae", log=log)
    run.finish(1)
    assert run.end()[-2] == "report: results/a/report.zip"
    assert f"0/1  train cevae failed; log: {log}" in run.lines


@pytest.mark.parametrize("text", ["error: no flares\n", "reading\n"])
def test_the_failed_job_of_a_group_is_found_by_its_log(make_run, log: Path, text: str) -> None:
    run = make_run()
    run.start(labels=1, xrs=1)
    run.begin(1, "labels", log=log)
    run.begin(2, "xrs", log=log.with_name("missing.log"))
    log.write_text(text)
    members = [{"jobid": 2}, {"jobid": 1}]
    run.log(
        LogEvent.GROUP_ERROR, groupid="observations", aux_logs=["7.log"], job_error_info=members
    )
    run.fail(2, indent=True)
    run.fail(1, indent=True)
    if text.startswith("error"):
        expected = [f"0/2  labels failed; log: {log}", "error: no flares"]
    else:
        message = "error: group observations failed without a message; see 7.log"
        expected = ["0/2  group observations failed; log: 7.log", message]
    assert run.end()[1:] == [*expected, ""]


def test_a_job_on_a_cluster_prints_the_log_of_a_failure() -> None:
    logger = logging.Logger("snakemake")
    handler = logging.StreamHandler(io.StringIO())
    handler.name = SNAKEMAKE_TERMINAL
    handler.setFormatter(DefaultFormatter())
    logger.addHandler(handler)
    hook = sys.excepthook
    workflow = SimpleNamespace(is_main_process=False)
    install(logger, workflow, products=lambda: PRODUCTS, show_traceback=False)
    sys.excepthook = hook
    assert logger.handlers == [handler]
    assert handler.formatter.show_failed_logs


@pytest.mark.parametrize("text", ["interrupted\n", "KeyboardInterrupt\n", ""])
def test_an_interrupt_is_one_line(make_run, log: Path, text: str) -> None:
    run = make_run()
    run.start(train=1)
    run.begin(1, "train", "cevae", log=log)
    log.write_text(text)
    run.fail(1, "returned non-zero exit status 130")
    run.log(message="Terminating processes on user request, this might take some time.")
    message = "WorkflowError:\nAt least one job did not complete successfully."
    run.log(LogEvent.ERROR, message, exception="WorkflowError")
    assert run.end()[1:] == ["0/1  train cevae …", INTERRUPTED, ""]


def test_an_interrupt_of_snakemake_has_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    report_interrupts()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_errors_of_snakemake_itself_are_printed(make_run) -> None:
    run = make_run()
    run.start(train=1)
    run.begin(1, "train")
    run.log(LogEvent.ERROR, "Job completed, but outputs missing", exception="MissingOutput")
    message = "WorkflowError:\nAt least one job did not complete successfully."
    run.log(LogEvent.ERROR, message, exception="WorkflowError")
    assert run.end()[-4:-1] == ["Job completed, but outputs missing", *message.split("\n")]


@pytest.mark.parametrize("setting", ["dryrun", "verbose", "printshellcmds", "quiet"])
def test_snakemakes_own_output_stays_on_request(make_run, setting: str) -> None:
    run = make_run(**{setting: True})
    run.start(train=1)
    assert "Building DAG of jobs..." in run.lines
