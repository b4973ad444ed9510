"""The registry of figures: light, complete, and the same for any names of the models."""

import dataclasses
import subprocess
import sys

import pytest

from heliosynth import registry as references
from heliosynth.config.presentation import PresentationConfig
from heliosynth.errors import InputError
from heliosynth.figures import registry
from heliosynth.figures.registry import FIGURES, of_run

STUDY = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")


def presentation(*models: str, flux: tuple[str, ...] = ()) -> PresentationConfig:
    return PresentationConfig(
        source="simulated",
        seed=1,
        channel="171A",
        classes=["B", "C"],
        minimum_frames=16,
        models={name: "cevae" if "cevae" in name[:5] else "ddpm" for name in models},
        flux_models=list(flux),
    )


def test_import_needs_no_plotting_library() -> None:
    code = (
        "import sys, heliosynth.figures.registry as registry\n"
        "registry.check_figures()\n"
        "assert not {'matplotlib', 'torch', 'sunpy', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_of_the_study_keep_their_names() -> None:
    assert list(of_run(presentation(*STUDY, flux=("ddpm_continuous",)))) == [
        "xrs_and_frames",
        "class_distribution",
        "coverage",
        "label_agreement",
        "label_cross_check",
        "likeness",
        "class_montage",
        "refused_frames",
        "forward_diffusion",
        "unet",
        "training_curves",
        "cevae_samples",
        "class_grid_ddpm_discrete",
        "class_grid_ddpm_continuous",
        "class_grid_ddpm_cevae",
        "activity_levels",
        "flux_response",
        "standard_deviation_maps",
        "cevae_embedding",
        "metrics_comparison",
        "physics",
        "physics_curves",
        "nearest_pairs_cevae",
        "nearest_pairs_ddpm_discrete",
        "nearest_pairs_ddpm_continuous",
        "nearest_pairs_ddpm_cevae",
        "application_accuracy",
        "simulated_against_real",
    ]


def test_every_diffusion_model_has_a_class_grid() -> None:
    figures = of_run(presentation("cevae", "wide", "deep-2", flux=("deep-2",)))
    grids = [name for name in figures if name.startswith("class_grid_")]
    assert grids == ["class_grid_wide", "class_grid_deep-2"]
    wide = figures["class_grid_wide"]
    assert wide.model == "wide"
    assert "samples/wide.h5" in wide.products
    assert "the model wide" in wide.caption


def test_figures_of_the_flux_need_a_model_of_the_flux() -> None:
    models = ("cevae", "ddpm_discrete", "mine")
    flux_figures = {"activity_levels", "flux_response"}
    assert not flux_figures & set(of_run(presentation(*models)))
    assert flux_figures <= set(of_run(presentation(*models, flux=("mine",))))


def test_raw_frames_are_compared_with_an_archive_only() -> None:
    study = presentation(*STUDY)
    assert set(of_run(study)) - set(of_run(study, archive=False)) == {"simulated_against_real"}


@pytest.mark.parametrize("name", FIGURES)
def test_a_row_names_a_function_and_its_module(name: str) -> None:
    row = FIGURES[name]
    assert callable(references.resolve(row.reference))
    assert row.reference.startswith(f"{row.module}:")


def test_a_row_without_a_function_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    row = dataclasses.replace(FIGURES["unet"], plot="architecture:u_net")
    monkeypatch.setattr(registry, "FIGURES", {**FIGURES, "unet": row})
    with pytest.raises(InputError, match="does not define u_net"):
        registry.check_figures()
