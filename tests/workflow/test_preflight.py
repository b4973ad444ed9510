"""Where Snakemake runs is checked before anything else."""

from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.workflow.preflight import check_project


@pytest.mark.parametrize("name", ["{", "a}", "a:b", "{year}"])
def test_a_path_in_which_characters_have_a_meaning_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"the project's path contains .*; rename or move"):
        check_project(tmp_path / name)


@pytest.mark.parametrize("name", ["a b", "it's", '"', "$x", "[a]", "*", "a\\b", "é", "a\nb", "#%&"])
def test_other_characters_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    check_project(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / name)
    check_project(tmp_path / "link")


def test_another_working_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project/config").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project/config")
    with pytest.raises(InputError, match=r"is not the project's folder.*without --directory"):
        check_project(tmp_path / "project")
