"""References to objects by name, ``package.module:name``, as rows of registries hold them.

A registry that is read while the DAG is planned must not import torch or matplotlib. So its rows
name their functions; :func:`check` looks a name up in the source of its module, and
:func:`resolve` imports it where it is called.
"""

from __future__ import annotations

import ast
import functools
import pkgutil
from pathlib import Path
from typing import Any

from heliosynth.errors import InputError

SOURCE = Path(__file__).resolve().parents[1]
"""The folder that holds the package."""


def resolve(reference: str) -> Any:
    """Return the object that a reference names.

    Parameters
    ----------
    reference
        ``package.module:name``.
    """
    return pkgutil.resolve_name(reference)


def check(reference: str) -> None:
    """Check that a reference names what its module defines, without importing the module.

    Raises
    ------
    InputError
        If there is no such module, or it defines no such name.
    """
    module, _, name = reference.partition(":")
    names = _defined(module)
    if names is None:
        raise InputError(f"{reference}: module {module} not found; correct the registry row")
    if name not in names:
        raise InputError(f"{reference}: {module} does not define {name}; correct the registry row")


@functools.cache
def _defined(module: str) -> frozenset[str] | None:
    """Return the names that a module defines or imports at its top level, None without one."""
    relative = SOURCE.joinpath(*module.split("."))
    files = (relative.with_suffix(".py"), relative / "__init__.py")
    source = next((path for path in files if path.is_file()), None)
    if source is None:
        return None
    names: set[str] = set()
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return frozenset(names)
