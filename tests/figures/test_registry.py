"""The registry is light, and says what each figure reads."""

import subprocess
import sys

import fake_run
from heliosynth.figures import registry
from heliosynth.figures.registry import FIGURES


def test_import_needs_no_plotting_library() -> None:
    code = (
        "import sys, heliosynth.figures.registry\n"
        "assert not {'matplotlib', 'torch', 'sunpy', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_of_a_run_follow_its_models_and_archive() -> None:
    flux = ["ddpm_continuous"]
    everything = set(registry.of_run(fake_run.MODELS, flux, archive=True))
    assert everything == set(FIGURES)
    assert everything - set(registry.of_run(fake_run.MODELS, flux, archive=False)) == {
        "simulated_against_real"
    }
    few = set(registry.of_run(["cevae", "ddpm_discrete"], [], archive=False))
    assert "class_grid_ddpm_discrete" in few
    assert not {"class_grid_ddpm_cevae", "activity_levels", "flux_response"} & few
    named_otherwise = registry.of_run(["ddpm_discrete", "mine"], ["mine"], archive=False)
    assert "flux_response" in set(named_otherwise)
