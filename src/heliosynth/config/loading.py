"""From the raw mapping that Snakemake merged to a validated configuration.

A row of ``models`` is completed in three layers, the later over the earlier: the named
preset (``presets.yaml``), ``defaults`` of its kind, and the row itself.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from heliosynth.config.schema import RunConfig
from heliosynth.errors import InputError

Raw = Mapping[str, Any]

STUDY_ORDER = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")


class ConfigurationError(InputError):
    """A configuration that cannot be run; the message is one line."""


def resolve(raw: Raw) -> RunConfig:
    """Complete a raw configuration from presets and defaults, and validate it.

    Parameters
    ----------
    raw
        What ``config.yaml``, its overlays and the command line merge to.

    Raises
    ------
    ConfigurationError
        One line that names the path of the first wrong key and what to do.
    """
    completed = {key: value for key, value in raw.items() if key != "defaults"}
    defaults, rows = _defaults(raw), raw.get("models")
    if isinstance(rows, Mapping):
        completed["models"] = {
            name: _complete_row(name, rows[name], defaults) for name in sorted(rows, key=_place)
        }
    try:
        return RunConfig.model_validate(completed)
    except ValidationError as error:
        raise ConfigurationError(_one_line(error, raw)) from None


def presets() -> dict[str, dict[str, Any]]:
    """Read the presets: ``{kind: {preset: row}}``."""
    text = resources.files("heliosynth.config").joinpath("presets.yaml").read_text("utf-8")
    return typing.cast("dict[str, dict[str, Any]]", yaml.safe_load(text))


def merge(below: Raw, above: Raw) -> dict[str, Any]:
    """Lay one mapping over another, section by section."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _place(name: object) -> tuple[int, str]:
    """Order rows as the study does, others by name: merging overlays shuffles mappings."""
    known = name in STUDY_ORDER
    return (STUDY_ORDER.index(str(name)) if known else len(STUDY_ORDER), str(name))


def _defaults(raw: Raw) -> Raw:
    """Give the settings that rows of a kind share, once they are known to be that."""
    defaults = _mapping("defaults", raw.get("defaults"))
    unknown = {str(kind) for kind in defaults} - set(presets())
    if unknown:
        raise ConfigurationError(_unknown(f"defaults.{min(unknown)}", list(presets())))
    return {kind: _mapping(f"defaults.{kind}", shared) for kind, shared in defaults.items()}


def _mapping(path: str, given: Any) -> Raw:
    if given is None or isinstance(given, Mapping):
        return given or {}
    raise ConfigurationError(f"{path}: should be a mapping{_given(given)}")


def _complete_row(name: object, row: Any, defaults: Raw) -> Any:
    known = presets()
    kind = row.get("kind") if isinstance(row, Mapping) else None
    if not isinstance(kind, str) or kind not in known:
        return row
    layered = merge(defaults.get(kind, {}), row)
    preset = layered.pop("preset", None)
    if not isinstance(preset, str) or preset not in known[kind]:
        raise ConfigurationError(
            f"models.{name}.preset: {_short(repr(preset), 80)} is none of "
            f"{', '.join(known[kind])}; set it there or in defaults.{kind}"
        )
    return merge(known[kind][preset], layered)


def _one_line(error: ValidationError, raw: Raw) -> str:
    first = error.errors(include_url=False)[0]
    path = _short(_written_path([str(part) for part in first["loc"]], raw), 120)
    if first["type"] == "extra_forbidden":
        return _unknown(path, [".".join(parts) for parts in _paths(RunConfig)])
    if first["type"] == "missing":
        return f"{path}: missing; add this key to the configuration"
    message = _short(first["msg"].removeprefix("Value error, "), 200) + _given(first.get("input"))
    return f"{path}: {message}" if path else message


def _given(value: Any) -> str:
    return "" if isinstance(value, BaseModel | Mapping) else f" (given: {_short(repr(value), 80)})"


def _short(text: str, longest: int) -> str:
    """Keep a line readable, whatever was pasted into the configuration."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _written_path(location: list[str], raw: Raw) -> str:
    """Give the path as the user wrote it: no union tags, ``defaults`` where it stands there."""
    if location[:1] == ["models"] and len(location) > 2:
        name, tag, rest = location[1], location[2], _without_tags(location[3:])
        row, shared = raw["models"].get(name), (raw.get("defaults") or {}).get(tag)
        if _holds(shared, rest) and not _holds(row, rest):
            return ".".join(["defaults", tag, *rest])
        return ".".join(["models", name, *rest])
    return ".".join(_without_tags(location))


def _without_tags(location: list[str]) -> list[str]:
    tagged = {"labels", "network", "denoiser", "condition"}
    return [part for at, part in enumerate(location) if at == 0 or location[at - 1] not in tagged]


def _holds(mapping: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(mapping, Mapping) or part not in mapping:
            return False
        mapping = mapping[part]
    return bool(path)


def _paths(annotation: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """List every path that the schema knows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield (*at, name)
            yield from _paths(field.annotation, (*at, name))
        return
    arguments = typing.get_args(annotation)
    inside = (*at, "*") if typing.get_origin(annotation) is dict else at
    for argument in arguments:
        yield from _paths(argument, inside)


def _unknown(path: str, known: list[str]) -> str:
    """Say that a key is unknown, with the right name nearest to it, here or elsewhere."""
    parent, _, leaf = path.rpartition(".")

    def likeness(candidate: str) -> float:
        place, _, name = candidate.rpartition(".")
        here = 0.15 if place.split(".")[-1:] == parent.split(".")[-1:] else 0.0
        return difflib.SequenceMatcher(None, leaf, name).ratio() + here

    nearest = max(known, key=likeness)
    return f"{path}: unknown key; the nearest known one is {nearest}"
