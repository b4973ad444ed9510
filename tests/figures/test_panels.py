"""What the panels show: closed forms, and classes named where they lack."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from heliosynth.dataset.store import Description, LabelledImages
from heliosynth.figures import deviation, diffusion, grids, observations, simulated
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.run import Run


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


def test_scarce_class_is_named_with_its_frames(products: Run) -> None:
    figure = grids.class_grid(products, "ddpm_discrete")
    assert texts(figure).count("A: too few frames (12),\nnot trained") == 2


def test_simulated_truth_is_called_so(products: Run) -> None:
    assert "true (simulated)" in texts(grids.class_grid(products, "ddpm_cevae"))


def test_true_images_come_from_the_test_split_first(products: Run) -> None:
    test = products.split("test").of_classes([4]).images[:, 0]
    shown = grids.true_images(products, 4, 3)
    assert all(any(np.array_equal(image, own) for own in test) for image in shown)
    # A class with fewer test images than wanted is filled from the other splits.
    assert len(grids.true_images(products, 0, 10)) == 10


def test_signal_of_the_linear_schedule() -> None:
    kept = diffusion.signal(diffusion.STUDY_SCHEDULE)
    assert kept[0] == 1
    assert kept[1] == pytest.approx(1 - 1e-4)
    assert kept[2] == pytest.approx((1 - 1e-4) * (1 - (1e-4 + (0.02 - 1e-4) / 999)))
    assert kept[-1] == pytest.approx(4.036e-5, rel=1e-3)  # Ho et al. 2020: nearly pure noise


def test_deviation_is_in_dex() -> None:
    # Two images that differ by the whole range: a deviation of half of it.
    images = np.stack([np.full((1, 4, 4), -1.0), np.full((1, 4, 4), 1.0)]).astype(np.float32)
    two = LabelledImages(images, np.zeros(2, np.int8), np.zeros(2, np.float32), np.arange(2))
    description = Description("171A", 1.0, 1000.0, (0,), "", {})
    found = deviation.deviation(two, description)
    assert found is not None
    np.testing.assert_allclose(found, 1.5)
    assert deviation.deviation(two.take(np.arange(1)), description) is None


def test_radial_profile_of_rings() -> None:
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(x - 31.5, y - 31.5) / 32
    places, means = simulated.radial_profile(np.stack([distance, distance]).astype(np.float32), 30)
    np.testing.assert_allclose(means, places, atol=1 / 30)


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
    assert grids.flux_text(np.log10(1.2e-5)) == "M1.2"
    assert grids.flux_text(-8.5) == "A0.3"


def test_mosaic_panels_are_square_equal_and_apart() -> None:
    grid = mosaic(2, [3, 2])
    width, height = grid.figure.get_size_inches()
    boxes = [panel.get_position() for panel in grid.panels.flat]
    sides = np.array([(b.width * width, b.height * height) for b in boxes])
    np.testing.assert_allclose(sides, sides[0, 0])
    for first, second in zip(grid.panels[0], grid.panels[0][1:], strict=False):
        assert first.get_position().x1 < second.get_position().x0
    assert max(b.x1 for b in boxes) < grid.bar.get_position().x0 < 1


def test_a_run_without_scarce_classes_shows_no_note(products: Run) -> None:
    class Whole(Run):
        @property
        def summary(self) -> dict[str, object]:
            return {**products.summary, "scarce_classes": {}}

    whole = Whole(**{f.name: getattr(products, f.name) for f in dataclasses.fields(products)})
    assert "too few" not in texts(grids.class_grid(whole, "ddpm_discrete"))
