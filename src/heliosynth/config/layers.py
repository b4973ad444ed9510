"""Layers of the configuration: files and the command line, merged in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heliosynth.config.yaml_file import KeyPath, Layer, place, read_file

Raw = Mapping[str, Any]

COMMAND_LINE = "--config"
"""Origin of settings from the command line."""
NULLS = ("null", "Null", "NULL", "None", "~", "")
"""What means null on the command line, which Snakemake leaves as text."""
KIND = "kind"
"""Key that decides which other keys a section has."""


def read_layers(files: Iterable[Path | str], command_line: Raw) -> Layer:
    """Read configuration files and the command line into one layer; later ones override.

    Parameters
    ----------
    files
        Paths of configuration files, the first one lowest.
    command_line
        What Snakemake parsed from ``--config``; its values lie above all files.

    Raises
    ------
    ConfigurationError
        If a file is wrong; see :func:`heliosynth.config.yaml_file.read_file`.
    """
    together = Layer()
    for layer in (*map(read_file, files), from_command_line(command_line)):
        together = Layer(
            merge(together.content, layer.content), {**together.origins, **layer.origins}
        )
    return together


def from_command_line(settings: Raw) -> Layer:
    """Return the layer of settings that Snakemake parsed from ``--config``.

    Snakemake leaves ``null`` as text, and everything inside a nested value; other text is what
    was written, which the type of the setting decides about.
    """
    layer = Layer()
    _add(layer, settings, ())
    return layer


def _add(layer: Layer, section: Raw, path: KeyPath) -> None:
    for key, value in section.items():
        full = (*path, *str(key).split("."))
        if isinstance(value, Mapping) and value:
            layer.origins.setdefault(full, COMMAND_LINE)
            _add(layer, value, full)
        else:
            place(layer, full, _retyped(value), COMMAND_LINE)


def _retyped(value: Any) -> Any:
    if isinstance(value, list):
        return [_retyped(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _retyped(item) for key, item in value.items()}
    return None if isinstance(value, str) and value in NULLS else value


def merge(below: Raw, above: Raw) -> dict[str, Any]:
    """Merge two mappings recursively; values of ``above`` override those of ``below``.

    A section of another ``kind`` replaces the one below, whose keys are not its own.
    """
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both and _same_kind(old, value) else value  # type: ignore[arg-type]
    return merged


def _same_kind(below: Any, above: Any) -> bool:
    return KIND not in below or KIND not in above or bool(below[KIND] == above[KIND])
