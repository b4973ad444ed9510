"""Values as they are written: taken as meant, or refused with what to write instead."""

import datetime

import pytest

from heliosynth.config.loading import ConfigurationError, resolve
from helpers.configurations import merged

DAY = datetime.date(2012, 1, 31)


@pytest.mark.parametrize(
    ("section", "key", "written", "value"),
    [
        ("", "seed", "64", 64),
        ("", "seed", 64.0, 64),
        ("", "seed", "1_000", 1000),
        ("", "seed", "1e3", 1000),
        ("", "run", 2012, "2012"),
        ("", "run", DAY, "2012-01-31"),
        ("", "observations", 171, "171"),
        ("dataset", "xrs_csv_scale", "true", "true"),
        ("simulation", "flares_per_day", "1e-3", 0.001),
        ("simulation", "flares_per_day", 6, 6.0),
        ("simulation", "start", DAY, DAY),
        ("simulation", "start", "2012-01-31", DAY),
        ("simulation", "start", "2012-01-31T00:00:00Z", DAY),
        ("simulation", "start", datetime.datetime(2012, 1, 31), DAY),
        ("simulation", "start", datetime.datetime(2012, 1, 31, tzinfo=datetime.UTC), DAY),
    ],
)
def test_a_value_is_taken_as_meant(section: str, key: str, written: object, value: object) -> None:
    changes = {section: {key: written}} if section else {key: written}
    configuration = resolve(merged(**changes))
    assert getattr(getattr(configuration, section) if section else configuration, key) == value


EAST = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("section", "key", "written", "parts"),
    [
        ("", "seed", True, ["true or false", "integer", "digits"]),
        ("", "seed", "010", ["leading zeros", "octal"]),
        ("", "seed", "0x10", ["integer", "decimal digits", "0x10"]),
        ("", "seed", "12:30:00", ["integer", "12:30:00"]),
        ("", "seed", DAY, ["a date", "integer"]),
        ("", "seed", [3], ["integer", "[3]"]),
        ("", "run", True, ["true or false", "quotes"]),
        ("", "run", 1.5, ["a number", "quotes"]),
        ("", "run", ["a"], ["text", "['a']"]),
        ("", "observations", {"a": 1}, ["text"]),
        ("dataset", "scarce_classes", False, ["true or false", "quotes"]),
        ("dataset", "xrs_csv_scale", True, ["true or false", "quotes"]),
        ("dataset", "scarce_classes", "refused", ["refuse, report", "did you mean refuse?"]),
        ("dataset", "classes", ["A", "b"], ["dataset.classes.1", "did you mean B?"]),
        ("dataset", "classes", "A", ["a list", "[first, second]", "'A'"]),
        ("dataset", "split", 3, ["a section"]),
        ("simulation", "start", 2012, ["a day", "2012-01-31"]),
        ("simulation", "start", 86400, ["a day", "2012-01-31"]),
        ("simulation", "start", "86400", ["a day", "2012-01-31"]),
        ("simulation", "start", "31.1.2012", ["a day", "2012-01-31"]),
        ("simulation", "start", "2012-02-30", ["calendar"]),
        ("simulation", "start", "1850-01-01", ["simulation.start", "1970"]),
        ("simulation", "start", datetime.datetime(2012, 1, 31, 5), ["without a time"]),
        ("simulation", "start", datetime.datetime(2012, 1, 31, tzinfo=EAST), ["without a time"]),
        ("simulation", "flares_per_day", "nan", ["a number", "'nan'"]),
        ("simulation", "flares_per_day", float("inf"), ["finite"]),
        ("evaluation", "encoders", ["Clip"], ["did you mean clip?"]),
    ],
)
def test_a_value_with_two_readings_is_refused(
    section: str, key: str, written: object, parts: list[str]
) -> None:
    changes = {section: {key: written}} if section else {key: written}
    with pytest.raises(ConfigurationError) as caught:
        resolve(merged(**changes))
    message = str(caught.value)
    assert message.startswith(f"{section}.{key}".strip("."))
    assert [part for part in parts if part not in message] == []
    assert len(message.splitlines()) == 1


def test_true_and_false_can_be_words() -> None:
    for word, value in (("yes", True), ("off", False), ("True", True), (0, False)):
        flips = {"defaults": {"ddpm": {"training": {"flips": word}}}}
        assert resolve(merged(**flips)).models["ddpm_discrete"].training.flips is value


@pytest.mark.parametrize(
    ("changes", "suggestion"),
    [
        ({"image_size_px": 64}, "did you mean dataset.image_size_px?"),
        ({"simulation": {"image_size_px": 64}}, "did you mean dataset.image_size_px?"),
        ({"default": {}}, "did you mean defaults?"),
        ({"learning_rate": 1}, "did you mean defaults.ddpm.training.learning_rate?"),
        ({"defaults": {"ddmp": {}}}, "did you mean ddpm?"),
        ({"defaults": {"ddpm": {"presets": "quick"}}}, "did you mean defaults.ddpm.preset?"),
        (
            {"models": {"cevae": {"guidance": 1}}},
            "unknown key; remove it, or use one of models.cevae of kind cevae: ",
        ),
        (
            {"models": {"ddpm_cevae": {"network": {"widths": [8] * 4}}}},
            "did you mean models.ddpm_cevae.network.width?",
        ),
        (
            {"models": {"ddpm_cevae": {"batch_size": 3}}},
            "did you mean models.ddpm_cevae.training.batch_size?",
        ),
        ({"dataset": {"nonsense": 1}}, "use one of dataset: channel, image_size_px"),
    ],
)
def test_a_suggestion_is_a_key_that_exists_there(changes: dict, suggestion: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(merged(**changes))
    message = str(caught.value)
    assert suggestion in message
    key = message.split(": ")[0]
    assert f"did you mean {key}?" not in message
