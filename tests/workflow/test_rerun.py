"""Only what changed runs again, shown by dry runs of the real Snakefile."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.project import TINY

# One worker of pytest-xdist makes the run, early, while the others go on with other tests.
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("finished")]

PAPER = {"paper", "pack_report", "all"}
"""Rules that run after any change of a figure, a table or a number."""

Jobs = Callable[..., set[tuple[str, str]]]


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """Replace the first occurrence of a text in a file within the block."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def jobs(finished: Path, snakemake) -> Jobs:
    """Return the jobs that a dry run plans: ``{(rule, wildcards)}``."""

    def plan_jobs(*options: str) -> set[tuple[str, str]]:
        run = snakemake(finished, "--dry-run", *TINY, *options)
        assert run.returncode == 0, run.stderr
        planned = set()
        for block in re.split(r"\n(?=(?:local)?rule )", run.stdout + run.stderr):
            rule = re.match(r"(?:local)?rule (\w+):", block)
            wildcards = re.search(r"^    wildcards: (.+)$", block, re.MULTILINE)
            if rule:
                planned.add((rule[1], wildcards[1] if wildcards else ""))
        return planned

    return plan_jobs


def rules(planned: set[tuple[str, str]]) -> set[str]:
    return {rule for rule, _ in planned}


def wildcards(planned: set[tuple[str, str]], rule: str) -> set[str]:
    """Return the wildcards of a rule's jobs."""
    return {values for name, values in planned if name == rule}


def test_an_edited_comment_runs_nothing(finished: Path, jobs: Jobs) -> None:
    module = finished / "src/heliosynth/training/trainer.py"
    script = finished / "workflow/scripts/train.py"
    with (
        edited(module, "\nfrom __future__", "\n# a comment\nfrom __future__"),
        edited(script, "\nimport argparse", "\n# a comment\n\nimport argparse"),
    ):
        assert jobs() == set()


def test_a_constant_of_the_watchdog_runs_nothing(finished: Path, jobs: Jobs) -> None:
    watchdog = finished / "src/heliosynth/jobs/watchdog.py"
    with edited(watchdog, "GRACE_S = 5.0", "GRACE_S = 6.0"):
        assert jobs() == set()


def test_a_preset_that_no_model_uses_runs_nothing(finished: Path, jobs: Jobs) -> None:
    presets = finished / "src/heliosynth/config/presets.yaml"
    with edited(presets, "noise_steps: 1000", "noise_steps: 999"):
        assert jobs() == set()


def test_defaults_of_the_evaluation_train_nothing(finished: Path, jobs: Jobs) -> None:
    evaluation = finished / "src/heliosynth/config/evaluation.py"
    with (
        edited(evaluation, "12, description=", "13, description="),
        edited(evaluation, "    encoders: list", "    spare: int = 1\n    encoders: list"),
    ):
        planned = rules(jobs())
    assert {"metrics", "configuration"} <= planned
    assert planned.isdisjoint(
        {"labels", "dataset", "train", "sample_shard", "sample", "sample_flux_response"}
    )


def test_a_figure_module_runs_its_figures_and_the_paper(finished: Path, jobs: Jobs) -> None:
    module = finished / "src/heliosynth/figures/curves.py"
    with edited(module, "\nfrom heliosynth", "\nSPARE = 1\nfrom heliosynth"):
        planned = jobs()
    assert rules(planned) == {"figure", *PAPER}
    assert wildcards(planned, "figure") == {"figure=training_curves"}


def test_the_style_of_figures_runs_all_figures_and_the_paper(finished: Path, jobs: Jobs) -> None:
    style = finished / "src/heliosynth/figures/style.py"
    with edited(style, "\nimport ", "\nDPI = 31\nimport "):
        planned = jobs()
    assert rules(planned) == {"figure", *PAPER}
    assert len(wildcards(planned, "figure")) > 10


def test_the_trainer_runs_all_trainings(finished: Path, jobs: Jobs) -> None:
    trainer = finished / "src/heliosynth/training/trainer.py"
    with edited(trainer, "\nimport ", "\nSPARE = 1\nimport "):
        planned = jobs()
    assert len(wildcards(planned, "train")) == 4
    assert rules(planned).isdisjoint({"simulate", "labels", "dataset"})


def test_the_settings_of_a_model_run_that_model_and_what_follows(jobs: Jobs) -> None:
    planned = jobs("--config", "models={ddpm_continuous: {training: {learning_rate: 0.1}}}")
    of_models = {job for job in planned if "model=" in job[1]}
    assert rules(of_models) == {
        *("train", "sample_shard", "sample", "features_generated"),
        *("sample_flux_response", "flux_response"),
    }
    assert "metrics" in rules(planned)
    assert all("model=ddpm_continuous" in values for _, values in of_models)
    assert rules(planned).isdisjoint({"simulate", "labels", "dataset", "classifier", "application"})
    figures = wildcards(planned, "figure")
    assert {"figure=class_grid_ddpm_continuous", "figure=flux_response"} <= figures
    assert figures.isdisjoint({"figure=class_grid_ddpm_discrete", "figure=class_distribution"})


def test_the_grid_of_fluxes_runs_the_flux_response_only(jobs: Jobs) -> None:
    planned = jobs("--config", "evaluation={flux_response: {images: 3}}")
    expected = {"sample_flux_response", "flux_response", "figure"}
    assert expected <= rules(planned) <= {*expected, "configuration", "table", "numbers", *PAPER}
    assert wildcards(planned, "figure") == {"figure=flux_response"}


def test_the_embedding_model_is_trained_before_its_user(jobs: Jobs) -> None:
    planned = jobs("--config", "models={cevae: {training: {learning_rate: 0.1}}}")
    assert wildcards(planned, "train") == {"model=cevae", "model=ddpm_cevae"}
