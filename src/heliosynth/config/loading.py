"""Loading and validation of the configuration.

A row of ``models`` is merged from three layers, later ones overriding earlier ones: the named
preset (``presets.yaml``), ``defaults`` of its kind, and the row itself.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from heliosynth.config import checks, messages
from heliosynth.config.layers import COMMAND_LINE, Raw, merge
from heliosynth.config.schema import RunConfig
from heliosynth.config.suggestions import one_of
from heliosynth.config.yaml_file import ConfigurationError, KeyPath

__all__ = ["ConfigurationError", "merge", "presets", "resolve"]

STUDY_ORDER = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")
"""The models of the study, in the order of its tables."""
PRESET = ("models", "*", "preset")
"""A key of rows that the schema lacks, since it stands for others."""
MOST_OTHERS = 3
"""Largest number of further wrong keys to name."""
IN_QUOTES = "put it in quotes"
IN_QUOTES_OF_THE_SHELL = "put it in two pairs of quotes, as in --config run=\"'1.5'\""


def resolve(raw: Raw, origins: Mapping[KeyPath, str] | None = None) -> RunConfig:
    """Complete a raw configuration from presets and defaults, and validate it.

    A key whose value is null is taken away, as though no layer had set it, unless null is one of
    its values.

    Parameters
    ----------
    raw
        ``config.yaml``, overlays and the command line, merged.
    origins
        Where each key was set.

    Raises
    ------
    ConfigurationError
        If the configuration is wrong. Names the path of the first wrong key and what to do.
    """
    return _Loading(raw, origins or {}).resolve()


def presets() -> dict[str, dict[str, Any]]:
    """Read the presets: ``{kind: {preset: row}}``."""
    text = resources.files("heliosynth.config").joinpath("presets.yaml").read_text("utf-8")
    return typing.cast("dict[str, dict[str, Any]]", yaml.safe_load(text))


class _Loading:
    """One configuration on its way to a validated one."""

    def __init__(self, raw: Raw, origins: Mapping[KeyPath, str]) -> None:
        self.origins = origins
        self.nullable = {**messages.nullable_paths(RunConfig), PRESET: False}
        self.presets = presets()
        self.removed: set[KeyPath] = set()
        self.raw = self._without_nulls(raw, ())

    def resolve(self) -> RunConfig:
        completed = {key: value for key, value in self.raw.items() if key != "defaults"}
        defaults, rows = self._defaults(), self.raw.get("models")
        if isinstance(rows, Mapping):
            completed["models"] = {
                name: self._complete_model(name, rows[name], defaults)
                for name in sorted(rows, key=_sort_key)
            }
        try:
            configuration = RunConfig.model_validate(completed)
        except ValidationError as error:
            details = error.errors(include_url=False)
            raise self._error([self._problem(item) for item in details]) from error
        problems = [
            (self._written_in_row(problem.path), problem.message)
            for problem in checks.problems(configuration)
        ]
        if problems:
            raise self._error(problems)
        return configuration

    def _without_nulls(self, section: Raw, path: KeyPath) -> dict[str, Any]:
        """Take away the keys whose value is null, where null is none of their values."""
        kept: dict[str, Any] = {}
        for key, value in section.items():
            full = (*path, str(key))
            if isinstance(value, Mapping):
                kept[str(key)] = self._without_nulls(value, full)
            elif value is None and self._is_removable(full):
                self.removed.add(full)
            else:
                kept[str(key)] = value
        return kept

    def _is_removable(self, path: KeyPath) -> bool:
        if path[0] == "defaults" and len(path) <= 2:
            return len(path) == 1 or path[1] in self.presets
        pattern = ("models", "*", *path[2:]) if path[0] in ("models", "defaults") else path
        if path[0] == "models" and len(path) <= 2:
            return True
        return self.nullable.get(pattern) is False

    def _defaults(self) -> Raw:
        """Return the section ``defaults``, after checking that it is a mapping by kind."""
        defaults = self._mapping(("defaults",), self.raw.get("defaults", {}))
        for kind in defaults:
            if kind not in self.presets:
                message = one_of(kind, self.presets)
                raise self._located(("defaults", kind), f"unknown kind of model; {message}")
        return {kind: self._mapping(("defaults", kind), row) for kind, row in defaults.items()}

    def _mapping(self, path: KeyPath, value: Any) -> Raw:
        if isinstance(value, Mapping):
            return value
        message = f"{messages.TEXTS['dict_type']}{messages.input_text(value)}"
        raise self._located(path, message)

    def _complete_model(self, name: str, row: Any, defaults: Raw) -> Any:
        """Merge the preset, the defaults and a row of ``models``; leave a wrong row to pydantic."""
        kind = row.get("kind") if isinstance(row, Mapping) else None
        if not isinstance(kind, str) or kind not in self.presets:
            return row
        layered = merge(defaults.get(kind, {}), row)
        known, preset = self.presets[kind], layered.pop("preset", None)
        if isinstance(preset, str) and preset in known:
            return merge(known[preset], layered)
        path = ("models", name, "preset")
        if preset is None:
            raise self._located(
                path,
                f"missing; set it there or in defaults.{kind} to one of {', '.join(known)}",
            )
        message = one_of(preset, known) + messages.input_text(preset)
        raise self._located(self._written(path, kind), message)

    def _error(self, problems: Sequence[tuple[KeyPath, str]]) -> ConfigurationError:
        """Return the first of some problems as one line, with the keys of the others."""
        others = dict.fromkeys(".".join(path) for path, _ in problems[1:] if path)
        others.pop(".".join(problems[0][0]), None)
        named = [messages.shortened(other, messages.LONGEST_VALUE) for other in others]
        shown = ", ".join(named[:MOST_OTHERS])
        if len(named) > MOST_OTHERS:
            shown += f" and {len(named) - MOST_OTHERS} more"
        located = self._located(*problems[0])
        return ConfigurationError(f"{located}; also wrong: {shown}") if shown else located

    def _problem(self, details: ErrorDetails) -> tuple[KeyPath, str]:
        """Return the key, as it was written, and the message of an error of pydantic."""
        location = [str(part) for part in details["loc"] if part != "[key]"]
        path = self._user_path(location)
        if details["type"] == "extra_forbidden":
            return path, messages.unknown_key(location, path, RunConfig)
        key, message = messages.text_of(details, RunConfig)
        if details["type"] == "missing" and path in self.removed:
            message = "missing: it is null here, which takes it away; set a value"
        if self._origin(path) == COMMAND_LINE:
            message = message.replace(IN_QUOTES, IN_QUOTES_OF_THE_SHELL)
        return (*path, *key), message

    def _located(self, path: KeyPath, message: str) -> ConfigurationError:
        origin, key = self._origin(path), messages.shortened(".".join(path), messages.LONGEST_PATH)
        parts = [part for part in (origin, key, message) if part]
        return ConfigurationError(": ".join(parts))

    def _origin(self, path: KeyPath) -> str:
        """Return where a key was set, or the section that it is in; empty if no layer did."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return ""

    def _user_path(self, location: Sequence[str]) -> KeyPath:
        """Return a key as it was written: without union tags, in ``defaults`` if it is there."""
        if location[:1] == ["models"] and len(location) > 2:
            kind, rest = location[2], _without_tags(location[3:])
            return self._written(("models", location[1], *rest), kind)
        return tuple(_without_tags(location))

    def _written_in_row(self, path: KeyPath) -> KeyPath:
        if path[0] != "models" or len(path) < 3:
            return path
        return self._written(path, str(self.raw["models"][path[1]]["kind"]))

    def _written(self, path: KeyPath, kind: str) -> KeyPath:
        """Return a key of a row of ``models``, in ``defaults`` if only that sets it."""
        in_defaults = ("defaults", kind, *path[2:])
        if _has_path(self.raw, in_defaults) and not _has_path(self.raw, path):
            return in_defaults
        return path


def _sort_key(name: str) -> tuple[int, str]:
    """Order models as in the study, others by name, since merged mappings have no fixed order."""
    known = name in STUDY_ORDER
    return (STUDY_ORDER.index(name) if known else len(STUDY_ORDER), name)


def _without_tags(location: Sequence[str]) -> list[str]:
    return [
        part
        for n, part in enumerate(location)
        if n == 0 or location[n - 1] not in messages.DISCRIMINATED
    ]


def _has_path(mapping: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(mapping, Mapping) or part not in mapping:
            return False
        mapping = mapping[part]
    return bool(path)
