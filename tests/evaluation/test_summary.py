"""The summary of all models' metrics."""

import pytest

from heliosynth.errors import InputError
from heliosynth.evaluation.metrics import metric_names
from heliosynth.evaluation.summary import summarise
from heliosynth.io.files import write_json


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the metrics of a model."""

    def write_metrics(name, encoders=("clip",), without=(), **more):
        path = tmp_path / f"{name}.json"
        row = {metric: None for metric in metric_names(encoders) if metric not in without}
        about = {"about": {"encoders": {key: {} for key in encoders}}}
        write_json(path, {"name": name, **row, "f1_by_class": None, **about, **more})
        return path

    return write_metrics


def test_the_summary_holds_the_metrics_only(write):
    summary = summarise([write("a"), write("b")])
    assert summary == {name: dict.fromkeys(metric_names(["clip"])) for name in ("a", "b")}


def test_a_metric_without_a_row_is_named(write):
    more = {"density": {"value": 1.0, "std": 0.0, "n": 2}}
    with pytest.raises(InputError, match=r"b\.json: metric 'density' not found in the registry"):
        summarise([write("a"), write("b", **more)])


def test_a_missing_metric_is_named(write):
    with pytest.raises(InputError, match=r"a\.json: metric 'recall' is missing"):
        summarise([write("a", without=["recall"])])


def test_an_encoder_of_one_file_only_is_named(write):
    both = write("b", encoders=("clip", "efficientnet_lite0"))
    with pytest.raises(InputError, match=r"b\.json: .*'fid_efficientnet_lite0' is not in all"):
        summarise([write("a"), both])


def test_an_encoder_that_was_removed_is_named(write):
    with pytest.raises(InputError, match=r"a\.json: metric 'fid_inception' not found"):
        summarise([write("a", encoders=("inception",))])


@pytest.mark.parametrize("content", [[], {}, {"name": "a"}, {"name": "a", "about": {}}])
def test_a_file_without_metrics_is_named(tmp_path, content):
    write_json(tmp_path / "a.json", content)
    with pytest.raises(InputError, match=r"a\.json: not a file of metrics"):
        summarise([tmp_path / "a.json"])
