"""What the panels show: closed forms, and classes named where they have no images."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from factories.run import build_run
from heliosynth.dataset.store import Description, LabelledImages
from heliosynth.figures import deviation, diffusion, grids, observations, simulated, style
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.run import Run

pytestmark = pytest.mark.xdist_group("figures")

FLUX = {"kind": "xray_flux"}


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


def with_changes(run: Run, **changes: object) -> Run:
    values = {field.name: getattr(run, field.name) for field in dataclasses.fields(run)}
    return Run(**{**values, "presentation_config": run.presentation.model_copy(update=changes)})


def test_scarce_class_is_named_with_its_frames(run: Run) -> None:
    figure = grids.class_grid(run, "ddpm_discrete")
    frames = run.summary["scarce_classes"]["A"]
    assert texts(figure).count(f"A: too few frames ({frames}),\nnot trained") == 2


def test_run_without_scarce_classes_shows_no_note(run: Run) -> None:
    class Complete(Run):
        @property
        def summary(self) -> dict[str, object]:
            return {**run.summary, "scarce_classes": {}}

    complete = Complete(**{f.name: getattr(run, f.name) for f in dataclasses.fields(run)})
    assert "too few" not in texts(grids.class_grid(complete, "ddpm_discrete"))


def test_images_are_called_simulated_or_real(run: Run) -> None:
    shown = texts(grids.class_grid(run, "ddpm_cevae")).splitlines()
    assert "simulated" in shown
    shown = texts(grids.class_grid(with_changes(run, source="archive"), "ddpm_cevae")).splitlines()
    assert "real" in shown
    assert "simulated" not in shown


def test_images_of_a_class_come_from_the_test_split_first(run: Run) -> None:
    test = run.split("test").of_classes([4]).images[:, 0]
    shown = grids.dataset_images(run, 4, 3)
    assert all(any(np.array_equal(image, other) for other in test) for image in shown)
    # A class with fewer test images than requested is filled from the other splits.
    assert len(test) < 20
    assert len(grids.dataset_images(run, 4, 20)) == 20


def test_two_models_of_a_kind_share_their_figures(tmp_path: Path) -> None:
    run = Run(
        build_run(
            tmp_path,
            models={
                "flux_2": {"kind": "ddpm", "condition": FLUX},
                "small_cevae": {"kind": "cevae", "latent_dim": 8},
            },
        )
    )
    levels = texts(grids.activity_levels(run))
    assert levels.count("flux_2\nlow") == levels.count("continuous labels\nlow") == 1
    samples = texts(grids.cevae_samples(run))
    assert "ceVAE, generated" in samples
    assert "small_cevae, generated" in samples


def test_cumulative_alphas_of_the_linear_schedule() -> None:
    alpha_bar = diffusion.cumulative_alphas(diffusion.STUDY_SCHEDULE)
    assert alpha_bar[0] == 1
    assert alpha_bar[1] == pytest.approx(1 - 1e-4)
    assert alpha_bar[2] == pytest.approx((1 - 1e-4) * (1 - (1e-4 + (0.02 - 1e-4) / 999)))
    assert alpha_bar[-1] == pytest.approx(4.036e-5, rel=1e-3)  # Ho et al. 2020: nearly pure noise


def test_deviation_is_in_dex() -> None:
    # Two images that differ by the whole range: a deviation of half of it.
    images = np.stack([np.full((1, 4, 4), -1.0), np.full((1, 4, 4), 1.0)]).astype(np.float32)
    two = LabelledImages(images, np.zeros(2, np.int8), np.zeros(2, np.float32), np.arange(2))
    description = Description("171A", 1.0, 1000.0, (0,), "", {})
    dex = deviation.deviation(two, description)
    assert dex is not None
    np.testing.assert_allclose(dex, 1.5)
    assert deviation.deviation(two.take(np.arange(1)), description) is None


def test_radial_profile_of_rings() -> None:
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(x - 31.5, y - 31.5) / 32
    radii, means = simulated.radial_profile(np.stack([distance, distance]).astype(np.float32), 30)
    np.testing.assert_allclose(means, radii, atol=1 / 30)


def test_envelope_keeps_peaks_and_gaps() -> None:
    time = np.arange(12000).astype("datetime64[s]")
    flux = np.ones(12000)
    flux[7777] = 9.0
    flux[100:200] = np.nan
    _, highest = observations.envelope(time, flux)
    assert len(highest) == observations.BINS
    assert np.nanmax(highest) == 9.0
    assert np.isnan(highest).sum() == 10


def test_flux_is_written_as_a_class() -> None:
    assert style.flux_text(np.log10(1.2e-5)) == "M1.2"
    assert style.flux_text(-8.5) == "A0.3"


def test_mosaic_panels_are_square_equal_and_apart() -> None:
    grid = mosaic(2, [3, 2])
    width, height = grid.figure.get_size_inches()
    boxes = [panel.get_position() for panel in grid.panels.flat]
    sides = np.array([(b.width * width, b.height * height) for b in boxes])
    np.testing.assert_allclose(sides, sides[0, 0])
    for first, second in zip(grid.panels[0], grid.panels[0][1:], strict=False):
        assert first.get_position().x1 < second.get_position().x0
    assert max(b.x1 for b in boxes) < grid.bar.get_position().x0 < 1
