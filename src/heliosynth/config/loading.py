"""Loading and validation of the configuration.

A row of ``models`` is merged from three layers, later ones overriding earlier ones: the named
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
"""The models of the study, in the order of its tables."""
LONGEST_VALUE, LONGEST_PATH, LONGEST_MESSAGE = 80, 120, 200
"""Characters of a value, the path of a key and a message to show in an error."""
DISCRIMINATED = ("labels", "network", "denoiser", "condition")
"""Sections whose kind pydantic adds to the location of an error."""
SAME_SECTION_BONUS = 0.15
"""Added to the similarity of keys in sections of the same name."""


class ConfigurationError(InputError):
    """A wrong configuration; the message is one line."""


def resolve(raw: Raw) -> RunConfig:
    """Complete a raw configuration from presets and defaults, and validate it.

    Parameters
    ----------
    raw
        The mapping that Snakemake merged from ``config.yaml``, overlays and the command line.

    Raises
    ------
    ConfigurationError
        If the configuration is wrong. Names the path of the first wrong key and what to do.
    """
    completed = {key: value for key, value in raw.items() if key != "defaults"}
    defaults, rows = _defaults(raw), raw.get("models")
    if isinstance(rows, Mapping):
        completed["models"] = {
            name: _complete_model(name, rows[name], defaults)
            for name in sorted(rows, key=_sort_key)
        }
    try:
        return RunConfig.model_validate(completed)
    except ValidationError as error:
        raise ConfigurationError(_one_line(error, raw)) from error


def presets() -> dict[str, dict[str, Any]]:
    """Read the presets: ``{kind: {preset: row}}``."""
    text = resources.files("heliosynth.config").joinpath("presets.yaml").read_text("utf-8")
    return typing.cast("dict[str, dict[str, Any]]", yaml.safe_load(text))


def merge(below: Raw, above: Raw) -> dict[str, Any]:
    """Merge two mappings recursively; values of ``above`` override those of ``below``."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _sort_key(name: object) -> tuple[int, str]:
    """Order models as in the study, others by name, since merged mappings have no fixed order."""
    known = name in STUDY_ORDER
    return (STUDY_ORDER.index(str(name)) if known else len(STUDY_ORDER), str(name))


def _defaults(raw: Raw) -> Raw:
    """Return the section ``defaults``, after checking that it is a mapping by kind."""
    defaults = _mapping("defaults", raw.get("defaults"))
    unknown = {str(kind) for kind in defaults} - set(presets())
    if unknown:
        raise ConfigurationError(_unknown_key(f"defaults.{min(unknown)}", list(presets())))
    return {kind: _mapping(f"defaults.{kind}", shared) for kind, shared in defaults.items()}


def _mapping(path: str, value: Any) -> Raw:
    if value is None or isinstance(value, Mapping):
        return value or {}
    raise ConfigurationError(f"{path}: should be a mapping{_input_text(value)}")


def _complete_model(name: object, row: Any, defaults: Raw) -> Any:
    """Merge the preset, the defaults and a row of ``models``; leave a wrong row to pydantic."""
    known = presets()
    kind = row.get("kind") if isinstance(row, Mapping) else None
    if not isinstance(kind, str) or kind not in known:
        return row
    layered = merge(defaults.get(kind, {}), row)
    preset = layered.pop("preset", None)
    if not isinstance(preset, str) or preset not in known[kind]:
        raise ConfigurationError(
            f"models.{name}.preset: {_shortened(repr(preset), LONGEST_VALUE)} is not one of "
            f"{', '.join(known[kind])}; set it there or in defaults.{kind}"
        )
    return merge(known[kind][preset], layered)


def _one_line(error: ValidationError, raw: Raw) -> str:
    """Return the first error of pydantic as one line."""
    first = error.errors(include_url=False)[0]
    path = _shortened(_user_path([str(part) for part in first["loc"]], raw), LONGEST_PATH)
    if first["type"] == "extra_forbidden":
        return _unknown_key(path, [".".join(parts) for parts in _schema_paths(RunConfig)])
    if first["type"] == "missing":
        return f"{path}: missing; add this key to the configuration"
    message = _shortened(first["msg"].removeprefix("Value error, "), LONGEST_MESSAGE)
    message += _input_text(first.get("input"))
    return f"{path}: {message}" if path else message


def _input_text(value: Any) -> str:
    if isinstance(value, BaseModel | Mapping):
        return ""
    return f" (got: {_shortened(repr(value), LONGEST_VALUE)})"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _user_path(location: list[str], raw: Raw) -> str:
    """Return the path of a key as the user wrote it: without union tags, below ``defaults``."""
    if location[:1] == ["models"] and len(location) > 2:
        name, kind, rest = location[1], location[2], _without_tags(location[3:])
        row, shared = raw["models"].get(name), (raw.get("defaults") or {}).get(kind)
        if _has_path(shared, rest) and not _has_path(row, rest):
            return ".".join(["defaults", kind, *rest])
        return ".".join(["models", name, *rest])
    return ".".join(_without_tags(location))


def _without_tags(location: list[str]) -> list[str]:
    return [
        part for n, part in enumerate(location) if n == 0 or location[n - 1] not in DISCRIMINATED
    ]


def _has_path(mapping: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(mapping, Mapping) or part not in mapping:
            return False
        mapping = mapping[part]
    return bool(path)


def _schema_paths(annotation: Any, parents: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of the schema."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield (*parents, name)
            yield from _schema_paths(field.annotation, (*parents, name))
        return
    arguments = typing.get_args(annotation)
    inside = (*parents, "*") if typing.get_origin(annotation) is dict else parents
    for argument in arguments:
        yield from _schema_paths(argument, inside)


def _unknown_key(path: str, known: list[str]) -> str:
    """Return the error of an unknown key, with the most similar known one."""
    parent, _, leaf = path.rpartition(".")

    def similarity(candidate: str) -> float:
        section, _, name = candidate.rpartition(".")
        same_section = section.split(".")[-1:] == parent.split(".")[-1:]
        ratio = difflib.SequenceMatcher(None, leaf, name).ratio()
        return ratio + (SAME_SECTION_BONUS if same_section else 0.0)

    return f"{path}: unknown key; did you mean {max(known, key=similarity)}?"
