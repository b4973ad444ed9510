"""The paper refers to what exists, and compiles for any run."""

import re
import shutil
from pathlib import Path

import pytest

from factories.run import build_run
from heliosynth.errors import InputError
from heliosynth.figures.plot import plot_figure
from heliosynth.figures.registry import of_run
from heliosynth.paper.compile import compile_paper, first_error
from heliosynth.paper.macros import conditionals, macros, write_macros
from heliosynth.paper.tables import TABLES, write_table
from heliosynth.results.run import Run
from helpers.project import ROOT
from helpers.scripts import load

pytestmark = pytest.mark.xdist_group("paper")

script = load("paper")

PAPER = ROOT / "paper"
SOURCE = re.sub(r"(?<!\\)%.*", "", (PAPER / "main.tex").read_text(encoding="utf-8"))
"""The paper without comments."""
PLOTTED = ("class_distribution", "unet", "flux_response", "class_grid_ddpm_cevae")
needs_latex = pytest.mark.skipif(
    shutil.which("latexmk") is None, reason="latexmk is not installed; `make setup` installs it"
)


@pytest.fixture(scope="module")
def results(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its tables, its macros and some of its figures."""
    folder = tmp_path_factory.mktemp("compiled") / "results"
    shutil.copytree(run.root, folder)
    write_inputs(Run(folder), PLOTTED)
    return folder


def write_inputs(run: Run, figures: tuple[str, ...] = ()) -> None:
    """Write the tables, the macros and some figures of a run."""
    for name in TABLES:
        path = run.root / "tables" / name
        write_table(name, run, path.with_suffix(".tex"), path.with_suffix(".csv"))
    write_macros(run, run.root / "tables/numbers.tex")
    for name in figures:
        path = run.root / "figures" / name
        plot_figure(name, run, path.with_suffix(".pdf"), path.with_suffix(".png"))


def test_paper_shows_every_figure_of_the_run_once(run: Run) -> None:
    values = macros(run)
    figure_macros = ("classgrid", "furtherclassgrids", "nearestpairs")
    text = "\n".join([SOURCE, *(values[name] for name in figure_macros)])
    figures = set(of_run(run.presentation))
    assert sorted(re.findall(r"\\(?:column|page)figure\{(\w+)\}", text)) == sorted(figures)
    text += values["classgridsentences"]
    assert set(re.findall(r"\\seefigure\{(\w+)\}", text)) <= figures
    assert set(re.findall(r"\\ref\{fig:(\w+)\}", text)) <= figures


def test_every_table_is_included() -> None:
    assert set(re.findall(r"\\fitinput\{(\w+)\}", SOURCE)) == set(TABLES)


def test_references_and_citations_agree() -> None:
    keys = set(re.findall(r"@\w+\{(\w+),", (PAPER / "refs.bib").read_text(encoding="utf-8")))
    groups = re.findall(r"\\cite[pt](?:\[[^]]*\])*\{([^}]+)\}", SOURCE)
    cited = {key.strip() for group in groups for key in group.split(",")}
    assert cited == keys


def test_paper_names_no_model_and_uses_defined_conditionals(run: Run) -> None:
    assert not re.findall(r"\\[a-z]+(?:Ddpm|Cevae)\w*|ddpm_\w+", SOURCE)
    used = set(re.findall(r"\\if([a-z]+)\b", SOURCE)) - {"dim"}
    assert used == set(conditionals(run))


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
    root = build_run(
        tmp_path, counts={"A": 60}, source="archive", archive="somewhere",
        dataset={"image_size_px": 64},
    )  # fmt: skip
    write_inputs(Run(root))
    compile_paper(PAPER, root, root / "paper.pdf")
    first = (root / "paper.pdf").read_bytes()
    compile_paper(PAPER, root, root / "paper.pdf")
    assert (root / "paper.pdf").read_bytes() == first


@needs_latex
def test_compiles_without_a_model_of_the_flux(tmp_path: Path) -> None:
    root = build_run(tmp_path, without=("ddpm_continuous",))
    write_inputs(Run(root), ("class_distribution",))
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
    assert first_error("nothing") == "LaTeX failed without an error message"
