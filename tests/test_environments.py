"""The conda environment and the venv hold the same versions."""

import re
from pathlib import Path

import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = {"python_full_version": "3.11.9", "python_version": "3.11", "sys_platform": "linux"}


def constraints() -> dict[str, str]:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        found = re.fullmatch(r"([\w.-]+)==([^ ;]+)(?: ; (.+))?", line)
        if found and (found[3] is None or Marker(found[3]).evaluate(PYTHON)):
            pins[canonicalize_name(found[1])] = found[2]
    return pins


def required() -> set[str]:
    runtime = (ROOT / "requirements.txt").read_text().partition("# tests and style")[0]
    lines = (line.partition("#")[0].strip() for line in runtime.splitlines())
    return {canonicalize_name(Requirement(line).name) for line in lines if line}


def test_the_conda_environment_pins_what_constraints_pin() -> None:
    dependencies = yaml.safe_load((ROOT / "envs" / "heliosynth.yaml").read_text())["dependencies"]
    (through_pip,) = (entry["pip"] for entry in dependencies if isinstance(entry, dict))
    pins = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, through_pip)
    }
    assert set(pins) == required()
    assert pins == {name: constraints()[name] for name in pins}


def test_torch_and_torchvision_are_never_left_open() -> None:
    assert {"torch", "torchvision"} <= set(constraints())
