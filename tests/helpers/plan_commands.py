"""Snakemake commands, run one after the other by forks of one process.

``python plan_commands.py CALLS RESULTS`` reads a JSON list of ``{"arguments", "folder", "log"}``,
runs each in its folder with its output in its log, and writes the list of their exit statuses.
It must be started in a copy of the project. What takes seconds for each command is done once here,
before the forks: loading Snakemake and what the Snakefile imports, and parsing the code.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import yaml
from snakemake import cli, workflow  # noqa: F401

from heliosynth.config.loading import resolve
from heliosynth.workflow import preflight, terminal  # noqa: F401
from heliosynth.workflow.fingerprint import fingerprint
from heliosynth.workflow.plan import Plan


def prepare() -> None:
    """Fill the caches that all commands share."""
    Plan(resolve(yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))))
    for script in Path("workflow/scripts").glob("*.py"):
        fingerprint(script)


def run(call: dict[str, Any]) -> int:
    """Run one call in a fork of this process and return its exit status."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    status = 1
    try:
        os.chdir(call["folder"])
        log = os.open(call["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.argv = ["snakemake", *call["arguments"]]
        cli.main(call["arguments"])
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    calls, results = map(Path, sys.argv[1:])
    prepare()
    statuses = [run(call) for call in json.loads(calls.read_text(encoding="utf-8"))]
    results.write_text(json.dumps(statuses), encoding="utf-8")
