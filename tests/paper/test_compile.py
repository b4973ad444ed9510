"""The paper names what exists, and compiles for any run."""

import re
import shutil
from pathlib import Path

import pytest

import fake_run
from heliosynth.errors import InputError
from heliosynth.figures.plot import plot_figure
from heliosynth.figures.registry import FIGURES
from heliosynth.paper.compile import compile_paper, first_error
from heliosynth.paper.macros import conditionals, macros, write_macros
from heliosynth.paper.tables import TABLES, write_table
from heliosynth.results.run import Run
from helpers.scripts import load

script = load("paper")

PAPER = fake_run.REPOSITORY / "paper"
SOURCE = (PAPER / "main.tex").read_text(encoding="utf-8")
needs_latex = pytest.mark.skipif(
    shutil.which("latexmk") is None, reason="latexmk is not installed; `make setup` installs it"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run with its tables, its numbers and some of its figures."""
    root = fake_run.build(tmp_path_factory.mktemp("paper"))
    _set(Run(root))
    return root


FIGURES_SET = ("class_distribution", "unet", "flux_response")


def _set(products: Run, figures: tuple[str, ...] = FIGURES_SET) -> None:
    for name in TABLES:
        place = products.root / "tables" / name
        write_table(name, products, place.with_suffix(".tex"), place.with_suffix(".csv"))
    write_macros(products, products.root / "tables/numbers.tex")
    for name in figures:
        place = products.root / "figures" / name
        plot_figure(name, products, place.with_suffix(".pdf"), place.with_suffix(".png"))


def test_every_figure_named_is_registered_and_every_registered_one_named() -> None:
    text = re.sub(r"%.*", "", SOURCE)
    placed = set(re.findall(r"\\(?:column|page)figure\{(\w+)\}", text))
    assert placed == set(FIGURES)
    assert set(re.findall(r"\\seefigure\{(\w+)\}", text)) <= set(FIGURES)
    assert set(re.findall(r"\\ref\{fig:(\w+)\}", SOURCE)) <= set(FIGURES)


def test_every_table_is_included() -> None:
    assert set(re.findall(r"\\input\{(\w+)\}", SOURCE)) == {*TABLES, "numbers"}


def test_every_reference_is_cited_and_every_citation_has_one() -> None:
    keys = set(re.findall(r"@\w+\{(\w+),", (PAPER / "refs.bib").read_text(encoding="utf-8")))
    groups = re.findall(r"\\cite[pt](?:\[[^]]*\])*\{([^}]+)\}", SOURCE)
    cited = {key.strip() for group in groups for key in group.split(",")}
    assert cited == keys


def test_no_result_is_typed_by_hand(results: Path) -> None:
    # A macro of the run is used only if it is defined, and conditionals likewise.
    found = macros(Run(results))
    camel = set(re.findall(r"\\([a-z]+(?:Ddpm\w+|Real|Cevae|Overall|[A-Z]))\b", SOURCE))
    assert {name for name in camel if name not in found} <= set()
    used = set(re.findall(r"\\if([a-z]+)\b", SOURCE))
    assert used <= set(conditionals(Run(results)))


@needs_latex
def test_compiles_and_leaves_the_sources_alone(results: Path) -> None:
    before = sorted(path.name for path in PAPER.iterdir())
    script.main(
        ["--paper", str(PAPER), "--results", str(results), "--output", str(results / "paper.pdf")]
    )
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in PAPER.iterdir()) == before
    assert not (results / "paper.log").exists()


@needs_latex
def test_compiles_for_real_observations_without_figures(tmp_path: Path) -> None:
    root = fake_run.build(
        tmp_path, scarce=(), source="archive", archive="somewhere",
        dataset={"image_size_px": 64},
    )  # fmt: skip
    products = Run(root)
    for name in TABLES:
        write_table(name, products, root / f"tables/{name}.tex", root / f"tables/{name}.csv")
    write_macros(products, root / "tables/numbers.tex")
    compile_paper(PAPER, root, root / "paper.pdf")
    first = (root / "paper.pdf").read_bytes()
    compile_paper(PAPER, root, root / "paper.pdf")
    assert (root / "paper.pdf").read_bytes() == first


@needs_latex
def test_compiles_without_a_model_that_knows_the_flux(tmp_path: Path) -> None:
    root = fake_run.build(tmp_path, without=("ddpm_continuous",))
    _set(Run(root), figures=("class_distribution",))
    compile_paper(PAPER, root, root / "paper.pdf")
    assert (root / "paper.pdf").read_bytes().startswith(b"%PDF")


@needs_latex
def test_failure_is_one_line_with_the_first_error(results: Path, tmp_path: Path) -> None:
    source = tmp_path / "paper"
    source.mkdir()
    (source / "main.tex").write_text(
        "\\documentclass{article}\\begin{document}\n\\nosuchmacro\n\\end{document}\n"
    )
    with pytest.raises(InputError, match="Undefined control sequence") as error:
        compile_paper(source, results, tmp_path / "out.pdf")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "out.log") in str(error.value)
    assert "nosuchmacro" in (tmp_path / "out.log").read_text()
    assert not (tmp_path / "out.pdf").exists()


def test_missing_latexmk_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"apt-get install .*latexmk"):
        compile_paper(PAPER, tmp_path, tmp_path / "paper.pdf")


def test_first_error() -> None:
    log = "This is pdfTeX\n(./main.tex\n/a b/main.tex:12: LaTeX Error: File `x' not found.\nmore"
    assert first_error(log) == "/a b/main.tex:12: LaTeX Error: File `x' not found."
    assert first_error("! Emergency stop.\n") == "! Emergency stop."
    assert "without naming" in first_error("nothing")
