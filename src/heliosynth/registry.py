"""References to objects by name, ``package.module:name``, for rows of registries.

A registry that is read while the DAG is planned must not import torch or matplotlib. So its rows
contain references: :func:`check` looks the name up in the source of the module, and
:func:`resolve` imports it.
"""

from __future__ import annotations

import ast
import functools
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heliosynth.errors import InputError

SOURCE = Path(__file__).resolve().parents[1]
"""The folder that contains the package."""


def resolve(reference: str) -> Any:
    """Import and return the object that a reference names.

    Parameters
    ----------
    reference
        ``package.module:name``.
    """
    return pkgutil.resolve_name(reference)


def check(reference: str) -> None:
    """Check that the module of a reference defines its name, without importing the module.

    Parameters
    ----------
    reference
        ``package.module:name``.

    Raises
    ------
    InputError
        If there is no such module, or it does not define the name.
    """
    module, _, name = reference.partition(":")
    names = _defined(module)
    if names is None:
        raise InputError(f"{reference}: module {module} not found; correct the registry row")
    if name not in names:
        raise InputError(f"{reference}: {module} does not define {name}; correct the registry row")


def keys(reference: str) -> tuple[str, ...]:
    """Return the keys of a dict literal at the top level of a module, without importing it.

    Parameters
    ----------
    reference
        ``package.module:name``.

    Raises
    ------
    InputError
        If there is no such module, or the name is not a dict literal in it.
    """
    module, _, name = reference.partition(":")
    values = (value for target, value in _assigned(module) if target == name)
    mapping = next((value for value in values if isinstance(value, ast.Dict)), None)
    if mapping is None:
        raise InputError(
            f"{reference}: not a mapping; define it as a literal {{key: value}} in {module}"
        )
    return tuple(str(key.value) for key in mapping.keys if isinstance(key, ast.Constant))


@functools.cache
def _defined(module: str) -> frozenset[str] | None:
    """Return the names defined or imported at the top level of a module, None if not found."""
    tree = _tree(module)
    if tree is None:
        return None
    names = {target for target, _ in _assigned(module)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return frozenset(names)


def _assigned(module: str) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a module assigns at its top level, with their values."""
    for node in getattr(_tree(module), "body", ()):
        if isinstance(node, ast.Assign):
            yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


@functools.cache
def _tree(module: str) -> ast.Module | None:
    """Return the syntax tree of a module, None without one."""
    relative = SOURCE.joinpath(*module.split("."))
    files = (relative.with_suffix(".py"), relative / "__init__.py")
    source = next((path for path in files if path.is_file()), None)
    return None if source is None else ast.parse(source.read_text(encoding="utf-8"))
