"""Refusals of labels that select no frame, or none of a class, with the true reason."""

from __future__ import annotations

import pytest

from heliosynth.catalogue import labels, selection
from heliosynth.config.dataset import MaxWithinConfig
from heliosynth.errors import InputError
from helpers.observations import make_flares, make_frames, make_xrs

LARGEST = MaxWithinConfig(rule="max_within", window_minutes=60)
LEAVE_OUT = LARGEST.model_copy(update={"without_flare": "leave_out"})
TIMES = [0, 7200, 14_400, 90_000]


def refusal(table, classes="ABCMX", require_all=False):
    with pytest.raises(InputError) as error:
        selection.check_classes(table, classes, require_all=require_all)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_empty_class_is_named():
    table = labels.label_frames(
        make_frames([0, 9000]), make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST
    )
    selection.check_classes(table, "BCM", require_all=False)
    assert "class C, X is empty after labelling 2 frames: remove" in refusal(table, "BCMX", True)


def test_a_class_whose_frames_are_all_flagged_says_so():
    frames = make_frames([0, 9000])
    frames.loc[0, "quality"] = 1 << 13
    table = labels.label_frames(frames, make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST)
    message = refusal(table, "BM", True)
    assert "class M is empty after labelling 1 frames (1 with the reason 'quality flag" in message


def test_flagged_frames_are_the_reason():
    frames = make_frames(TIMES).assign(quality=1 << 13)
    frames.loc[2, "quality"] = 1
    table = labels.label_frames(frames, make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST)
    message = refusal(table)
    assert message.startswith("none of 4 frames is selected: 3 with the reason 'quality flag")
    assert "1 with the reason 'quality flag" in message
    assert "check the keyword QUALITY" in message
    assert "window_minutes" not in message


def test_frames_without_a_peak_are_the_reason():
    flares = make_flares([200_000], ["M1.0"])
    table = labels.label_frames(make_frames(TIMES), make_xrs(3e-7), flares, LEAVE_OUT)
    message = refusal(table)
    assert "none of 4 frames is selected: 4 with the reason 'no flare peak in the" in message
    assert "dataset.labels.window_minutes" in message


def test_frames_without_flux_are_the_reason():
    frames = make_frames([90 * 86_400])
    table = labels.label_frames(frames, make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST)
    message = refusal(table)
    assert "1 with the reason 'no flare and no X-ray flux'" in message
    assert "light curves of the time of the frames" in message


def test_classes_that_were_not_asked_for_are_the_reason():
    table = labels.label_frames(
        make_frames(TIMES), make_xrs(3e-7), make_flares([0], ["M1.0"]), LARGEST, ["A", "X"]
    )
    message = refusal(table, "AX")
    assert "3 with the reason 'class not of the study: B'" in message
    assert "1 with the reason 'class not of the study: M'" in message
    assert "dataset.classes" in message
