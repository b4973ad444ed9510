"""Every command of the documentation works as it stands there, pasted into a shell.

Blocks and single commands run in bash, in a copy of the project with a small archive in each of
the folders that they name. `NOT_RUN` lists what is not executed in full, and why: Snakemake then
plans the run (``--dry-run``), make prints its commands, and Python parses the arguments.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliosynth.config.observations import SIMULATED_CHANNEL, SimulationConfig
from heliosynth.sources.simulated import simulate
from helpers import documentation
from helpers.project import ROOT, copy_project, environment

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("documentation")]

MINUTES = "takes minutes: planned only"
NETWORK = "needs a network and days: planned only"
CLUSTER = "needs a cluster, a network and GPUs: planned only"
INSTALLS = "installs packages from the network: make prints its commands"
TESTS = "the tests themselves: make prints its commands"
MEASURES = "measures for minutes, on a finished run: its arguments are parsed"

NOT_RUN: Mapping[str, str] = {
    "make .venv/ready": INSTALLS,
    "make bench": MEASURES,
    "make docs": "tests/docs/test_generate.py does what it runs: make prints its commands",
    "make figures": MINUTES,
    "make lint": "takes minutes: make prints its commands",
    "make paper": MINUTES,
    "make setup": INSTALLS,
    "make test": TESTS,
    "make test-robustness": TESTS,
    "make test-slurm": TESTS,
    "make verify": MINUTES,
    "python -m benchmarks.cost results/quickstart": MEASURES,
    "python -m benchmarks.dataset": MEASURES,
    "python -m benchmarks.evaluation": MEASURES,
    "python -m benchmarks.quality results/archive ddpm_discrete": MEASURES,
    "python -m benchmarks.syncs": MEASURES,
    "python -m benchmarks.training": MEASURES,
    "python -m docs.generate": "tests/docs/test_generate.py does what it runs",
    "python -m heliosynth.workflow": "is Snakemake, see `make paper`",
    "python -m pytest tests/evaluation/test_frechet.py": "these tests are part of the tests",
    "sbatch --gpus=1": "needs SLURM; Snakemake's plugin passes this option to it",
    "snakemake --cores 2": MINUTES,
    "snakemake --cores 2 --config run=2012 seed=7 -- results/2012/dataset/summary.json": MINUTES,
    "snakemake --cores 2 --resources gpu=1": MINUTES,
    "snakemake --cores 2 -- results/quickstart/dataset/summary.json": MINUTES,
    "snakemake --cores 2 --configfile tests/workflow/tiny.yaml": "the fixture `finished` runs it",
    "snakemake --cores 2 --configfile config/archive.yaml --config archive=PATH": MINUTES,
    "snakemake --cores 2 --configfile config/archive.yaml config/compare.yaml "
    "--config archive=PATH -- "
    "results/compare/metrics/{real,modern_preset,untuned,study_preset}.json": MINUTES,
    "snakemake --cores 4 --configfile config/mine.yaml --config archive=my_archive": MINUTES,
    "snakemake --cores 4 --configfile config/mine.yaml --config archive=my_archive -- "
    "results/archive/dataset/summary.json results/archive/figures/"
    "{coverage,class_montage,refused_frames,label_agreement}.png": MINUTES,
    "snakemake --profile profiles/slurm": CLUSTER,
    "snakemake --profile profiles/slurm --configfile config/paper.yaml": CLUSTER,
}
"""Commands of the documentation that are not executed in full, and why; all others are."""

COMMANDS = documentation.commands()
SCRIPTS = {
    block.place: block.text for block in documentation.blocks() if block.language == "bash"
} | {command.text: command.text for command in COMMANDS}
"""What is pasted: whole blocks, and every command by itself."""

ARCHIVES = ("PATH", "my_archive")
"""Folders of archives in the commands."""
OBSERVATION = SimulationConfig(
    start="2012-01-01", days=4, cadence_minutes=720, size_px=64, flares_per_day=6.0
)
"""What the archives hold: enough to plan a run."""
PARTS = ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml", "benchmarks")
RECORDED = "snakemake", "make", "python"
"""Programs in whose place the copy has one that notes how it was called."""
RECORDER = """#!/bin/bash
printf '%s\\x1f' {program} "$@" >> "$CALLS"
echo >> "$CALLS"
{then}
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a script: exit status and output, and its calls of recorded programs."""

    status: int
    output: str
    calls: list[list[str]]


def make_project(folder: Path) -> Path:
    """Copy the project, with archives and with recorders in its virtual environment."""
    copy_project(folder)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, folder / part)
    (folder / "tests/workflow").mkdir(parents=True)
    shutil.copy2(ROOT / "tests/workflow/tiny.yaml", folder / "tests/workflow")
    simulate(OBSERVATION, SIMULATED_CHANNEL, seed=0, output=folder / ARCHIVES[0])
    for name in ARCHIVES[1:]:
        shutil.copytree(folder / ARCHIVES[0], folder / name)
    venv.EnvBuilder(symlinks=True).create(folder / ".venv")
    make = shutil.which("make")
    for program in RECORDED:
        then = f'exec {make} --dry-run "$@"' if program == "make" else ""
        path = folder / ".venv/bin" / program
        path.unlink(missing_ok=True)
        path.write_text(RECORDER.format(program=program, then=then))
        path.chmod(0o755)
    return folder


def run_script(project: Path, script: str) -> Outcome:
    """Run a script in bash as if it was pasted."""
    calls = project / "calls.txt"
    calls.write_text("")
    folders = (str(project / ".venv/bin"), "/usr/bin", "/bin")
    variables = {**environment(project), "PATH": os.pathsep.join(folders), "CALLS": str(calls)}
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = calls.read_text().splitlines()
    return Outcome(
        done.returncode, done.stdout + done.stderr, [line.split("\x1f")[:-1] for line in lines]
    )


def plan(project: Path, calls: list[list[str]]) -> dict[str, tuple[int, str]]:
    """Let Snakemake plan each run; return exit status and output by the arguments as JSON."""
    unique = list({json.dumps(call): call for call in calls}.values())
    requests = [
        {
            "arguments": call if "--unlock" in call else [*_dry(call)],
            "folder": str(project),
            "log": str(project / f"plan{number}.txt"),
        }
        for number, call in enumerate(unique)
    ]
    (project / "calls.json").write_text(json.dumps(requests))
    variables = {**environment(project), "PYTHONPATH": str(project / "src")}
    script = ROOT / "tests/helpers/plan_commands.py"
    subprocess.run(
        [sys.executable, str(script), "calls.json", "statuses.json"],
        cwd=project,
        env=variables,
        check=True,
    )
    statuses = json.loads((project / "statuses.json").read_text())
    return {
        json.dumps(call): (status, Path(str(request["log"])).read_text())
        for call, request, status in zip(unique, requests, statuses, strict=True)
    }


def _dry(call: list[str]) -> list[str]:
    """Return the arguments of a command with ``--dry-run`` as the first."""
    return ["--dry-run", *call]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Run all scripts, then let Snakemake plan what they called it for."""
    project = make_project(tmp_path_factory.mktemp("documentation"))
    found = {name: run_script(project, script) for name, script in SCRIPTS.items() if pasted(name)}
    calls = [call[1:] for outcome in found.values() for call in outcome.calls if is_planned(call)]
    planned = plan(project, calls)
    for name, outcome in found.items():
        ends = [planned[json.dumps(call[1:])] for call in outcome.calls if is_planned(call)]
        failed = [output for status, output in ends if status]
        if failed:
            found[name] = Outcome(1, outcome.output + "\n".join(failed), outcome.calls)
    return found


def is_planned(call: list[str]) -> bool:
    return call[0] == "snakemake"


def pasted(name: str) -> bool:
    """Return whether a script is run: not what needs programs that only clusters have."""
    return not name.startswith("sbatch")


@pytest.mark.parametrize("name", [name for name in SCRIPTS if pasted(name)])
def test_a_command_works_when_pasted(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].status == 0, outcomes[name].output[-3000:]


def test_the_table_lists_what_is_not_run_in_full() -> None:
    recorded = {
        command.text
        for command in COMMANDS
        if command.text.split()[0] in (*RECORDED, "sbatch") and "--unlock" not in command.text
    }
    assert recorded - NOT_RUN.keys() == set(), "add a row to NOT_RUN with the reason"
    assert NOT_RUN.keys() - recorded == set(), "is in the documentation no longer"


@pytest.mark.parametrize(
    "command", [text for text in NOT_RUN if text.startswith("python -m benchmarks")]
)
def test_the_arguments_of_a_benchmark_are_valid(command: str) -> None:
    """The libraries that benchmarks import are not installed for the tests: read their code."""
    _, _, module, *arguments = command.split()
    path = ROOT / f"{module.replace('.', '/')}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert any(isinstance(n, ast.If) and "__main__" in ast.unparse(n.test) for n in tree.body)
    parser = argparse.ArgumentParser()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "parser.add_argument":
            options = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg == "nargs"}
            parser.add_argument(*map(ast.literal_eval, node.args), **options)
    parser.parse_args(arguments)


def test_the_single_test_file_exists() -> None:
    for command in NOT_RUN:
        if command.startswith("python -m pytest"):
            assert (ROOT / command.split()[-1]).is_file()


def test_a_wrong_command_is_noticed(tmp_path: Path) -> None:
    shutil.copy2(ROOT / "Makefile", tmp_path)
    assert run_script(tmp_path, "make no-such-target").status != 0
    assert run_script(tmp_path, "cp no-such-file config/").status != 0
