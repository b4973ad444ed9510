"""The macros hold the products' numbers, for any models."""

import re
import sys
from pathlib import Path

import pytest

from factories.run import OBSERVATIONS, build_run
from heliosynth.paper import latex
from heliosynth.paper.macros import camel, conditionals, macros, write_macros
from heliosynth.results.run import Run
from helpers.project import ROOT
from helpers.scripts import load

pytestmark = pytest.mark.xdist_group("paper")

script = load("macros")
OTHER_MODELS = {
    "baseline": {"kind": "cevae", "latent_dim": 8},
    "wide": {"kind": "ddpm", "condition": {"kind": "goes_class"}},
    "deep-2": {"kind": "ddpm", "condition": {"kind": "xray_flux"}},
}
STUDY = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose models all have other names than those of the study."""
    root = tmp_path_factory.mktemp("other")
    return Run(build_run(root, without=STUDY, models=OTHER_MODELS, application={"model": "wide"}))


def test_written_macros_read_back(run: Run, tmp_path: Path) -> None:
    write_macros(run, tmp_path / "numbers.tex")
    text = (tmp_path / "numbers.tex").read_text(encoding="utf-8")
    read = dict(re.findall(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}$", text, re.MULTILINE))
    assert read == macros(run)
    for name, holds in conditionals(run).items():
        assert rf"\newif\if{name}" in text
        assert rf"\{name}{'true' if holds else 'false'}" in text


def test_no_script_shadows_the_standard_library() -> None:
    # Python looks in the folder of the running script first; NumPy, for one, imports `numbers`.
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert not scripts & sys.stdlib_module_names


def test_script_writes_the_macros(run: Run, tmp_path: Path) -> None:
    script.main(["--results", str(run.root), "--output", str(tmp_path / "numbers.tex")])
    assert (tmp_path / "numbers.tex").read_text(encoding="utf-8").startswith("% Written from")
    with pytest.raises(SystemExit, match=r"^error: .*config\.json"):
        script.main(["--results", str(tmp_path), "--output", str(tmp_path / "x.tex")])


def test_macros_hold_the_numbers_of_the_products(run: Run) -> None:
    values = macros(run)
    assert values["framestraining"] == str(run.summary["splits"]["train"])
    assert values["framestrainingM"] == str(run.summary["classes"]["M"]["train"])
    assert values["observations"] == latex.escape(OBSERVATIONS)
    parameters = run.json("models/ddpm_discrete/training.json")["parameters"]
    assert values["parametersDdpmDiscrete"] == latex.integer(parameters)
    estimate = run.metrics["ddpm_continuous"]["cluster_error"]
    assert estimate is not None
    written = latex.measurement(estimate["value"], estimate["std"])
    assert values["clustererrorDdpmContinuous"] == written
    assert values["describedclusterdistance"] == values["clusterdistanceDdpmDiscrete"]


def test_nulls_are_en_dashes(run: Run) -> None:
    assert macros(run)["fscoreCevae"] == "--"
    assert macros(run)["accuracyWithA"] == "--"


def test_names_of_macros_are_letters_only(run: Run, other: Run) -> None:
    assert all(re.fullmatch("[A-Za-z]+", name) for name in [*macros(run), *macros(other)])
    assert camel("ddpm_v2-x") == "DdpmVTwoX"


def test_the_paper_has_all_its_macros_for_any_models(run: Run, other: Run) -> None:
    source = (ROOT / "paper/main.tex").read_text(encoding="utf-8")
    used = set(re.findall(r"\\([A-Za-z]+)", source))
    of_run = macros(run).keys() & used
    assert len(of_run) > 50
    assert of_run == macros(other).keys() & used


def test_macros_without_a_model_of_the_flux(tmp_path: Path) -> None:
    run = Run(build_run(tmp_path, without=("ddpm_continuous",)))
    values = macros(run)
    assert values["fluxresponsethreshold"] == "--"
    assert values["fluxresponsestatement"] == ""
    assert not conditionals(run)["fluxcondition"]
