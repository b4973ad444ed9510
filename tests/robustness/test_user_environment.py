"""Products of jobs are the same bytes in the environment of any user.

Scripts run as a rule's command that is pasted in a shell: with a user's variables, home folder and
settings in the working folder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from factories.archive import FLARES, write_archive
from factories.run import build_run
from heliosynth.config.presentation import PresentationConfig
from heliosynth.jobs.environment import job_environment
from heliosynth.results.run import Run
from helpers.hostile import MATPLOTLIBRC, hostile_environment, write_home
from helpers.project import copy_project, run_snakemake
from helpers.scripts import SCRIPTS

pytestmark = [pytest.mark.robustness, pytest.mark.workflow]

LABELS = '{"rule": "max_within", "window_minutes": 60}'
SIMULATION = (
    '{"start": "2012-12-31", "days": 2, "cadence_minutes": 240, "size_px": 32,'
    ' "flares_per_day": 6, "cycle_days": 22}'
)
needs_latex = pytest.mark.skipif(not shutil.which("latexmk"), reason="latexmk is not installed")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive and the products of a run."""
    folder = tmp_path_factory.mktemp("inputs")
    write_archive(folder / "archive", FLARES)
    (folder / "results").symlink_to(build_run(folder / "runs"))
    return folder


def commands(root: Path, output: Path) -> dict[str, list[str]]:
    """Return scripts and their options, in order, which write into a folder."""
    raw, out = root / "archive", output
    presentation = PresentationConfig.of(Run(root / "results").configuration).model_dump_json()
    shared = ["--results", str(root / "results"), "--presentation", presentation]
    frames = f"{raw}/aia/sdomlv2.zarr"
    figure = "class_distribution"
    return {
        "flares": ["--files", f"{raw}/hek", "--output", f"{out}/flares.csv"],
        "xrs": [
            "--files", f"{raw}/goes", "--csv-scale", "operational", "--output", f"{out}/xrs.h5",
        ],
        "frames": [
            "--store", frames, "--year", "2012", "--channel", "171A",
            "--output", f"{out}/frames_2012.csv",
        ],
        "labels": [
            "--frames", f"{out}/frames_2012.csv", "--xrs", f"{out}/xrs.h5",
            "--flares", f"{out}/flares.csv", "--settings", LABELS, "--output", f"{out}/labels.csv",
        ],
        "simulate": [
            "--settings", SIMULATION, "--channel", "171A", "--seed", "1",
            "--output", f"{out}/simulated",
        ],
        "figure": [
            "--name", figure, *shared,
            "--pdf", f"{out}/{figure}.pdf", "--png", f"{out}/{figure}.png",
        ],
        "table": ["--name", "dataset", *shared, "--tex", f"{out}/a.tex", "--csv", f"{out}/a.csv"],
        "macros": ["--results", str(root / "results"), "--output", f"{out}/numbers.tex"],
    }  # fmt: skip


def run(name: str, options: Sequence[str], env: dict[str, str], folder: Path) -> None:
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), *options]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, umask=0o077
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "was read" not in done.stdout + done.stderr


def contents(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every product, but for manifests, which have times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".manifest." not in path.name
    }


def test_scripts_write_the_same_bytes_in_any_environment(root: Path, tmp_path: Path) -> None:
    clean, user = tmp_path / "clean", tmp_path / "user"
    home = write_home(tmp_path / "home")
    hostile = hostile_environment(home, python=False)
    del hostile["PYTHONWARNINGS"]  # would stop libraries while they are imported
    environments = {clean: job_environment({"PATH": os.environ["PATH"]}), user: hostile}
    for folder, environment in environments.items():
        folder.mkdir()
        here = tmp_path / f"{folder.name} here"
        here.mkdir()
        if folder == user:
            (here / "matplotlibrc").write_text(MATPLOTLIBRC)
        for name, options in commands(root, folder).items():
            run(name, options, environment, here)
    assert contents(user) == contents(clean)
    assert len(contents(user)) > 20


@needs_latex
def test_the_paper_is_the_same_in_any_environment(root: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(root / "results", results)
    home = write_home(tmp_path / "home")
    clean = job_environment({"PATH": os.environ["PATH"]})
    for table in ("tables", "figures"):
        (results / table).mkdir(exist_ok=True)
    paper = tmp_path / "paper"
    paper.mkdir()
    (paper / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\today\\end{document}\n"
    )
    hostile = hostile_environment(home, python=False)
    del hostile["PYTHONWARNINGS"]
    for name, environment in (("clean", clean), ("user", hostile)):
        options = ["--paper", str(paper), "--results", str(results)]
        run("paper", [*options, "--output", str(tmp_path / f"{name}.pdf")], environment, tmp_path)
    assert (tmp_path / "user.pdf").read_bytes() == (tmp_path / "clean.pdf").read_bytes()


def test_a_run_writes_the_same_bytes_in_any_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "archive")
    options = ("--configfile", "config/archive.yaml", "--config", f"archive={archive}", "run=a")
    results = []
    for name in ("clean", "user"):
        (tmp_path / name).mkdir()
        project = copy_project(tmp_path / name)
        if name == "user":
            (project / "matplotlibrc").write_text(MATPLOTLIBRC)
            hostile = hostile_environment(write_home(project / "home"), python=False)
            del hostile["PYTHONWARNINGS"]
            for variable, value in hostile.items():
                monkeypatch.setenv(variable, value)
        done = run_snakemake(project, *options, "--until", "labels")
        assert done.returncode == 0, done.stderr[-3000:]
        found = contents(project / "results/a")
        results.append({path: sha for path, sha in found.items() if path.endswith((".csv", ".h5"))})
    assert results[0] == results[1]
    assert len(results[0]) >= 3
