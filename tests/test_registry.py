"""References of registries."""

import pytest

from heliosynth import registry
from heliosynth.errors import InputError


def test_a_reference_is_checked_and_resolved() -> None:
    registry.check("heliosynth.errors:InputError")
    assert registry.resolve("heliosynth.errors:InputError") is InputError


def test_imported_names_and_constants_count_as_defined() -> None:
    registry.check("heliosynth.registry:InputError")
    registry.check("heliosynth.registry:SOURCE")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("heliosynth.absent:name", "module heliosynth.absent not found"),
        ("heliosynth.errors:absent", "heliosynth.errors does not define absent"),
    ],
)
def test_a_wrong_reference_is_rejected(reference: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        registry.check(reference)


def test_the_keys_of_a_mapping_are_read_from_its_source() -> None:
    assert "ddim" in registry.keys("heliosynth.config.models:SAMPLERS")
    with pytest.raises(InputError, match="not a mapping"):
        registry.keys("heliosynth.registry:SOURCE")
    with pytest.raises(InputError, match="not a mapping"):
        registry.keys("heliosynth.absent:NAMES")
