"""Code fingerprints: a hash of what a script does, over every project module that it imports.

The hash is of syntax trees, so comments, docstrings and layout do not count: editing them re-runs
nothing, and an edited module re-runs exactly the rules whose scripts import it, directly or not.
What cannot change a product does not count either: :data:`EXCLUDED`, the text of errors that are
raised, and ``__version__``.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
"""The folder that holds the package."""
PACKAGE = "heliosynth"
EXCLUDED = (f"{PACKAGE}/jobs", f"{PACKAGE}/workflow", f"{PACKAGE}/errors.py")
"""How a job starts and stops, which jobs there are, and exceptions: no product depends on them."""
REFERENCE = re.compile(rf"^({PACKAGE}(?:\.\w+)+):\w+$")
"""A function named in a string, ``heliosynth.module:name``; counts as an import of its module."""


def fingerprint(script: Path | str, *references: str, source: Path = SOURCE) -> str:
    """Hash a script together with its import closure inside the package.

    Parameters
    ----------
    script
        The Python file that a rule runs.
    *references
        What the script imports by a name that only its arguments have, ``package.module:name``.
    source
        The folder that holds the package.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    modules = (reference.partition(":")[0] for reference in references)
    start = {Path(script).resolve()}.union(*(_files(module, source) for module in modules))
    closure = sorted(_closure(start, source))
    parts = (f"{_name(path, source)} {_tree_hash(path)}" for path in closure)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _closure(start: set[Path], source: Path) -> set[Path]:
    """Return the files and all that they import, directly or not, but what is excluded."""
    closure: set[Path] = set()
    queue = list(start)
    while queue:
        path = queue.pop()
        if path not in closure:
            closure.add(path)
            queue.extend(_imported_files(path, source))
    return closure


@functools.cache
def _imported_files(path: Path, source: Path) -> frozenset[Path]:
    """Return the files of the package that a file imports, but those that are excluded."""
    files = {file for module in _imported_modules(path) for file in _files(module, source)}
    excluded = [source / name for name in EXCLUDED]
    return frozenset(
        file for file in files if not any(file.is_relative_to(other) for other in excluded)
    )


def _files(module: str, source: Path) -> Iterator[Path]:
    """Yield the files of a module and of the packages around it that exist."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        path = source.joinpath(*parts[:depth])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                yield candidate


def _imported_modules(path: Path) -> Iterator[str]:
    """Yield the modules of the package, and perhaps names in them, that a file imports."""
    for node in _walk_executed(_tree(path)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            modules = REFERENCE.findall(node.value)
        yield from (module for module in modules if module.split(".")[0] == PACKAGE)


def _walk_executed(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, but for imports that only type checkers execute."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                stack.extend(node.orelse)
            case _:
                stack.extend(ast.iter_child_nodes(node))


def _name(path: Path, source: Path) -> str:
    return str(path.relative_to(source)) if path.is_relative_to(source) else path.name


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def _tree_hash(path: Path) -> str:
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_idle(statement)]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            # What an error says changes no product.
            node.exc = node.exc.func
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_idle(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring, of an attribute too, or the version number."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__version__")]):
            return True
    return False
