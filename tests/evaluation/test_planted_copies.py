"""Planted copies of a small simulated Sun are found, and real frames of other weeks are not."""

import numpy as np
import pytest

from heliosynth.evaluation.copy_share import LeftOut
from heliosynth.evaluation.memorisation import SearchSet, search, search_other_weeks
from heliosynth.evaluation.planted_copies import ALTERATIONS, PowerJson, measure_power, shrink
from heliosynth.evaluation.resampling import time_blocks
from helpers.rotating_sun import rotating_suns

SIZE_PX = 32
WEEKS = 4
"""Last weeks of the Sun, which are held out."""


@pytest.fixture(scope="module")
def sun():
    images, time = rotating_suns(days=98, per_day=3, size_px=SIZE_PX)
    return images, time, time_blocks(time, 7)


@pytest.fixture(scope="module")
def left_out(sun):
    images, time, blocks = sun
    training = SearchSet.of(images, time, blocks)
    return training, LeftOut.of(search_other_weeks(images, training), blocks, seed=0)


@pytest.fixture(scope="module")
def powers(sun, left_out) -> dict[str, PowerJson]:
    training, calibration = left_out
    return measure_power(sun[0], training, calibration.thresholds, seed=0)


@pytest.mark.parametrize("kind", ["noisy", "very_noisy", "mirrored", "blurred", "blended"])
def test_planted_copies_are_found(powers, kind):
    assert powers[kind]["power"] >= 0.95
    assert powers[kind]["power_both"] >= 0.95


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_altered_frames_of_other_weeks_are_not_flagged(powers, kind):
    assert powers[kind]["false_alarm"] <= 0.08
    # A smooth or under-dispersed generator is not accused by both.
    assert powers[kind]["false_alarm_both"] <= 0.03


def test_false_alarms_of_left_out_weeks_are_few(left_out):
    alarms = left_out[1].alarms
    assert alarms["ratio"]["blocks"] == 14
    assert 0 < alarms["ratio"]["mean"] < 0.05
    assert alarms["both"]["mean"] <= alarms["ratio"]["mean"] <= alarms["ratio"]["worst"]


def test_held_out_weeks_are_not_flagged_and_copies_among_them_are(sun):
    images, time, blocks = sun
    held_out = blocks >= blocks.max() - WEEKS
    train = time < time[held_out].min() - 4 * 86_400
    training = SearchSet.of(images[train], time[train], blocks[train])
    matches = search_other_weeks(images[train], training)
    thresholds = LeftOut.of(matches, blocks[train], seed=0).thresholds
    strangers = images[held_out]
    flags = thresholds.flag(search(strangers, training))
    assert flags["ratio"].mean() < 0.1
    mixed = strangers.copy()
    mixed[::4] = np.flip(images[train][: len(mixed[::4])], -1)
    assert thresholds.flag(search(mixed, training))["both"][::4].all()


def test_distance_alone_would_accuse_shrunk_frames(sun, left_out):
    # The reason for a ratio: frames shrunk to the mean are near to every training frame.
    images, (training, calibration) = sun[0], left_out
    shrunk = shrink(images, images, training.mean, np.random.default_rng(0))
    real, near = (search(frames, training, np.arange(len(images))) for frames in (images, shrunk))

    def nearest(frames, matches):
        return np.linalg.norm((frames - images[matches.nearest]).reshape(len(images), -1), axis=1)

    closer = nearest(shrunk, near) < np.quantile(nearest(images, real), 0.01)
    assert closer.mean() > 0.9
    assert calibration.thresholds.flag(near)["both"].mean() < 0.02


def test_power_is_the_same_for_a_seed_and_needs_few_images(sun, left_out, powers):
    training, calibration = left_out
    assert measure_power(sun[0], training, calibration.thresholds, seed=0) == powers
    assert {entry["n"] for entry in powers.values()} == {200}
    few = SearchSet.of(sun[0][::7], sun[1][::7], sun[2][::7])
    sparse = measure_power(sun[0][::7], few, calibration.thresholds, seed=0)
    assert {entry["n"] for entry in sparse.values()} == {42}
