"""Templates of text in the code, read from its syntax trees.

A template is the text as it is in the code, with a placeholder such as ``‹path›`` for
each value. Where a part of it comes from a variable, a constant, an argument or a function that
returns text, the template contains that text, one template per alternative.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "heliosynth"
MOST_ALTERNATIVES = 12
"""A part of a message with more alternatives becomes a placeholder."""
DEEPEST = 4
"""Variables, arguments and calls that are followed one after the other."""
GENERIC = ("name", "stem", "parent", "shape", "dtype", "strerror", "args", "kind", "value")
"""Attributes that say less than the name of their object."""
WORDS = {"strerror": "reason", "error": "reason", "fault": "reason", "NAMES": "class"}
"""Names of variables whose placeholder has another name."""

PLACEHOLDER = re.compile("‹[^›]*›")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A file of the project, parsed."""

    name: str
    path: Path
    tree: ast.Module

    @functools.cached_property
    def functions(self) -> Mapping[str, Function]:
        """Functions and methods by name."""
        nodes = ast.walk(self.tree)
        return {node.name: node for node in nodes if isinstance(node, Function)}

    @functools.cached_property
    def constants(self) -> Mapping[str, ast.expr]:
        """Values that are assigned once, at the top of the module."""
        return {name: values[0] for name, values in _assignments(self.tree.body).items()}

    @functools.cached_property
    def imports(self) -> Mapping[str, tuple[str, str]]:
        """Module and name of each imported object."""
        return {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    @functools.cached_property
    def parameters(self) -> Mapping[str, list[str]]:
        """Parameters of functions but ``self``, and fields of classes, by name."""
        found = {
            name: [argument for argument in _arguments(function) if argument != "self"]
            for name, function in self.functions.items()
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                fields = [n.target for n in node.body if isinstance(n, ast.AnnAssign)]
                found[node.name] = [field.id for field in fields if isinstance(field, ast.Name)]
        return found

    @property
    def docstring(self) -> str:
        """The first line of the docstring, without its full stop."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0].rstrip(".")


def read_modules(root: Path = ROOT) -> dict[str, Module]:
    """Parse the package and the scripts of the workflow; return them by name."""
    modules = {}
    for path in sorted((root / "src" / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / "src").with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        modules[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    for path in sorted((root / "workflow" / "scripts").glob("*.py")):
        name = str(path.relative_to(root))
        modules[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return modules


def walk_functions(
    tree: ast.AST, function: Function | None = None
) -> Iterator[tuple[Function | None, ast.AST]]:
    """Yield every node with the function around it."""
    stack = [(function, node) for node in ast.iter_child_nodes(tree)]
    while stack:
        around, node = stack.pop(0)
        yield around, node
        inside = node if isinstance(node, Function) else around
        stack[:0] = [(inside, child) for child in ast.iter_child_nodes(node)]


def called(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    return str(getattr(node, "id", getattr(node, "attr", "")))


@dataclass(frozen=True)
class Scope:
    """Where an expression stands, which decides what its names mean."""

    modules: Mapping[str, Module]
    module: Module
    function: Function | None
    depth: int = 0

    def texts(self, node: ast.expr) -> list[str]:
        """Return the templates of an expression."""
        found = self._literal(node)
        return found or [f"‹{placeholder(node)}›"]

    def _literal(self, node: ast.expr) -> list[str]:
        """Return the templates of an expression that is text in the code; else nothing."""
        match node:
            case ast.Constant(value=str() as text):
                return [text]
            case ast.Constant(value=bool() | None):
                return []
            case ast.Constant(value=int() | float() as number):
                return [str(number)]
            case ast.JoinedStr(values=values):
                parts = [self._part(value) for value in values]
                return ["".join(choice) for choice in _product(parts)]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                if not any(_is_text(text) for end in (left, right) for text in self._literal(end)):
                    return []
                return ["".join(c) for c in _product([self.texts(left), self.texts(right)])]
            case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mult()):
                return [f"({text})" if text.isalpha() else text]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self._literal(body), *self._literal(orelse)]
            case ast.Name(id=name) if self.depth < DEEPEST:
                return _few(self._name(name))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if self.depth < DEEPEST:
                return self._constant_of(".".join(self.module.imports.get(name, ())), attribute)
            case ast.Call() if self.depth < DEEPEST:
                return _few(self._call(node))
        return []

    def _part(self, node: ast.expr) -> list[str]:
        if isinstance(node, ast.FormattedValue):
            return self._literal(node.value) or [f"‹{placeholder(node.value)}›"]
        return self.texts(node)

    def _name(self, name: str) -> list[str]:
        """Return the templates of a variable, an argument or a constant."""
        if self.function is not None:
            values = _local(self.function).get(name, [])
            texts = [text for value in values for text in self._inside(value)]
            if texts or values:
                return texts if all(map(self._inside, values)) else []
            if name in _arguments(self.function):
                return self._argument(self.function, name)
        return self._constant(name)

    def _inside(self, node: ast.expr) -> list[str]:
        return Scope(self.modules, self.module, self.function, self.depth + 1)._literal(node)

    def _constant(self, name: str) -> list[str]:
        module = self.module
        if name in module.imports and module.imports[name][0] in self.modules:
            source, name = module.imports[name]
            module = self.modules[source]
        return self._constant_of(module.name, name)

    def _constant_of(self, source: str, name: str) -> list[str]:
        module = self.modules.get(source)
        value = module.constants.get(name) if module else None
        if module is None or value is None:
            return []
        return Scope(self.modules, module, None, self.depth + 1)._literal(value)

    def _argument(self, function: Function, name: str) -> list[str]:
        """Return the text that callers pass, where all of them pass text."""
        position = _arguments(function).index(name)
        texts = []
        for module, around, call in _calls(self.modules, function.name):
            if module is not self.module and function.name not in module.imports:
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            shift = "self" in _arguments(function)[:1]
            positional = call.args[position - shift : position - shift + 1]
            value = given.get(name) or (positional[0] if positional else None)
            value = value or _default(function, name)
            if value is None:
                return []
            passed = Scope(self.modules, module, around, self.depth + 1)._literal(value)
            if not passed:
                return []
            texts += passed
        return texts

    def _call(self, call: ast.Call) -> list[str]:
        """Return the text that a function of the project returns, or that a list has."""
        if isinstance(call.func, ast.Name) and call.func.id == "next" and call.args:
            return self._chosen(call.args[0])
        if isinstance(call.func, ast.Attribute) and call.func.attr == "join" and call.args:
            return self._listed(call.args[0])
        if not isinstance(call.func, ast.Name):
            return []
        module, name = self.module, call.func.id
        if name in module.imports and module.imports[name][0] in self.modules:
            source, name = module.imports[name]
            module = self.modules[source]
        function = module.functions.get(name)
        if function is None or called(function.returns or ast.Name("")) != "str":
            return []
        inside = Scope(self.modules, module, function, self.depth + 1)
        returned = [
            node.value
            for around, node in walk_functions(function, function)
            if around is function and isinstance(node, ast.Return) and node.value is not None
        ]
        texts = [text for node in returned for text in inside._literal(node)]
        # A function that shortens or quotes its argument says nothing itself.
        spoken = [text for text in texts if re.search(r"\w\w", PLACEHOLDER.sub("", text))]
        return [text for text in texts if text in spoken or not text] if spoken else []

    def _chosen(self, node: ast.expr) -> list[str]:
        """Return the values of a constant mapping, one of which is chosen."""
        match node:
            case ast.GeneratorExp(
                elt=ast.Name(id=chosen),
                generators=[
                    ast.comprehension(
                        target=ast.Tuple(elts=[_, ast.Name(id=value)]),
                        iter=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="items")),
                    )
                ],
            ) if chosen == value:
                mapping = self.module.constants.get(name)
                values = mapping.values if isinstance(mapping, ast.Dict) else []
                return [text for item in values for text in self._inside(item)]
        return []

    def _listed(self, node: ast.expr) -> list[str]:
        """Return a constant list of names as text."""
        if not isinstance(node, ast.Name):
            return []
        module, name = self.module, node.id
        if name in module.imports and module.imports[name][0] in self.modules:
            source, name = module.imports[name]
            module = self.modules[source]
        value = module.constants.get(name)
        items = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
        names = [item.value for item in items if isinstance(item, ast.Constant)]
        return [", ".join(map(str, names))] if names and len(names) == len(items) else []


def placeholder(node: ast.expr) -> str:
    """Return a readable name for the value of an expression."""
    match node:
        case ast.Name(id=name):
            return WORDS.get(name, name.strip("_").replace("_", " ").lower())
        case ast.Attribute(value=value, attr=attribute):
            if attribute == "strerror":
                return WORDS[attribute]
            if attribute in GENERIC and not _is_self(value):
                return placeholder(value)
            return placeholder(ast.Name(attribute))
        case ast.Subscript(value=_, slice=ast.Constant(value=str() as key)):
            return key.replace("_", " ")
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.Await(value=value):
            return placeholder(value)
        case ast.Call(func=ast.Name(id="len"), args=[first, *_]):
            return f"number of {placeholder(first)}"
        case ast.Call(func=ast.Attribute(attr="join" | "get"), args=[first, *_]):
            return placeholder(first)
        case ast.Call(func=ast.Name(id="map" | "filter"), args=[_, second, *_]):
            return placeholder(second)
        case ast.Call(func=ast.Attribute(attr="strerror")):
            return WORDS["strerror"]
        case ast.Call(func=ast.Name(), args=[first, *_]):
            return placeholder(first)
        case ast.Call(func=ast.Attribute(value=value, attr=attribute), args=arguments):
            if isinstance(value, ast.Name) and value.id in ("np", "os", "math") and arguments:
                return placeholder(arguments[0])
            return placeholder(value) if not _is_self(value) else attribute.strip("_")
        case ast.BinOp(left=left, right=right):
            return placeholder(right if isinstance(left, ast.Constant) else left)
        case ast.BoolOp(values=[first, *_]) | ast.Tuple(elts=[first, *_]):
            return placeholder(first)
        case ast.IfExp(body=body, orelse=orelse):
            return placeholder(orelse if isinstance(body, ast.Constant) else body)
        case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
            return placeholder(element)
        case ast.JoinedStr(values=values):
            inner = [value.value for value in values if isinstance(value, ast.FormattedValue)]
            return placeholder(inner[0]) if inner else "text"
        case ast.Call(func=function):
            return placeholder(function)
    return "value"


def _is_text(text: str) -> bool:
    return not text.replace(".", "").isdigit()


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _product(parts: list[list[str]]) -> Iterator[tuple[str, ...]]:
    return itertools.islice(itertools.product(*parts), MOST_ALTERNATIVES * 2)


def _few(texts: Iterable[str]) -> list[str]:
    unique = list(dict.fromkeys(texts))
    return unique if len(unique) <= MOST_ALTERNATIVES else []


def _assignments(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return the values that are assigned to each name."""
    values: dict[str, list[ast.expr]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values.setdefault(name, []).append(value)
    return values


@functools.cache
def _local(function: Function) -> dict[str, list[ast.expr]]:
    return _assignments(ast.walk(function))


def _arguments(function: Function) -> list[str]:
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _default(function: Function, name: str) -> ast.expr | None:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip([a.arg for a in named[::-1]], arguments.defaults[::-1], strict=False))
    keywords = zip((a.arg for a in arguments.kwonlyargs), arguments.kw_defaults, strict=True)
    return {**defaults, **dict(keywords)}.get(name)


Call = tuple[Module, Function | None, ast.Call]
_CALLS: dict[int, tuple[Mapping[str, Module], dict[str, list[Call]]]] = {}
"""Calls by the name of the function, and the modules that they are in, by identity of the latter.

Modules are kept with their calls, so that no others can get their identity.
"""


def _calls(modules: Mapping[str, Module], name: str) -> list[Call]:
    """Return all calls of a function of this name, with where they stand."""
    if id(modules) not in _CALLS:
        index: dict[str, list[Call]] = {}
        for module in modules.values():
            for function, node in walk_functions(module.tree):
                if isinstance(node, ast.Call):
                    index.setdefault(called(node.func), []).append((module, function, node))
        _CALLS[id(modules)] = (modules, index)
    return _CALLS[id(modules)][1].get(name, [])
