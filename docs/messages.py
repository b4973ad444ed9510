"""Messages of the code: errors, warnings and reasons, read from its syntax trees.

Each is a template, see :mod:`docs.templates`.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from docs.templates import (
    PACKAGE,
    PLACEHOLDER,
    Module,
    Scope,
    called,
    placeholder,
    read_modules,
    walk_functions,
)

BASES = ("InputError", "OutOfTimeError")
"""Exceptions whose message is the last line of a script; their subclasses count, too."""


@dataclass(frozen=True, order=True)
class Message:
    """A message that a user can meet.

    Attributes
    ----------
    module
        The module that has it, such as ``heliosynth.sources.goes``, or the path of a script.
    text
        The template.
    line
        Its line in the file.
    kind
        ``error``, ``configuration`` (pydantic puts the key in front of it), ``setting`` (of a
        check across sections), ``warning`` or ``left out`` (a reason that is counted).
    """

    module: str
    text: str
    line: int
    kind: str


@functools.cache
def read_messages() -> list[Message]:
    """Return every message of the project."""
    return find_messages(read_modules())


def find_messages(modules: Mapping[str, Module]) -> list[Message]:
    """Return every message of the modules once, in the order of their lines."""
    exceptions = error_classes(modules)
    found: dict[tuple[str, str, str], Message] = {}
    for module in modules.values():
        for function, node in walk_functions(module.tree):
            kind, expression = _classify(node, module, exceptions)
            if expression is None and isinstance(node, ast.Call):
                kind, expression = "setting", _about_setting(node, module)
            if kind and expression is not None:
                scope = Scope(modules, module, function)
                values = node.args[1:] if isinstance(node, ast.Call) else []
                for text in scope.texts(expression):
                    text = _filled(text, values) if kind == "warning" else text
                    text = f"{_key(node)}: {text}" if kind == "setting" else text
                    message = Message(module.name, " ".join(text.split()), node.lineno, kind)
                    # One that only passes on another message has no words of its own.
                    if re.search(r"\w", PLACEHOLDER.sub("", text).removeprefix("error: ")):
                        found.setdefault((module.name, kind, message.text), message)
    return list(found.values())


def error_classes(modules: Mapping[str, Module]) -> set[str]:
    """Return the names of :data:`BASES` and of all their subclasses."""
    names, before = set(BASES), 0
    while len(names) > before:
        before = len(names)
        names.update(
            node.name
            for module in modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef) and any(called(base) in names for base in node.bases)
        )
    return names


def _filled(text: str, values: list[ast.expr]) -> str:
    """Replace the directives of a log message by placeholders of its values."""
    names = (f"‹{placeholder(value)}›" for value in values)
    return re.sub(r"%(?:\.\d+)?[rsdfg]", lambda match: next(names, match[0]), text)


def _classify(node: ast.AST, module: Module, exceptions: set[str]) -> tuple[str, ast.expr | None]:
    """Return the kind of message that a node has, if any, and its text."""
    if isinstance(node, ast.JoinedStr) and _begins_with_error(node):
        return "error", node
    if not isinstance(node, ast.Call) or not node.args:
        return "", None
    name = called(node.func)
    if name in exceptions:
        return "error", node.args[0]
    if name == "ValueError" and module.name.startswith(f"{PACKAGE}.config"):
        return "configuration", node.args[0]
    if name == "warning" and isinstance(node.func, ast.Attribute):
        return "warning", node.args[0]
    if name == "leave_out":
        return "left out", node.args[0]
    return "", None


def _about_setting(call: ast.Call, module: Module) -> ast.expr | None:
    """Return the argument ``message`` of what the configuration calls to refuse a setting."""
    if not module.name.startswith(f"{PACKAGE}.config"):
        return None
    names = module.parameters.get(called(call.func), [])
    if "message" not in names:
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    return given.get("message") or dict(zip(names, call.args, strict=False)).get("message")


def _key(node: ast.AST) -> str:
    """Return the key that a refused setting has, where the code names it."""
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if not isinstance(first, ast.Tuple) or not first.elts:
        return "‹key›"
    return ".".join(
        str(part.value) if isinstance(part, ast.Constant) else f"‹{placeholder(part)}›"
        for part in first.elts
    )


def _begins_with_error(node: ast.JoinedStr) -> bool:
    first = node.values[0] if node.values else None
    return isinstance(first, ast.Constant) and str(first.value).startswith("error: ")
