"""Only what changed runs again, shown by dry runs of the real Snakefile."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

TINY = ("--configfile", "config/tiny.yaml")
PAPER = {"paper", "pack_report", "all"}


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def jobs(finished: Path, snakemake):
    """Give what a dry run would do: ``{(rule, wildcards)}``."""

    def dry_run(*options: str) -> set[tuple[str, str]]:
        done = snakemake(finished, "--dry-run", *TINY, *options)
        assert done.returncode == 0, done.stderr
        text = done.stdout + done.stderr
        found = set()
        for block in re.split(r"\n(?=(?:local)?rule )", text):
            rule = re.match(r"(?:local)?rule (\w+):", block)
            wildcards = re.search(r"^    wildcards: (.+)$", block, re.MULTILINE)
            if rule:
                found.add((rule[1], wildcards[1] if wildcards else ""))
        return found

    return dry_run


def test_an_edited_comment_runs_nothing(finished: Path, jobs) -> None:
    code = finished / "src/heliosynth/training/loop.py"
    script = finished / "workflow/scripts/train.py"
    with (
        edited(code, "\nfrom __future__", "\n# a comment\nfrom __future__"),
        edited(script, "\nimport argparse", "\n# a comment\n\nimport argparse"),
    ):
        assert jobs() == set()


def test_an_edited_preset_that_the_run_does_not_use_runs_nothing(finished: Path, jobs) -> None:
    presets = finished / "src/heliosynth/config/presets.yaml"
    with edited(presets, "noise_steps: 1000", "noise_steps: 999"):
        assert jobs() == set()


def test_an_edited_plotting_module_runs_figures_and_paper_only(finished: Path, jobs) -> None:
    with edited(finished / "src/heliosynth/figures/style.py", "\nimport ", "\nDPI = 31\nimport "):
        rules = {rule for rule, _ in jobs()}
    assert "figure" in rules
    assert rules <= {"figure", *PAPER}


def test_an_edited_training_loop_trains_all_models_again(finished: Path, jobs) -> None:
    with edited(finished / "src/heliosynth/training/loop.py", "\nimport ", "\nSPARE = 1\nimport "):
        trained = {wildcards for rule, wildcards in jobs() if rule == "train"}
    assert len(trained) == 4


def test_one_models_learning_rate_runs_that_model_and_what_follows(jobs) -> None:
    found = jobs("--config", "models={ddpm_continuous: {training: {learning_rate: 0.1}}}")
    of_models = {job for job in found if "model=" in job[1]}
    assert {rule for rule, _ in of_models} == {
        *("train", "sample_shard", "sample", "features_generated", "metrics"),
        *("sample_flux_response", "flux_response"),
    }
    assert all("model=ddpm_continuous" in wildcards for _, wildcards in of_models)
    rules = {rule for rule, _ in found}
    assert rules.isdisjoint({"simulate", "labels", "dataset", "classifier", "application"})
    drawn = {wildcards for rule, wildcards in found if rule == "figure"}
    assert {"figure=class_grid_ddpm_continuous", "figure=flux_response"} <= drawn
    assert drawn.isdisjoint({"figure=class_grid_ddpm_discrete", "figure=class_distribution"})


def test_the_grid_of_fluxes_concerns_nothing_but_the_flux_response(jobs) -> None:
    found = jobs("--config", "evaluation={flux_response: {images: 3}}")
    asked = {"sample_flux_response", "flux_response", "figure"}
    rules = {rule for rule, _ in found}
    assert asked <= rules <= {*asked, "configuration", "table", "numbers", *PAPER}
    assert {wildcards for rule, wildcards in found if rule == "figure"} == {"figure=flux_response"}


def test_the_embedding_model_is_trained_before_the_model_that_needs_it(jobs) -> None:
    found = jobs("--config", "models={cevae: {training: {learning_rate: 0.1}}}")
    trained = {wildcards for rule, wildcards in found if rule == "train"}
    assert trained == {"model=cevae", "model=ddpm_cevae"}
