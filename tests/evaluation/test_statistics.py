"""The registry of physical statistics."""

import inspect
import subprocess
import sys

import pytest

from heliosynth import registry
from heliosynth.evaluation.statistics import STATISTICS


@pytest.mark.parametrize("key", STATISTICS)
def test_a_function_takes_what_its_row_declares(key):
    row = STATISTICS[key]
    registry.check(row.function)
    parameters = list(inspect.signature(registry.resolve(row.function)).parameters)
    assert parameters[0] == "suns"
    assert len(parameters) == (1 if row.argument is None else 2)


def test_statistics_have_titles_of_their_own_and_say_what_they_catch():
    titles = [row.title for row in STATISTICS.values()]
    assert len(set(titles)) == len(titles)
    assert all(row.catches for row in STATISTICS.values())


def test_import_needs_no_numerical_library():
    code = (
        "import sys, heliosynth.evaluation.statistics\n"
        "assert not {'scipy', 'torch', 'h5py', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
