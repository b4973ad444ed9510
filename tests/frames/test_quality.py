"""Quality measures and rejections of frames."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from heliosynth.errors import InputError
from heliosynth.frames import quality, rolls
from heliosynth.frames.averaging import average
from heliosynth.frames.intensity import check_intensities
from heliosynth.sources import sdoml
from heliosynth.sources.zarr_store import array_names
from helpers.project import ROOT
from helpers.suns import make_suns


def reasons(images):
    """Return the reasons to reject frames that are two hours apart."""
    lost = np.zeros(len(images), dtype=np.int64)
    time = 7200 * np.arange(len(images))
    measures = {**quality.measure(images), "lost_pixels": lost, "time": time}
    return quality.rejections(measures).tolist()


def test_good_frames_pass():
    assert reasons(make_suns(6)) == [""] * 6


@pytest.mark.parametrize(
    ("size", "x", "y"), [(64, 0.0, 0.0), (128, 0.02, -0.03), (200, -0.04, 0.0)]
)
def test_the_fitted_limb_matches_the_frame(size, x, y):
    measures = quality.measure(make_suns(3, size, x, y))
    assert measures["limb_x"] == pytest.approx(x, abs=0.015)
    assert measures["limb_y"] == pytest.approx(y, abs=0.015)
    assert measures["limb_radius"] == pytest.approx(0.45, abs=0.025)


def test_faulty_frames_are_rejected_with_the_reason():
    images = make_suns(12, 128)
    images[1, 40:44] = np.nan
    images[2] = 0
    images[3] = np.nan
    images[4, 40:80, 40:80] = 0
    images[5] = np.minimum(images[5], 410)
    images[6] *= 0.1
    images[7] *= 10
    images[8] = make_suns(1, 128, x=0.05)[0]
    images[9] = np.random.default_rng(0).lognormal(6, 0.3, (128, 128))
    images[11] = images[10]
    assert reasons(images) == [
        "",
        quality.MISSING,
        quality.BLANK,
        quality.MISSING,
        quality.DARK,
        quality.SATURATED,
        quality.DIM,
        quality.BRIGHT,
        quality.OFF_POINTING,
        quality.NO_LIMB,
        "",
        quality.REPEAT,
    ]


@pytest.mark.parametrize("centre", [(5, 64), (64, 15), (110, 100)])
def test_a_frame_with_the_moon_on_the_disk_is_rejected(centre):
    images = make_suns(5, 128)
    rows, columns = np.mgrid[:128, :128]
    images[2][np.hypot(rows - centre[0], columns - centre[1]) < 52] = 3
    assert reasons(images)[2] == quality.DARK
    assert reasons(images)[:2] == ["", ""]


def test_a_frame_with_another_disk_size_is_rejected():
    images = make_suns(7, 128)
    inner = images[0][8:-8, 8:-8]
    rows = np.arange(128) * len(inner) // 128
    images[0] = inner[rows][:, rows]
    assert reasons(images) == [quality.DISK_SIZE, *[""] * 6]


@pytest.fixture
def loops():
    """Suns with bright loops above the limb, in two latitude belts and one at a pole."""
    images = make_suns(8, 128)
    for angle, brightness in ((15, 900), (-20, 600), (165, 700), (200, 400), (80, 300)):
        x, y = 64 + 60 * np.cos(np.radians(angle)), 64 + 60 * np.sin(np.radians(angle))
        rows, columns = np.mgrid[:128, :128]
        images += brightness * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 60)
    return images


@pytest.mark.parametrize("degrees", [15, 47, 90, 180, 270])
def test_rolled_frames_are_rejected(loops, degrees):
    rolled = ndimage.rotate(
        loops[3:5], degrees, axes=(1, 2), reshape=False, order=1, mode="nearest"
    )
    loops[3:5] = rolled
    assert reasons(loops) == [*[""] * 3, quality.ROLLED, quality.ROLLED, *[""] * 3]


def test_a_frame_with_a_small_roll_passes(loops):
    loops[3] = ndimage.rotate(loops[3], 3, reshape=False, order=1, mode="nearest")
    assert reasons(loops) == [""] * 8


def test_frames_of_other_days_do_not_show_a_roll(loops):
    corona = quality.measure(loops)["corona"]
    corona[4] = np.roll(corona[4], 20)
    hours = 3600 * np.arange(8)
    assert rolls.rolled(corona, hours).tolist() == [frame == 4 for frame in range(8)]
    assert not rolls.rolled(corona, 48 * hours).any()


def test_a_frame_with_a_few_missing_pixels_passes():
    images = make_suns(3, 128)
    images[0, 60, 60] = np.nan
    assert reasons(images) == [""] * 3


@pytest.mark.archive
def test_at_most_one_percent_of_real_frames_is_rejected(archive):
    rows = np.arange(0, 6033, 12)
    frames = sdoml.open_channel(archive / "aia" / "sdomlv2.zarr", 2012, "171A")
    images = np.concatenate([part.value for part in frames.read(rows, np.copy)])
    rejected = np.array(reasons(images))
    assert (rejected != "").mean() < 0.01
    assert quality.ROLLED not in rejected


def belt_suns(count, size=128):
    """Return Suns whose corona is bright above the belts of active regions, as it is."""
    images = make_suns(count, size)
    axis = (np.arange(size) + 0.5) / size - 0.5
    y, x = np.meshgrid(axis, axis, indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    corona = 900 * np.exp(-np.abs(radius - 0.45) / 0.05) * np.exp(2 * (np.cos(2 * angle) - 1))
    return (images + corona).astype(np.float32)


@pytest.fixture
def archive_of_belts():
    """Twelve good frames, two hours apart."""
    return belt_suns(12)


def shifted(image, columns, rows):
    """Return a frame of an off-pointed telescope, whose field ends where it is shifted."""
    field = np.full_like(image, image.min())
    field[12:116, 12:116] = image[12:116, 12:116]
    return np.roll(field, (rows, columns), (0, 1))


def labelled(image):
    """Return a frame with the label of a browse image in a corner."""
    image = image.copy()
    image[2:4, 0:26] = 40 + 160 * (np.arange(52).reshape(2, 26) % 3 == 0)
    return image


FAULTS = {
    "black": (lambda image: np.full_like(image, 30), quality.BLANK),
    "nearly black": (lambda image: 30 + 2 * image / image.max(), quality.BLANK),
    "far off": (
        lambda image: np.where(np.add.outer(range(128), range(128)) > 230, image, image.min()),
        quality.OFF_POINTING,
    ),
    "off": (lambda image: np.roll(image, 6, axis=1), quality.OFF_POINTING),
    "off the field": (lambda image: shifted(image, 10, 0), quality.CUT_OFF),
    "rolled": (np.rot90, quality.ROLLED),
    "lost blocks": (
        lambda image: np.where(image.T[:1] > 0, image * (np.arange(128) < 80), 0),
        quality.DARK,
    ),
    "all missing": (lambda image: np.full_like(image, np.nan), quality.MISSING),
    "partly missing": (lambda image: np.where(np.arange(128) < 20, np.nan, image), quality.MISSING),
    "label": (labelled, quality.LABELLED),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("position", [0, 5, 11])
def test_a_fault_is_found_anywhere_in_a_series(archive_of_belts, fault, position):
    spoil, reason = FAULTS[fault]
    archive_of_belts[position] = spoil(archive_of_belts[position])
    expected = [""] * 12
    expected[position] = reason
    assert reasons(archive_of_belts) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_in_a_single_frame(archive_of_belts, fault):
    spoil, reason = FAULTS[fault]
    assert reasons(spoil(archive_of_belts[0])[None].astype(np.float32)) == [reason]


@pytest.mark.parametrize("factor", [0.1, 10])
def test_another_scaling_is_found_among_frames_of_its_year(archive_of_belts, factor):
    archive_of_belts[0] *= factor
    expected = quality.BRIGHT if factor > 1 else quality.DIM
    assert reasons(archive_of_belts) == [expected, *[""] * 11]
    assert reasons(archive_of_belts[:1]) == [""], "a single frame has nothing to compare with"


def test_bad_frames_do_not_count_as_typical(archive_of_belts):
    images = np.stack([archive_of_belts[0], *[np.full((128, 128), 30, np.float32)] * 3])
    assert reasons(images) == ["", *[quality.BLANK] * 3]


def test_a_dark_corona_is_found_in_channels_that_have_a_bright_one(archive_of_belts):
    radius = np.hypot(*np.mgrid[-63.5:64, -63.5:64]) / 128
    dark = np.where(radius > 0.46, 8, archive_of_belts[:3]).astype(np.float32)
    measures = {**quality.measure(dark), "lost_pixels": np.zeros(3), "time": np.arange(3)}
    assert quality.rejections(measures, "211A").tolist() == [quality.OTHER_CHANNEL] * 3
    assert quality.OTHER_CHANNEL not in quality.rejections(measures, "304A")


@pytest.mark.parametrize("degrees", [40, 130])
@pytest.mark.parametrize("at", [slice(0, 1), slice(-1, None), slice(0, 2), slice(-3, None)])
def test_rolls_at_the_ends_of_a_series_are_found(loops, degrees, at):
    loops = np.concatenate([loops, make_suns(2, 128) + loops[:2] - loops[:2].min()])[:8]
    good = loops.copy()
    loops[at] = ndimage.rotate(
        loops[at], degrees, axes=(1, 2), reshape=False, order=1, mode="nearest"
    )
    corona = quality.measure(loops)["corona"]
    expected = np.zeros(8, dtype=bool)
    expected[at] = True
    time = 7200 * np.arange(8)
    assert rolls.rolled(corona, time).tolist() == expected.tolist()
    assert not rolls.rolled(quality.measure(good)["corona"], time).any()


SAMPLES = ROOT.parent / "shared" / "samples"
VERDICTS = {
    (2010, 0): quality.LABELLED,
    (2011, 0): quality.CUT_OFF,
    (2013, 0): quality.ROLLED,
    (2013, 1): quality.OFF_POINTING,
    (2016, 0): quality.BLANK,
    (2016, 1): quality.OTHER_CHANNEL,
}
AMONG_OTHERS = {**VERDICTS, (2010, 0): quality.BRIGHT}
"""Reasons for the real bad frames: by themselves, and among the good frames of a real archive."""


def measured_store(store, year, channel):
    """Return the quality measures of all frames of a year, and their times."""
    frames, header = (
        sdoml.open_channel(store, year, channel),
        sdoml.read_header(store, year, channel),
    )
    parts = list(frames.read(header["store_row"].to_numpy(), partial(average, size=64)))
    names = parts[0].value.measures
    measures = {name: np.concatenate([p.value.measures[name] for p in parts]) for name in names}
    order = np.argsort(np.argsort(header["store_row"].to_numpy()))
    measures = {name: values[order] for name, values in measures.items()}
    return {**measures, "time": header["time"].to_numpy("datetime64[s]").astype(np.int64)}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no real frames at {SAMPLES}")
@pytest.mark.parametrize("year", [2010, 2011, 2013, 2016])
def test_real_bad_frames_are_rejected_by_themselves(year):
    measures = measured_store(SAMPLES / "aia211_bad.zarr", year, "211A")
    expected = [reason for (of_year, _), reason in VERDICTS.items() if of_year == year]
    assert quality.rejections(measures, "211A").tolist() == expected


@pytest.mark.skipif(
    not (SAMPLES.parent / "aia211_2010_2014").is_dir(), reason="no real archive of 211A"
)
@pytest.mark.parametrize("bad_year", [2010, 2011, 2013, 2016])
def test_real_bad_frames_are_rejected_among_good_ones(bad_year):
    store = SAMPLES.parent / "aia211_2010_2014" / "aia" / "sdomlv2.zarr"
    year = 2014 if bad_year == 2016 else bad_year
    good = measured_store(store, year, "211A")
    bad = measured_store(SAMPLES / "aia211_bad.zarr", bad_year, "211A")
    joined = {name: np.concatenate([good[name], bad[name]]) for name in good}
    order = np.argsort(joined["time"], kind="stable")
    joined = {name: values[order] for name, values in joined.items()}
    found = quality.rejections(joined, "211A")[np.argsort(order)]
    expected = [reason for (of_year, _), reason in AMONG_OTHERS.items() if of_year == bad_year]
    assert found[len(good["time"]) :].tolist() == expected
    assert found[: len(good["time"])].tolist() == quality.rejections(good, "211A").tolist()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no real frames at {SAMPLES}")
def test_real_frames_of_seven_channels_are_read_and_good():
    store = SAMPLES / "multichannel.zarr"
    counts = {}
    for year in sdoml.years(store):
        for channel in array_names(store / str(year)):
            measures = measured_store(store, year, channel)
            counts[year, channel] = len(measures["time"])
            assert set(quality.rejections(measures, channel)) == {""}
            check_intensities("store", channel, measures)
    of_2025 = {"94A": 2, "131A": 2, "171A": 3, "193A": 1, "211A": 2, "304A": 2, "335A": 2}
    assert counts == {
        (2013, "193A"): 1,
        (2021, "171A"): 1,
        **{(2025, channel): count for channel, count in of_2025.items()},
    }
    assert sum(counts.values()) == 16


@pytest.mark.parametrize(
    ("convert", "message"),
    [
        (lambda dn: dn / dn.max(), "median of 0.*not 15 to 4000 DN"),
        (np.log10, "median of 2.*logarithmic"),
        (lambda dn: dn * 100, "not 15 to 4000 DN"),
        (lambda dn: np.round(np.sqrt(dn / dn.max()) * 255), "8-bit images"),
    ],
)
def test_a_year_of_frames_not_in_dn_is_an_error(archive_of_belts, convert, message):
    check_intensities("store: 2012/171A", "171A", quality.measure(archive_of_belts))
    measures = quality.measure(convert(archive_of_belts).astype(np.float32))
    with pytest.raises(InputError, match=rf"store: 2012/171A: .*{message}"):
        check_intensities("store: 2012/171A", "171A", measures)


def test_normalised_frames_of_a_faint_channel_are_an_error(archive_of_belts):
    measures = quality.measure(archive_of_belts / archive_of_belts.max())
    with pytest.raises(InputError, match="brightest pixel is 1 DN"):
        check_intensities("store: 2012/94A", "94A", measures)
