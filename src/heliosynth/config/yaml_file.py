"""Configuration files in YAML or JSON, read strictly, with the line of every key.

PyYAML keeps the last of two equal keys, guesses types by YAML 1.1 (``12:30:00`` is 45000, ``010``
is 8, ``1e-3`` is text), and its errors name no file. Here equal keys are an error, every key is
text, a key with dots (``dataset.channel``) is a key of a section, and only decimal numbers, true
and false, and null are more than text; :func:`heliosynth.config.base.coerced` judges the rest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from heliosynth.config.base import NUMBER
from heliosynth.errors import InputError

KeyPath = tuple[str, ...]

LARGEST_BYTES = 1_000_000
MOST_VALUES = 100_000
"""Largest number of values of a file, each alias expanded."""
DEEPEST = 30
"""Largest depth of sections and lists."""
LONGEST = 80
"""Characters of a key or value to show in an error."""
INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
"""Whole numbers that are written in one way only, so that a name made of digits keeps its text."""
LARGEST_DIGITS = 30
CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)", re.ASCII)
TAG = "tag:yaml.org,2002:"
TEMPLATE_KEY = "__use_yte__"
"""Key by which Snakemake runs a file as a template."""


class ConfigurationError(InputError):
    """A wrong configuration; the message is one line."""


@dataclass(frozen=True)
class Layer:
    """Settings from one place.

    Attributes
    ----------
    content
        The settings by section.
    origins
        Where each key was set, such as ``config/mine.yaml, line 3``.
    """

    content: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)


def read_file(path: Path | str) -> Layer:
    """Read a configuration file.

    Raises
    ------
    ConfigurationError
        If it cannot be read, is not a mapping in YAML or JSON, or sets a key twice. Names the
        file and line, and what to do.
    """
    name = displayed(path)
    text = _read_text(path, name)
    if text.lstrip().startswith("{"):
        try:
            return _read_json(text, name)
        except ValueError:
            pass  # flow style of YAML
    return _Reader(name).read(text)


def displayed(path: Path | str) -> str:
    """Return a path as the user knows it: relative to the current folder if it is inside it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative


def plain_scalar(text: str) -> Any:
    """Return the value of a scalar without quotes: null, true or false, a number, or text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text) and len(text) <= LARGEST_DIGITS:
        return int(text)
    if match := INFINITE.fullmatch(text):
        return float(match.group(1) + match.group(2))
    # Leading zeros, underscores and signs stay text, which a name keeps and a number may refuse.
    if NUMBER.fullmatch(text) and re.search(r"[.eE]", text) and "_" not in text:
        return float(text)
    return text


def _read_text(path: Path | str, name: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{name}: no such file; name a configuration file after --configfile"
        ) from error
    except IsADirectoryError as error:
        raise ConfigurationError(
            f"{name}: is a folder; name a configuration file in it after --configfile"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"{name}: cannot be read ({reason}); name a readable file after --configfile"
        ) from error
    if len(data) > LARGEST_BYTES:
        raise ConfigurationError(
            f"{name}: longer than {LARGEST_BYTES} bytes, so not a configuration; name another file"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file in "
            "UTF-8"
        ) from error


def _read_json(text: str, name: str) -> Layer:
    layer = Layer()

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise ConfigurationError(
                    f"{name}: {_short(key)} is set twice in one section; remove one"
                )
        return dict(pairs)

    try:
        content = json.loads(text, object_pairs_hook=unique)
    except RecursionError as error:
        raise _too_deep(name) from error
    _add_json(layer, content, (), name)
    return layer


def _add_json(layer: Layer, section: Mapping[str, Any], path: KeyPath, name: str) -> None:
    for key, value in section.items():
        full = (*path, *_parts(key))
        if isinstance(value, Mapping) and value and len(full) < DEEPEST:
            layer.origins.setdefault(full, name)
            _add_json(layer, value, full, name)
        else:
            _check_depth(value, DEEPEST - len(full), name)
            place(layer, full, value, name)


def _check_depth(value: Any, levels: int, name: str) -> None:
    if isinstance(value, list | dict) and value:
        if levels <= 0:
            raise _too_deep(name)
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, levels - 1, name)


def _too_deep(name: str) -> ConfigurationError:
    return ConfigurationError(f"{name}: nested deeper than {DEEPEST} levels; simplify it")


def place(layer: Layer, path: KeyPath, value: Any, origin: str) -> None:
    """Set a key of a layer.

    Raises
    ------
    ConfigurationError
        If the key, or a section that it is in, has a value already.
    """
    section = layer.content
    for depth, part in enumerate(path[:-1], 1):
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise _twice(path[:depth], origin, layer.origins.get(path[:depth], origin))
        layer.origins.setdefault(path[:depth], origin)
    if path[-1] in section:
        raise _twice(path, origin, layer.origins.get(path, origin))
    section[path[-1]] = value
    layer.origins[path] = origin


def _twice(path: KeyPath, origin: str, earlier: str) -> ConfigurationError:
    line = earlier.rpartition(", ")[2]
    return ConfigurationError(
        f"{origin}: {_short('.'.join(path))} is set twice, first in {line}; remove one of the two"
    )


def _parts(key: str) -> KeyPath:
    """Split a key with dots into those of its sections; other text is one key."""
    parts = tuple(key.split("."))
    return parts if all(re.fullmatch(r"\w[\w-]*", part) for part in parts) else (key,)


class _Reader:
    """The values of one YAML file, from the nodes that PyYAML composes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values = 0
        self.open: set[int] = set()
        self.resolver = yaml.resolver.Resolver()

    def read(self, text: str) -> Layer:
        root = self._compose(text)
        if root is None:
            raise ConfigurationError(f"{self.name}: is empty; add keys, or do not name the file")
        if not isinstance(root, yaml.MappingNode):
            raise self._error(root, "should be a mapping; write lines of `key: value`")
        layer = Layer()
        self._add(layer, root, ())
        if TEMPLATE_KEY in layer.content:
            raise ConfigurationError(
                f"{layer.origins[(TEMPLATE_KEY,)]}: {TEMPLATE_KEY}: templates are not supported; "
                "remove this key"
            )
        return layer

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except RecursionError as error:
            raise _too_deep(self.name) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise ConfigurationError(
                f"{self.name}, line {line}: contains the control character "
                f"{text[error.position : error.position + 1]!r}; delete it"
            ) from error
        except yaml.MarkedYAMLError as error:
            raise self._syntax_error(error) from error

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> ConfigurationError:
        mark = error.problem_mark or error.context_mark
        where = f"{self.name}, line {mark.line + 1}" if mark else self.name
        problem = error.problem or error.context or "unknown problem"
        if "'\\t'" in problem:
            return ConfigurationError(f"{where}: a tab; indent with spaces")
        if "but found another document" in problem:
            return ConfigurationError(f"{where}: a second document begins; keep one in a file")
        reason = f"{error.context}: {problem}" if error.context else problem
        return ConfigurationError(
            f"{where}: not valid YAML ({reason}); check indentation, brackets and quotes, and put "
            "text with a colon in quotes"
        )

    def _add(self, layer: Layer, node: yaml.MappingNode, path: KeyPath) -> None:
        """Add the keys of a mapping to a layer."""
        self._enter(node, path)
        merged: list[yaml.MappingNode] = []
        lines: dict[str, str] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{TAG}merge":
                merged += self._merged(value_node)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key should be text, not a list or mapping; quote it")
            key, origin = key_node.value, self._at(key_node)
            full = (*path, *_parts(key))
            if key in lines:
                raise _twice(full, origin, lines[key])
            lines[key] = origin
            if isinstance(value_node, yaml.MappingNode) and value_node.value:
                if not isinstance(_get(layer.content, full), dict | Absent):
                    raise _twice(full, origin, layer.origins[full])
                layer.origins.setdefault(full, origin)
                self._add(layer, value_node, full)
            else:
                place(layer, full, self._value(value_node, full), origin)
        for source in merged:
            self._add_merged(layer, source, path)
        self.open.discard(id(node))

    def _add_merged(self, layer: Layer, source: yaml.MappingNode, path: KeyPath) -> None:
        """Add the keys of a merged mapping that are not set yet."""
        below = Layer()
        self._add(below, source, ())
        for key, value in below.content.items():
            if isinstance(_get(layer.content, (*path, key)), Absent):
                place(layer, (*path, key), value, below.origins[(key,)])
                for inner, origin in below.origins.items():
                    if inner[0] == key:
                        layer.origins.setdefault((*path, *inner), origin)

    def _merged(self, node: yaml.Node) -> list[yaml.MappingNode]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in nodes:
            if not isinstance(item, yaml.MappingNode):
                raise self._error(item, "<< needs an alias of a section; write `<<: *name`")
        return list(nodes)

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.ScalarNode):
            self._count(node)
            return self._scalar(node, path)
        if isinstance(node, yaml.MappingNode):
            section = Layer()
            self._add(section, node, ())
            return section.content
        self._enter(node, path)
        items = [self._value(item, (*path, str(n))) for n, item in enumerate(node.value)]
        self.open.discard(id(node))
        return items

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        is_plain = node.style is None
        resolve: Any = self.resolver.resolve  # PyYAML's stubs lack its types
        implicit = resolve(yaml.ScalarNode, node.value, (is_plain, not is_plain))
        if node.tag == implicit:
            return plain_scalar(node.value) if is_plain else node.value
        if node.tag == f"{TAG}str":
            return node.value
        if node.tag in (f"{TAG}int", f"{TAG}float", f"{TAG}bool", f"{TAG}null"):
            return plain_scalar(node.value)
        key = _short(".".join(path))
        raise self._error(node, f"{key}: the tag {_short(node.tag)} is not supported; remove it")

    def _enter(self, node: yaml.Node, path: KeyPath) -> None:
        self._count(node)
        if len(path) > DEEPEST:
            raise self._error(node, f"nested deeper than {DEEPEST} levels; simplify it")
        if id(node) in self.open:
            raise self._error(node, "an anchor contains its own alias; write the values out")
        self.open.add(id(node))

    def _count(self, node: yaml.Node) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            raise self._error(node, f"more than {MOST_VALUES} values with all aliases; simplify it")

    def _at(self, node: yaml.Node) -> str:
        return f"{self.name}, line {node.start_mark.line + 1}"

    def _error(self, node: yaml.Node, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self._at(node)}: {message}")


class Absent:
    """The value of a key that is not set."""


def _get(content: Any, path: KeyPath) -> Any:
    for part in path:
        if not isinstance(content, Mapping) or part not in content:
            return Absent()
        content = content[part]
    return content


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
