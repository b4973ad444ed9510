"""The macros give the products' numbers back."""

import re
import sys
from pathlib import Path

import pytest

import fake_run
from heliosynth.paper import latex
from heliosynth.paper.macros import best_statement, camel, conditionals, macros, write_macros
from heliosynth.results.run import Run
from helpers.scripts import load

script = load("macros")


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(fake_run.build(tmp_path_factory.mktemp("numbers")))


def test_written_macros_read_back(products: Run, tmp_path: Path) -> None:
    write_macros(products, tmp_path / "numbers.tex")
    text = (tmp_path / "numbers.tex").read_text(encoding="utf-8")
    read = dict(re.findall(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}$", text, re.MULTILINE))
    assert read == macros(products)
    for name, holds in conditionals(products).items():
        assert rf"\newif\if{name}" in text
        assert rf"\{name}{'true' if holds else 'false'}" in text


def test_no_script_hides_a_module_of_the_standard_library() -> None:
    # Python looks in the folder of the running script first; NumPy, for one, imports `numbers`.
    scripts = {path.stem for path in (fake_run.REPOSITORY / "workflow/scripts").glob("*.py")}
    assert not scripts & sys.stdlib_module_names


def test_door_writes_the_macros(products: Run, tmp_path: Path) -> None:
    script.main(["--results", str(products.root), "--output", str(tmp_path / "numbers.tex")])
    assert (tmp_path / "numbers.tex").read_text(encoding="utf-8").startswith("% Written from")
    with pytest.raises(SystemExit, match=r"^error: .*config\.json"):
        script.main(["--results", str(tmp_path), "--output", str(tmp_path / "x.tex")])


def test_numbers_are_the_products(products: Run) -> None:
    found = macros(products)
    assert found["framestraining"] == "250"
    assert found["framestrainingM"] == "40"
    assert found["observations"] == latex.escape(fake_run.OBSERVATIONS)
    assert found["parametersDdpmDiscrete"] == r"1\,234\,567"
    entry = products.metrics["ddpm_continuous"]["cluster_error"]
    assert entry is not None
    assert found["clustererrorDdpmContinuous"] == latex.measurement(entry["value"], entry["std"])


def test_nulls_are_en_dashes(products: Run) -> None:
    assert macros(products)["fscoreCevae"] == "--"
    assert macros(products)["accuracyWithA"] == "--"


def test_names_are_letters_only(products: Run) -> None:
    assert all(re.fullmatch("[A-Za-z]+", name) for name in macros(products))
    assert camel("ddpm_v2-x") == "DdpmVTwoX"


def test_scarce_sentence(products: Run, tmp_path: Path) -> None:
    assert macros(products)["scarcesentence"].startswith("Class A (12) has too few")
    whole = Run(fake_run.build(tmp_path / "whole", scarce=()))
    assert macros(whole)["scarcesentence"] == "Every class has at least 16 training frames."
    both = Run(fake_run.build(tmp_path / "both", scarce=("A", "X")))
    assert macros(both)["scarcesentence"].startswith("Classes A (12) and X (18) have")


def test_a_run_of_two_models_has_every_macro_of_the_paper(products: Run, tmp_path: Path) -> None:
    dropped = {"ddpm_continuous": {"condition": None}, "ddpm_cevae": {"condition": None}}
    assert dropped.keys() < set(products.models)
    few = Run(fake_run.build(tmp_path, without=tuple(dropped)))
    assert macros(few).keys() == macros(products).keys()
    assert macros(few)["parametersDdpmCevae"] == "--"
    assert macros(few)["fluxresponsethreshold"] == "--"
    assert macros(few)["fluxresponsestatement"] == ""


def test_the_flux_response_is_said_with_spread_and_n(products: Run) -> None:
    found = macros(products)
    assert (found["fluxresponsequantile"], found["fluxresponsethreshold"]) == ("95", r"1\,045")
    text = found["fluxresponsestatement"]
    assert "continuous labels is $0.750 \\pm 0.030$ ($n = 48$) over the grid" in text
    assert "$0.850 \\pm 0.010$ ($n = 48$) on average within the images of one seed" in text


def test_best_statement() -> None:
    def entry(value: float) -> dict[str, float]:
        return {"value": value, "std": 0.01, "n": 10}

    summary = {
        "cevae": {"fid_clip": entry(5.0), "f1": None},
        "ddpm_discrete": {"fid_clip": entry(0.2), "f1": entry(0.7)},
        "real": {"fid_clip": entry(0.1), "f1": None},
    }
    text = best_statement(summary, "fid_clip")
    assert text.startswith("The lowest FID (CLIP) is that of the diffusion model with discrete")
    assert r"held-out real images reach $0.100 \pm 0.010$." in text
    assert best_statement(summary, "f1").startswith("The highest F1")
    assert best_statement({"cevae": {"f1": None}}, "f1") == "No model has a F1."
