"""A hash of what a script does: its syntax tree and that of every project module it imports.

Comments, docstrings and layout do not count, so editing them re-runs nothing; an edited
module re-runs exactly the rules whose scripts import it, however indirectly.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
PACKAGE = "heliosynth"


def fingerprint(script: Path | str, source: Path = SOURCE) -> str:
    """Hash a script together with its import closure inside the package.

    Parameters
    ----------
    script
        The Python file a rule runs.
    source
        The folder that holds the package.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    closure = sorted(_closure(Path(script).resolve(), source))
    parts = (f"{_name(path, source)} {_tree_hash(path)}" for path in closure)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _closure(start: Path, source: Path) -> set[Path]:
    found, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported_files(path, source))
    return found


def _imported_files(path: Path, source: Path) -> Iterator[Path]:
    for module in _imported_modules(path):
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            place = source.joinpath(*parts[:depth])
            for candidate in (place.with_suffix(".py"), place / "__init__.py"):
                if candidate.is_file():
                    yield candidate


def _imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _name(path: Path, source: Path) -> str:
    return str(path.relative_to(source)) if path.is_relative_to(source) else path.name


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def _tree_hash(path: Path) -> str:
    return hashlib.sha256(ast.dump(_without_docstrings(_tree(path))).encode()).hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:]
    return tree
