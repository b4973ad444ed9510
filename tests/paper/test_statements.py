"""The sentences of the paper follow from the models and results of the run."""

from pathlib import Path

import pytest

from factories.run import build_run
from heliosynth.io.files import write_json
from heliosynth.paper import statements
from heliosynth.paper.macros import macros
from heliosynth.results.run import Run

pytestmark = pytest.mark.xdist_group("paper")


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "std": 0.01, "n": 10}


@pytest.mark.parametrize(
    ("scarce", "sentence"),
    [
        ({}, "Every class has at least 16 training frames."),
        ({"A": 12}, "Class A (12) is under-represented, with fewer than 16 training frames: it is"),
        ({"A": 12, "X": 3}, "Classes A (12) and X (3) are under-represented, with fewer than 16"),
    ],
)
def test_underrepresented_classes(
    run: Run, tmp_path: Path, scarce: dict[str, int], sentence: str
) -> None:
    write_json(tmp_path / "dataset/summary.json", {"scarce_classes": scarce})
    (tmp_path / "config.json").symlink_to(run.root / "config.json")
    assert statements.underrepresented(Run(tmp_path)).startswith(sentence)


def test_conditions_of_the_diffusion_models(run: Run) -> None:
    text = statements.conditions(run)
    assert text.startswith("The condition of the diffusion model with discrete labels is the GOES")
    assert "that of the diffusion model with continuous labels is the X-ray flux" in text
    titles = statements.condition_titles(run)
    assert titles == "the GOES class, the X-ray flux and the GOES class with ceVAE embedding"


def test_best_model_and_test_split() -> None:
    summary = {
        "cevae": {"fid_clip": estimate(5.0), "f1": None},
        "ddpm_discrete": {"fid_clip": estimate(0.2), "f1": estimate(0.7)},
        "real": {"fid_clip": estimate(0.1), "f1": None},
    }
    text = statements.best_model(summary, "fid_clip", "simulated")
    assert text.startswith("The lowest FID (CLIP) is that of the diffusion model with discrete")
    assert text.endswith(r"; that of the simulated test split is $0.100 \pm 0.010$.")
    assert statements.best_model(summary, "f1").startswith("The highest F1")
    assert statements.best_model({"cevae": {"f1": None}}, "f1") == "No model has a value of F1."


def test_models_that_no_test_tells_apart_are_named_with_the_best() -> None:
    summary = {
        name: {"kid_clip": estimate(value), "fid_clip": None}
        for name, value in {"cevae": 0.9, "ddpm_discrete": 0.2, "ddpm_cevae": 0.21}.items()
    }
    text = statements.best_model(summary, "kid_clip")
    assert "with discrete labels, $0.200 \\pm 0.010$, from which the diffusion model" in text
    assert text.endswith("with labels and ceVAE embeddings is not told apart.")
    summary["ddpm_discrete"]["kid_clip"] = estimate(0.1)
    assert "not told apart" not in statements.best_model(summary, "kid_clip")


def test_controls_are_not_models_but_a_first_rank_of_the_copycat_is_said() -> None:
    summary = {
        "ddpm_discrete": {"fid_clip": estimate(0.2)},
        "copycat": {"fid_clip": estimate(0.1)},
        "phase_random": {"fid_clip": estimate(0.01)},
    }
    text = statements.best_model(summary, "fid_clip")
    assert text.startswith("The lowest FID (CLIP) is that of the diffusion model with discrete")
    assert text.endswith(r". Copies of training images rank first, with $0.100 \pm 0.010$.")
    summary["copycat"]["fid_clip"] = estimate(0.3)
    assert "Copies" not in statements.best_model(summary, "fid_clip")


def test_best_model_of_a_metric_with_another_ideal() -> None:
    summary = {
        "cevae": {"cluster_distance": estimate(2.2)},
        "ddpm_discrete": {"cluster_distance": estimate(0.9)},
    }
    text = statements.best_model(summary, "cluster_distance")
    assert text.startswith("The cluster distance closest to 1 is that of the diffusion model with")


def test_flux_response_has_spread_and_n() -> None:
    correlation = dict.fromkeys(("grid", "population", "train", "test"), estimate(0.75))
    response = {"correlation": correlation, "correlation_within_seeds": estimate(0.85)}
    text = statements.flux_response("ddpm_continuous", response)
    assert "continuous labels is $0.750 \\pm 0.010$ ($n = 10$) over the grid" in text
    assert "$0.850 \\pm 0.010$ ($n = 10$) on average within the images of one seed" in text
    assert "that of real frames is" in text


def test_every_diffusion_model_has_its_class_grid(tmp_path: Path) -> None:
    models = {"wide_2": {"kind": "ddpm", "condition": {"kind": "goes_class"}}}
    values = macros(Run(build_run(tmp_path, without=("ddpm_cevae",), models=models)))
    assert values["classgrid"].startswith(r"\pagefigure{class_grid_ddpm_discrete}{Images of the")
    further = values["furtherclassgrids"]
    assert r"\pagefigure{class_grid_ddpm_continuous}" in further
    assert r"\pagefigure{class_grid_wide_2}{Images of the model wide\_2. \gridcaption}" in further
    assert (
        r"\seefigure{class_grid_wide_2}{Figure~\ref{fig:class_grid_wide_2} shows images of"
        in (values["classgridsentences"])
    )


def shares(share: float | None, **changes: object) -> dict[str, object]:
    scale = {"expected": 0.0139, "low": 0.0, "high": 0.0677, "reason": None}
    return {"copy_share": share, **scale, **changes}


def test_copy_shares_have_the_scale_of_other_weeks() -> None:
    report = {"real": shares(0.0), "cevae": shares(0.0042), "ddpm_discrete": shares(0.1)}
    text = statements.copy_shares(report)
    assert r"Near copies are 0.4\,\% of the ceVAE, 10.0\,\% of the diffusion model with" in text
    assert r"0.0\,\% of the real test split; in training weeks that were left out" in text
    assert text.endswith(r"are 1.4\,\% (0.0\,\% to 6.8\,\% in 95\,\% of random sets of weeks).")
    few = {name: shares(0.1, low=None, high=None) for name in report}
    assert statements.copy_shares(few).endswith(r"left out they are 1.4\,\%.")


def test_copy_shares_that_are_not_measured_have_a_reason() -> None:
    report = {"real": shares(None, reason="too few weeks")}
    assert statements.copy_shares(report).endswith("is not measured: too few weeks.")
