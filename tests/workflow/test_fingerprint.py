"""A fingerprint covers what a script does and imports, and nothing else."""

from pathlib import Path

import pytest

from heliosynth.workflow import fingerprint as module
from heliosynth.workflow.fingerprint import EXCLUDED, SOURCE, fingerprint

SCRIPT = '"""Do it."""\nimport heliosynth.near\nfrom heliosynth.jobs.entry import main\nprint(1)\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A package of which the script imports some modules, and registries name another."""
    package = tmp_path / "src" / "heliosynth"
    (package / "jobs").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1"\n')
    (package / "jobs" / "__init__.py").write_text("")
    (package / "jobs" / "entry.py").write_text("from heliosynth.errors import E\nmain = E\n")
    (package / "errors.py").write_text("E = 1\n")
    (package / "near.py").write_text(
        "from typing import TYPE_CHECKING\nfrom heliosynth.far import value\n"
        "if TYPE_CHECKING:\n    from heliosynth.typed import Kind\n"
    )
    far = 'value = 1\n"""A value."""\nROW = "heliosynth.named:metric"\nif not value:\n'
    (package / "far.py").write_text(f'{far}    raise ValueError(f"{{value}} is wrong")\n')
    (package / "named.py").write_text("metric = 1\n")
    (package / "drawn.py").write_text("from heliosynth.style import colour\n")
    (package / "style.py").write_text("colour = 1\n")
    (package / "apart.py").write_text("value = 2\n")
    (package / "typed.py").write_text("Kind = int\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path / "src"


def compute(source: Path, *references: str) -> str:
    for function in (module._summarise, module._imported_files, module._files):
        function.cache_clear()
    return fingerprint(source.parent / "script.py", *references, source=source)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", '"""Do it."""\n', '"""Do more."""\n# why\n\n'),
        ("script.py", "print(1)", "print( 1 )"),
        ("src/heliosynth/far.py", "value = 1\n", "# a comment\nvalue = 1  # more\n"),
        ("src/heliosynth/far.py", '"""A value."""', '"""The value."""'),
        ("src/heliosynth/far.py", "is wrong", "is not a value"),
        ("src/heliosynth/apart.py", "2", "3"),
        ("src/heliosynth/typed.py", "int", "str"),
        ("src/heliosynth/drawn.py", "colour", "colour as c"),
        ("src/heliosynth/jobs/entry.py", "main = E", "main = 2"),
        ("src/heliosynth/errors.py", "1", "2"),
        ("src/heliosynth/__init__.py", "1", "2"),
    ],
)
def test_edits_without_effect_keep_the_hash(source: Path, name: str, old: str, new: str) -> None:
    before = compute(source)
    edit(source.parent / name, old, new)
    assert compute(source) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "print(1)", "print(2)"),
        ("src/heliosynth/near.py", "value\n", "value as v\n"),
        ("src/heliosynth/far.py", "1", "2"),
        ("src/heliosynth/far.py", "ValueError", "KeyError"),
        ("src/heliosynth/named.py", "1", "2"),
        ("src/heliosynth/__init__.py", "__version__", "other = 1\n__version__"),
    ],
)
def test_edits_with_effect_change_the_hash(source: Path, name: str, old: str, new: str) -> None:
    before = compute(source)
    edit(source.parent / name, old, new)
    assert compute(source) != before


def test_a_reference_adds_its_module_and_what_it_imports(source: Path) -> None:
    without, drawn = compute(source), compute(source, "heliosynth.drawn:plot")
    assert drawn != without
    edit(source / "heliosynth/style.py", "1", "2")
    assert compute(source, "heliosynth.drawn:plot") != drawn
    assert compute(source) == without


def test_excluded_modules_exist() -> None:
    assert [name for name in EXCLUDED if not (SOURCE / name).exists()] == []


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
