"""The recipes of CONTRIBUTING.md: each adds what it promises, with exactly the edits it names."""

import json
from pathlib import Path

import pytest
import yaml

from heliosynth.config.evaluation import CONTROLS, REAL
from heliosynth.config.loading import merge
from helpers.once import make_once
from helpers.project import ROOT, copy_project, run_snakemake
from helpers.recipes import Edit, read_recipes

# One worker of pytest-xdist makes the run, early, while the others go on with other tests.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("recipes")]

RECIPES = read_recipes(ROOT / "CONTRIBUTING.md")
RESULTS = "results/recipes"
PRODUCTS = (
    "tables/metrics.tex",
    "tables/models.tex",
    "tables/numbers.tex",
    "figures/class_grid_narrow.pdf",
    "figures/flux_distribution.pdf",
)
"""What the run makes: every product that a recipe adds to, or reads."""
ENCODERS = ("pixels",)
MODELS = ("cevae", "narrow", "plain")


def tiny_configuration(project: Path) -> dict:
    """Return the tiny configuration with what the recipes add, and no other diffusion model."""
    default, tiny = (
        yaml.safe_load((project / name).read_text(encoding="utf-8"))
        for name in ("config.yaml", "config/tiny.yaml")
    )
    condition = {"kind": "goes_class"}
    changes = {
        "run": "recipes",
        "source": "practice",
        "application": {"model": "narrow"},
        "evaluation": {"encoders": list(ENCODERS)},
    }
    configuration = merge(merge(default, tiny), changes)
    rows = configuration["models"]
    narrow = yaml.safe_load((project / "config/mine.yaml").read_text(encoding="utf-8"))["models"]
    # `defaults` of the tiny configuration are of the network of the preset `quick`.
    shared = configuration["defaults"]["ddpm"]
    quick = {"network": shared.pop("network")}
    shared.pop("preset")
    sampling = {"steps": 3, "sampler": "euler"}
    configuration["models"] = {
        "cevae": rows["cevae"],
        "narrow": merge(quick, narrow["narrow"]),
        "plain": {"kind": "ddpm", "preset": "plain", "condition": condition, "sampling": sampling},
    }
    return configuration


def apply(project: Path, edits: list[Edit]) -> None:
    for edit in edits:
        edit.apply(project)


@pytest.fixture(scope="session")
def recipes_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a tiny run with all recipes applied."""

    def make(folder: Path) -> None:
        project = copy_project(folder)
        apply(project, [edit for edits in RECIPES.values() for edit in edits])
        configuration = tiny_configuration(project)
        (project / "config.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        done = run_snakemake(project, *(f"{RESULTS}/{product}" for product in PRODUCTS))
        assert done.returncode == 0, done.stdout + done.stderr

    return make_once(tmp_path_factory, "recipes", make) / RESULTS


def test_every_recipe_has_edits() -> None:
    assert len(RECIPES) == 7
    assert all(RECIPES.values())


def test_a_metric_is_in_files_summary_table_and_macros(recipes_run: Path) -> None:
    summary = json.loads((recipes_run / "metrics/summary.json").read_text())
    assert set(summary) == {REAL, *CONTROLS, *MODELS}
    for metrics in summary.values():
        for encoder in ENCODERS:
            assert metrics[f"variance_ratio_{encoder}"]["value"] > 0
    assert "variance ratio (pixels)" in (recipes_run / "tables/metrics.tex").read_text()
    assert "varianceratioNarrow" in (recipes_run / "tables/numbers.tex").read_text()


def test_an_encoder_has_distances_of_its_own(recipes_run: Path) -> None:
    metrics = json.loads((recipes_run / "metrics/narrow.json").read_text())
    assert metrics["fid_pixels"]["value"] > 0
    assert "FID (pixels)" in (recipes_run / "tables/metrics.tex").read_text()


def test_a_model_has_samples_table_row_and_class_grid(recipes_run: Path) -> None:
    assert (recipes_run / "samples/narrow.h5").is_file()
    assert (recipes_run / "figures/class_grid_narrow.pdf").is_file()
    assert "narrow" in (recipes_run / "tables/models.csv").read_text()


def test_a_network_is_trained_and_named_in_the_table(recipes_run: Path) -> None:
    config = json.loads((recipes_run / "models/plain/config.json").read_text())
    assert config["row"]["network"]["kind"] == "plain_cnn"
    assert "plain CNN" in (recipes_run / "tables/models.tex").read_text()


def test_a_sampler_is_named_in_the_table(recipes_run: Path) -> None:
    assert "Euler" in (recipes_run / "tables/models.tex").read_text()


def test_a_figure_is_plotted_and_in_the_paper(recipes_run: Path) -> None:
    for suffix in ("pdf", "png"):
        assert (recipes_run / f"figures/flux_distribution.{suffix}").is_file()
    project = recipes_run.parents[1]
    done = run_snakemake(project, "--dry-run", f"{RESULTS}/paper.pdf")
    assert done.returncode == 0, done.stdout + done.stderr
    planned = done.stdout + done.stderr
    inputs = planned[planned.index("rule paper:") :].partition("output:")[0]
    assert f"{RESULTS}/figures/flux_distribution.pdf" in inputs
    assert "figure{flux_distribution}" in (project / "paper/main.tex").read_text(encoding="utf-8")


def test_a_source_gives_the_raw_inputs(recipes_run: Path) -> None:
    resources = recipes_run.parents[1] / "resources" / "recipes"
    assert (resources / "practice/aia/sdomlv2.zarr").is_dir()
    assert not (resources / "simulated").exists()


@pytest.mark.parametrize(
    ("recipe", "missing", "message"),
    [
        ("A metric", "src/heliosynth/evaluation/variance.py", "heliosynth.evaluation.variance"),
        ("A network", "src/heliosynth/models/__init__.py", "plain_cnn"),
        ("A network", "src/heliosynth/models/plain_cnn.py", "plain_cnn"),
        ("A sampler", "src/heliosynth/diffusion/samplers.py", "euler"),
        ("A feature encoder", "src/heliosynth/evaluation/encoders.py", "pixels"),
        ("A figure", "src/heliosynth/figures/flux.py", "heliosynth.figures.flux"),
        ("A data source", "src/heliosynth/sources/locations.py", "practice"),
    ],
)
def test_a_missing_part_is_reported_at_planning(
    tmp_path: Path, recipe: str, missing: str, message: str
) -> None:
    project = copy_project(tmp_path)
    apply(project, [edit for edit in RECIPES[recipe] if edit.path != missing])
    done = run_snakemake(project, "--dry-run")
    assert done.returncode != 0
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
