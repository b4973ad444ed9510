"""Every module writes products through ``heliosynth.io``, which syncs and renames them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "heliosynth"
SOURCES = [
    *(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE / "io"),
    *(ROOT / "workflow").rglob("*.py"),
]
BLOCKS = {"atomic_file", "atomic_directory", "open_write"}
"""Context managers that make what is written in their block safe."""

METHODS = {
    "write_text", "write_bytes", "to_csv", "savefig", "savez", "savez_compressed",
    "imsave", "save_file", "save", "copyfile", "copy2", "copytree", "move", "symlink_to",
    "hardlink_to", "writeto", "create_group", "create_array", "mkstemp",
}  # fmt: skip
"""Methods and functions that write or rename a file, whatever their arguments."""
OPENERS = {"open", "File", "ZipFile", "FileIO", "open_group", "open_array", "memmap"}
"""Those that write if a mode says so."""
OWN = {"files", "self", "self.checkpoints", "style"}
"""Objects whose methods of these names write atomically."""

INSIDE = {
    ("sources/level1.py", "_write_years"): "atomic_directory",
    ("sources/simulated/observatory.py", "_write_frames"): "atomic_directory",
    ("sources/simulated/observatory.py", "_create_array"): "atomic_directory",
    ("sources/simulated/observatory.py", "_write_flares"): "atomic_directory",
    ("sources/simulated/xrs_file.py", "_write"): "atomic_file",
    ("training/lock.py", "exclusive"): "a lock file, which has no content to lose",
}
"""Functions that write where their caller's block is, or what is no product."""


def name_of(call: ast.Call) -> tuple[str, str]:
    """Return the object and the name of a called function or method."""
    if isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value), call.func.attr
    return "", call.func.id if isinstance(call.func, ast.Name) else ""


def writes(call: ast.Call) -> bool:
    """Return whether a call writes, renames or copies a file."""
    owner, name = name_of(call)
    if owner in OWN:
        return False
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    if name in OPENERS:
        modes = [
            v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)
        ]
        return any(len(mode) <= 3 and set(mode) & set("wax+") for mode in modes)
    # The methods of text and tables have other arguments than those of paths.
    if name in ("replace", "rename"):
        return owner == "os" or (len(values) == 1 and not call.keywords)
    return (bool(owner) and name in METHODS) or name in {"save_file", "copyfile"}


def unprotected(tree: ast.AST, path: str) -> Iterator[str]:
    """Yield the calls that write outside the blocks of :data:`BLOCKS`."""
    yield from _visit(tree, path, "")


def _visit(node: ast.AST, path: str, function: str) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items]
        if any(isinstance(call, ast.Call) and name_of(call)[1] in BLOCKS for call in calls):
            return
    if isinstance(node, ast.Call) and writes(node) and (path, function) not in INSIDE:
        yield f"{path}:{node.lineno}: {ast.unparse(node)[:60]}"
    for child in ast.iter_child_nodes(node):
        yield from _visit(child, path, function)


def test_modules_write_through_io() -> None:
    found = []
    for path in SOURCES:
        relative = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += unprotected(tree, relative.as_posix())
    assert found == []


def test_unprotected_writes_are_found() -> None:
    source = """
def f(path, text):
    with atomic_file(path) as unfinished:
        unfinished.write_text(text)
    path.write_text(text.replace("a", "b"))
    path.open("w")
    open(path, mode="ab")
    path.open()
    path.replace(other)
    np.savez(path, a=1)
    os.replace(path, other)
    write_text(path, text)
"""
    found = [line.split(": ")[0] for line in unprotected(ast.parse(source), "m.py")]
    assert found == [f"m.py:{line}" for line in (5, 6, 7, 9, 10, 11)]
