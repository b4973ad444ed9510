"""A copy of the project, for tests that run the pipeline or edit it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "config.yaml", "config", "envs", "paper", "profiles", "src", "workflow")


def copy_project(folder: Path) -> Path:
    """Copy what the pipeline runs on, with the tiny configuration among the others."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part,
                folder / part,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
            )
        else:
            shutil.copy2(ROOT / part, folder / part)
    shutil.copy2(ROOT / "tests/workflow/tiny.yaml", folder / "config" / "tiny.yaml")
    return folder
