"""Text in a configuration or a file is never executed."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from helpers.project import HOME, PARTS, copy_project, run_snakemake

pytestmark = pytest.mark.robustness

ROOT = Path(__file__).resolve().parents[2]
PYTHON = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py"), ROOT / "Snakefile"]
EVIL = 'it\'s "seen"; touch executed; $(touch executed) `touch executed` {year} {input} & \\'
FOLDER = 'an arch\'ive "x"; touch executed; $(touch executed) `touch executed` &'


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        (r"torch\.load\((?:[^()]|\([^()]*\))*\)", "weights_only=True"),
        (r"\bimport pickle|\bfrom pickle|pickle\.loads?\(", None),
        (r"(?<![.\w])(?:eval|exec)\(", None),
        (r"np\.load\([^)]*allow_pickle=True", None),
        (r"yaml\.(?:load|full_load|unsafe_load)\([^()]*\)", "Loader=yaml.BaseLoader"),
        (r"shell=True|os\.system\(|os\.popen\(", None),
    ],
)
def test_no_reader_can_execute_a_file(call: str, allowed: str | None) -> None:
    calls = [
        f"{path.name}: {match.group()}"
        for path in PYTHON
        for match in re.finditer(call, path.read_text(encoding="utf-8"))
        if allowed is None or allowed not in match.group()
    ]
    assert calls == []


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, observed: Path) -> Path:
    """A project whose configuration has shell commands wherever text is allowed."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    shutil.copytree(observed, project / FOLDER)
    changes = {"source": "archive", "archive": FOLDER, "observations": EVIL}
    (project / "config" / "hostile.yaml").write_text(yaml.safe_dump({**changes, "run": "hostile"}))
    return project


def options(*more: str) -> tuple[str, ...]:
    return (*more, "--configfile", "config/tiny.yaml", "config/hostile.yaml")


@pytest.mark.workflow
def test_commands_in_a_configuration_are_quoted_in_rules(hostile: Path) -> None:
    run = run_snakemake(hostile, *options("--dry-run", "--printshellcmds"))
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(hostile.rglob("executed")) == []


@pytest.mark.workflow
def test_commands_in_a_configuration_stay_text(hostile: Path) -> None:
    targets = [
        f"results/hostile/{name}"
        for name in ("config.json", "observations/flares.csv", "observations/xrs.h5")
    ]
    run = run_snakemake(hostile, *options(*targets, "results/hostile/observations/frames_2012.csv"))
    assert run.returncode == 0, run.stdout + run.stderr
    written = json.loads((hostile / targets[0]).read_text())
    assert written["observations"] == EVIL
    assert written["archive"] == FOLDER
    assert list(hostile.rglob("executed")) == []


@pytest.mark.workflow
def test_a_run_writes_to_its_own_folders_only(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()} - {*PARTS, HOME}
    assert names == {"results", "resources", ".snakemake"}
    assert [path for path in (finished / HOME).rglob("*") if path.is_file()] == []
    assert {path.name for path in (finished / "resources").iterdir()} == {"tiny", ".cache"}
