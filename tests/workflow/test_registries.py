"""Registries are complete, and checked when the DAG is planned."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from heliosynth import registry
from heliosynth.config.loading import resolve
from heliosynth.config.models import SAMPLERS, network_kinds
from heliosynth.errors import InputError
from heliosynth.models import NETWORKS
from heliosynth.models.stages import UnetStages
from heliosynth.workflow import registries
from heliosynth.workflow.plan import Plan

ROOT = Path(__file__).resolve().parents[2]


def plan() -> Plan:
    return Plan(resolve(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))))


def test_every_network_kind_has_one_complete_row() -> None:
    assert list(NETWORKS) == network_kinds() == list(registry.keys("heliosynth.models:NETWORKS"))
    for kind, module in NETWORKS.items():
        assert module.__name__ == f"heliosynth.models.{kind}"
        assert module.TITLE
        assert module.DESCRIPTION
        assert callable(module.build)
        assert module.stages.__annotations__["return"] == UnetStages.__name__


def test_a_network_kind_without_a_row_fails_at_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "network_kinds", lambda: [*network_kinds(), "vision_unet"])
    with pytest.raises(InputError, match=r"'vision_unet': no row in heliosynth\.models\.NETWORKS"):
        plan()


def test_a_network_module_without_a_title_fails_at_planning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registries, "NETWORK_MODULE", (*registries.NETWORK_MODULE, "SUBTITLE"))
    with pytest.raises(InputError, match=r"study_unet does not define SUBTITLE"):
        plan()


def test_a_sampler_without_a_function_fails_at_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "SAMPLERS", {**SAMPLERS, "euler": "Euler"})
    with pytest.raises(InputError, match="samplers does not define euler"):
        plan()


def test_a_sampler_must_be_one_of_the_registry() -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    raw["models"]["ddpm_discrete"]["sampling"] = {"sampler": "euler"}
    with pytest.raises(InputError, match=r"sampling\.sampler: not a sampler; choose one of ddpm, "):
        resolve(raw)


def test_planning_imports_neither_torch_nor_matplotlib() -> None:
    code = "import heliosynth.workflow.plan, sys; print({'torch', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
