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

from heliosynth.config.schema import Configuration
from heliosynth.errors import InputError

Raw = Mapping[str, Any]

STUDY_ORDER = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")


class ConfigurationError(InputError):
    """A configuration that cannot be run; the message is one line."""


def resolve(raw: Raw) -> Configuration:
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
    rows = raw.get("models")
    if isinstance(rows, Mapping):
        completed["models"] = {
            name: _complete_row(name, rows[name], raw.get("defaults") or {})
            for name in sorted(rows, key=_place)
        }
    try:
        return Configuration.model_validate(completed)
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


def _complete_row(name: str, row: Any, defaults: Raw) -> Any:
    known = presets()
    unknown = set(defaults) - set(known)
    if unknown:
        raise ConfigurationError(_unknown(f"defaults.{min(unknown)}", list(known)))
    if not isinstance(row, Mapping) or row.get("kind") not in known:
        return row
    kind = row["kind"]
    layered = merge(defaults.get(kind) or {}, row)
    preset = layered.pop("preset", None)
    if preset not in known[kind]:
        names = ", ".join(known[kind])
        raise ConfigurationError(f"models.{name}.preset: {preset!r} is none of {names}")
    return merge(known[kind][preset], layered)


def _one_line(error: ValidationError, raw: Raw) -> str:
    first = error.errors(include_url=False)[0]
    path = _written_path([str(part) for part in first["loc"]], raw)
    if first["type"] == "extra_forbidden":
        return _unknown(path, [".".join(parts) for parts in _paths(Configuration)])
    if first["type"] == "missing":
        return f"{path}: missing; add this key to the configuration"
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (given: {given!r})" if not isinstance(given, BaseModel | Mapping) else ""
    return f"{path}: {message}{shown}" if path else f"{message}{shown}"


def _written_path(location: list[str], raw: Raw) -> str:
    """Give the path as the user wrote it: no union tags, ``defaults`` where it stands there."""
    if location[:1] == ["models"] and len(location) > 2:
        name, tag, rest = location[1], location[2], _without_tags(location[3:])
        row = raw["models"][name]
        shared = (raw.get("defaults") or {}).get(tag) or {}
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
