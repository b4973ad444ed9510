"""The n-th call of open, write, sync, rename or delete fails, for every n and every writer."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.faults import compiled, inject
from helpers.writers import WRITERS

pytestmark = [pytest.mark.robustness, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each fault left of each product, from one process that imports everything once."""
    folder = tmp_path_factory.mktemp("faults")
    library = compiled(folder)
    if library is None:
        pytest.skip("no C compiler")
    return inject(library, folder, list(WRITERS))


@pytest.mark.parametrize("name", WRITERS)
def test_a_failed_call_leaves_the_old_or_the_new_product(
    results: list[dict[str, Any]], name: str
) -> None:
    cases = [result for result in results if result["name"] == name]
    assert {case["kind"] for case in cases} >= {"open", "write", "fsync", "rename", "mkdir"}
    for case in cases:
        assert "harness" not in case, case
        assert case["is_old"] or case["is_new"], case
        # A call can also fail after the product has its name, or while the old one is deleted.
        assert case["is_new"] or case["error"], case
        assert case["error"] in ("", "InputError"), case
        assert case["named"] or not case["error"], case
        assert case["left"] == [], case
