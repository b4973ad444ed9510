"""Layout of the package: which modules may import which, lengths of files, names."""

import ast
import functools
import graphlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PACKAGE = "heliosynth"

ROOT_MODULES = 5
"""Largest number of modules besides ``__init__`` that are in no subpackage."""
LONGEST_FILE = 400
"""Lines."""

STAGES: tuple[tuple[str, ...], ...] = (
    ("config", "io", "jobs"),
    ("sources",),
    ("catalogue",),
    ("frames",),
    ("dataset",),
    ("models", "diffusion"),
    ("training",),
    ("sampling",),
    ("evaluation",),
    ("results",),
    ("figures",),
    ("paper",),
    ("workflow",),
)
"""Packages in the order of the data; each may import those of its own stage and earlier ones."""

STAGE = {package: number for number, packages in enumerate(STAGES, 1) for package in packages}
"""The number of a package's stage; modules outside packages have number 0."""

DOCSTRING = re.compile('"""' + r"(Give|Tell)\b")
"""Docstrings that should begin with Return, Compute or another verb."""


@functools.cache
def modules() -> dict[str, Path]:
    """Return all modules of the package by name; a package's name is that of its ``__init__``."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((SOURCE / PACKAGE).rglob("*.py"))
    }


@functools.cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, wherever in its source."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules() else node.module


def stage(module: str) -> int:
    """Return the number of a module's stage."""
    parts = module.split(".")
    return STAGE[parts[1]] if len(parts) > 1 and parts[1] in STAGE else 0


def test_every_package_has_a_stage() -> None:
    packages = {path.parent.name for path in (SOURCE / PACKAGE).glob("*/__init__.py")}
    assert packages == set(STAGE)


@pytest.mark.parametrize("package", ["", *STAGE])
def test_imports_point_to_earlier_stages(package: str) -> None:
    number = STAGE.get(package, 0)
    wrong = [
        f"{module} imports {imported}"
        for module in modules()
        if (module.split(".")[1:2] == [package] if package else stage(module) == 0)
        for imported in sorted(imports(module))
        if stage(imported) > number
    ]
    assert wrong == []


def test_imports_have_no_cycles() -> None:
    graph = {module: imports(module) - {module} for module in modules()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_imports_are_absolute() -> None:
    relative = [
        f"{module}: line {node.lineno}"
        for module, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_few_modules_are_in_no_package() -> None:
    names = {path.stem for path in (SOURCE / PACKAGE).glob("*.py")} - {"__init__"}
    assert len(names) <= ROOT_MODULES, names


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCE.rglob("*.py")
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def import_folders() -> set[Path]:
    """Return the folders that are on the path of scripts or tests."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = settings["tool"]["pytest"]["ini_options"]["pythonpath"]
    # A script's own folder comes first on its path.
    return {(ROOT / folder).resolve() for folder in (*folders, "src", "workflow/scripts")}


def test_no_module_shadows_the_standard_library() -> None:
    names = {
        path: path.stem if path.is_file() else path.name
        for folder in import_folders()
        for path in folder.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert [str(path) for path, name in names.items() if name in sys.stdlib_module_names] == []


def test_docstrings_do_not_begin_with_give_or_tell() -> None:
    sources = [
        path
        for folder in ("src", "workflow", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".smk", ".sh", ".yaml", ".rst", ".md")
    ]
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*sources, ROOT / "Snakefile"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if DOCSTRING.search(line)
    ]
    assert lines == []
