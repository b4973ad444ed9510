"""Versions in the conda environment and in the virtual environment."""

import re
from pathlib import Path

import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = {"python_full_version": "3.11.9", "python_version": "3.11", "sys_platform": "linux"}


def constraints() -> dict[str, str]:
    """Return the pinned versions of ``constraints.txt``, by package."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        match = re.fullmatch(r"([\w.-]+)==([^ ;]+)(?: ; (.+))?", line)
        if match and (match[3] is None or Marker(match[3]).evaluate(PYTHON)):
            pins[canonicalize_name(match[1])] = match[2]
    return pins


def runtime_requirements() -> set[str]:
    """Return the packages of ``requirements.txt`` that are not for tests and style."""
    runtime = (ROOT / "requirements.txt").read_text().partition("# tests and style")[0]
    lines = (line.partition("#")[0].strip() for line in runtime.splitlines())
    return {canonicalize_name(Requirement(line).name) for line in lines if line}


def test_the_conda_environment_has_the_pinned_versions() -> None:
    dependencies = yaml.safe_load((ROOT / "envs" / "heliosynth.yaml").read_text())["dependencies"]
    (from_pip,) = (entry["pip"] for entry in dependencies if isinstance(entry, dict))
    pins = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, from_pip)
    }
    assert set(pins) == runtime_requirements()
    assert pins == {name: constraints()[name] for name in pins}


def test_torch_and_torchvision_are_pinned() -> None:
    assert {"torch", "torchvision"} <= set(constraints())
