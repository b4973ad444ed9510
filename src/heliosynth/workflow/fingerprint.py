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
from dataclasses import dataclass
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
    parts = (f"{_name(path, source)} {_summarise(path).digest}" for path in closure)
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
    files = {file for module in _summarise(path).imports for file in _files(module, source)}
    excluded = [source / name for name in EXCLUDED]
    return frozenset(
        file for file in files if not any(file.is_relative_to(other) for other in excluded)
    )


@functools.cache
def _files(module: str, source: Path) -> tuple[Path, ...]:
    """Return the files of a module and of the packages around it that exist."""
    parts = module.split(".")
    paths = [source.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    candidates = [
        file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")
    ]
    return tuple(file for file in candidates if file.is_file())


def _name(path: Path, source: Path) -> str:
    return str(path.relative_to(source)) if path.is_relative_to(source) else path.name


@dataclass(frozen=True)
class _Summary:
    """What a file of Python does, and the modules of the package that it imports.

    Attributes
    ----------
    digest
        SHA-256 of the syntax tree.
    imports
        Modules, and perhaps names in them.
    """

    digest: str
    imports: frozenset[str]


@functools.cache
def _summarise(path: Path) -> _Summary:
    """Read a file once for both: planning reads some 200 files, which takes most of its time."""
    reader = _Reader()
    reader.read(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
    digest = hashlib.sha256("\n".join(reader.tokens).encode()).hexdigest()
    modules = {name for name in reader.imports if name.split(".")[0] == PACKAGE}
    return _Summary(digest, frozenset(modules))


class _Reader:
    """A walk through a syntax tree that collects what counts in it.

    Attributes
    ----------
    tokens
        Names of the nodes and their fields, and the values, in order; they determine the tree.
    imports
        Modules that are imported, and names in them.
    """

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.imports: set[str] = set()
        self._only_typing = 0

    def read(self, node: ast.AST) -> None:
        """Collect a node and all nodes in it."""
        self.tokens.append(type(node).__name__)
        if isinstance(node, ast.Constant):
            self._read_constant(node)
        elif isinstance(node, ast.If):
            self._read_if(node)
        else:
            self._collect_imports(node)
            for field in node._fields:
                if field != "ctx":  # load, store or delete follows from the position
                    self._read_field(node, field)
        self.tokens.append(")")

    def _read_field(self, node: ast.AST, field: str) -> None:
        value = getattr(node, field, None)
        if isinstance(node, ast.Raise) and field == "exc" and isinstance(value, ast.Call):
            # What an error says changes no product.
            value = value.func
        if isinstance(value, ast.AST):
            self.tokens.append(field)
            self.read(value)
        elif isinstance(value, list):
            self.tokens.append(field)
            for item in value:
                if isinstance(item, ast.AST):
                    if not _is_idle(item):
                        self.read(item)
                else:
                    self.tokens.append(repr(item))
        elif value is not None:
            self.tokens.append(f"{field}={value!r}")

    def _read_constant(self, node: ast.Constant) -> None:
        self.tokens.append(repr(node.value))
        if isinstance(node.value, str) and not self._only_typing:
            self.imports.update(REFERENCE.findall(node.value))

    def _read_if(self, node: ast.If) -> None:
        """Collect a condition; imports that only type checkers execute do not count."""
        only_typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        self._read_field(node, "test")
        self._only_typing += only_typing
        self._read_field(node, "body")
        self._only_typing -= only_typing
        self._read_field(node, "orelse")

    def _collect_imports(self, node: ast.AST) -> None:
        if self._only_typing:
            return
        if isinstance(node, ast.Import):
            self.imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            self.imports.add(node.module)
            self.imports.update(f"{node.module}.{alias.name}" for alias in node.names)


def _is_idle(node: ast.AST) -> bool:
    """Return whether a statement is a docstring, of an attribute too, or the version number."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        return isinstance(target, ast.Name) and target.id == "__version__"
    return False
