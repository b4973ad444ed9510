"""Only what a script does counts: not comments, not layout, not modules that it never imports."""

from pathlib import Path

import pytest

from heliosynth.workflow.fingerprint import _tree, _tree_hash, fingerprint


@pytest.fixture
def source(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "heliosynth"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "near.py").write_text("from heliosynth.far import value\n")
    (package / "far.py").write_text("value = 1\n")
    (package / "apart.py").write_text("value = 2\n")
    (tmp_path / "script.py").write_text('"""Say."""\nimport heliosynth.near\nprint(1)\n')
    return tmp_path / "src"


def of(source: Path) -> str:
    _tree.cache_clear()
    _tree_hash.cache_clear()
    return fingerprint(source.parent / "script.py", source)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script.py", '"""Say more."""\n# why\nimport heliosynth.near\n\nprint( 1 )\n'),
        ("src/heliosynth/far.py", "# a comment\nvalue = 1  # more\n"),
        ("src/heliosynth/apart.py", "value = 3\n"),
    ],
)
def test_what_does_nothing_changes_nothing(source: Path, name: str, text: str) -> None:
    before = of(source)
    (source.parent / name).write_text(text)
    assert of(source) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script.py", '"""Say."""\nimport heliosynth.near\nprint(2)\n'),
        ("src/heliosynth/near.py", "from heliosynth.far import value as v\n"),
        ("src/heliosynth/far.py", "value = 2\n"),
    ],
)
def test_what_does_something_changes_the_hash(source: Path, name: str, text: str) -> None:
    before = of(source)
    (source.parent / name).write_text(text)
    assert of(source) != before
