"""A run with the default models, whose products no test changes."""

import pytest

from factories.run import build_run
from heliosynth.results.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(build_run(tmp_path_factory.mktemp("paper")))
