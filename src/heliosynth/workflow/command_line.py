"""Options of ``snakemake`` that set the configuration, checked before it parses them.

Snakemake takes a target behind ``--config`` for a setting and ends with a traceback, keeps only
the last of two ``--config``, does not know keys with dots, and names no file whose YAML is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import yaml

from heliosynth.config.yaml_file import ConfigurationError, read_file

Kind = Literal["config", "files", ""]

SETTINGS = ("--config", "-C")
FILES = ("--configfile", "--configfiles")
TEXT_SETTINGS = ("run", "observations", "archive")
"""Settings that are text, whatever they look like."""
LONGEST = 80
"""Characters of an argument to show in an error."""


@dataclass(frozen=True)
class Arguments:
    """Arguments of ``snakemake``, sorted by what they set.

    Attributes
    ----------
    settings, files
        The values of ``--config`` and of ``--configfile``, in order.
    others
        All other arguments up to ``--``.
    last
        ``--`` and what follows it.
    repeated
        The option that occurs more than once, of which Snakemake would use the last only.
    """

    settings: list[str]
    files: list[str]
    others: list[str]
    last: list[str]
    repeated: str = ""


def prepare(arguments: Sequence[str]) -> list[str]:
    """Return arguments that Snakemake reads as they are meant.

    Several ``--config`` and ``--configfile`` become one, and keys with dots become sections.

    Raises
    ------
    ConfigurationError
        If a value of ``--config`` is not a setting, or a configuration file is wrong. Names the
        argument or the file, and what to do.
    """
    sorted_ = sort(arguments)
    settings = [_prepared(setting) for setting in sorted_.settings]
    for path in sorted_.files:
        read_file(path)
    prepared = list(sorted_.others)
    if sorted_.files:
        prepared += [FILES[0], *sorted_.files]
    if settings:
        prepared += [SETTINGS[0], *settings]
    return [*prepared, *sorted_.last]


def check(arguments: Sequence[str]) -> None:
    """Check what Snakemake itself does not, after it has parsed the arguments.

    Raises
    ------
    ConfigurationError
        If ``--config`` or ``--configfile`` occurs twice, or a name was read as another number.
    """
    sorted_ = sort(arguments)
    if sorted_.repeated:
        raise ConfigurationError(
            f"{sorted_.repeated}: given twice, and Snakemake uses the last only; give it once, "
            "with all values behind it"
        )
    for setting in sorted_.settings:
        _check_text(setting)


def sort(arguments: Sequence[str]) -> Arguments:
    """Sort the arguments of ``snakemake`` by what they set."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    values: dict[Kind, list[str]] = {"config": [], "files": [], "": []}
    seen: list[Kind] = []
    current: Kind = ""
    for argument in arguments[:end]:
        if not argument.startswith("-") or argument == "-":
            values[current].append(argument)
            continue
        option, equals, value = argument.partition("=")
        current = _kind_of(option)
        if current == "":
            values[""].append(argument)
            continue
        if option.startswith("-C") and len(option) > 2:  # -Ckey=value
            value, equals = argument[2:], "="
        seen.append(current)
        if equals:
            values[current].append(value)
            current = ""
    repeated = SETTINGS[0] if seen.count("config") > 1 else ""
    if seen.count("files") > 1:
        repeated = FILES[0]
    return Arguments(
        settings=values["config"],
        files=values["files"],
        others=values[""],
        last=list(arguments[end:]),
        repeated=repeated,
    )


def _kind_of(option: str) -> Kind:
    if option in SETTINGS or option.startswith("-C"):
        return "config"
    return "files" if option in FILES else ""


def _prepared(setting: str) -> str:
    """Return a setting that Snakemake can parse."""
    key, equals, value = setting.partition("=")
    shown = setting if len(setting) <= LONGEST else f"{setting[: LONGEST - 1]}…"
    if not equals:
        raise ConfigurationError(
            f"--config {shown}: is not KEY=VALUE; write {shown}=VALUE, or if it is a target, put "
            f"it behind two hyphens: --config KEY=VALUE -- {shown}"
        )
    parts = key.split(".")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z_][\w-]*\w", part, re.ASCII):
            raise ConfigurationError(
                f"--config {shown}: {key!r} is not a key; write KEY=VALUE, as in seed=3 or "
                "dataset.image_size_px=64"
            )
    _check_text(setting)
    if len(parts) == 1:
        _value(value)
        return setting
    nested: object = _value(value)
    for part in reversed(parts[1:]):
        nested = {part: nested}
    return f"{parts[0]}={json.dumps(nested, ensure_ascii=False)}"


def _value(text: str) -> object:
    """Return a value as JSON can write it: lists and sections as they are, all else as text."""
    if text[:1] in ("[", "{"):
        try:
            return yaml.load(text, Loader=yaml.BaseLoader)  # text stays text
        except yaml.YAMLError as error:
            raise ConfigurationError(
                f"--config: {text[:LONGEST]!r} is not valid YAML; close its brackets and put a "
                "blank behind each colon"
            ) from error
    return text


def _check_text(setting: str) -> None:
    key, _, value = setting.partition("=")
    number = re.fullmatch(r"\s*[-+]?[0-9]+(_[0-9]+)*\s*", value, re.ASCII)
    if key in TEXT_SETTINGS and number and str(int(value)) != value:
        raise ConfigurationError(
            f"--config {key}: {value!r} is read as the number {int(value)}; put it in two pairs "
            f"of quotes, as in {key}=\"'{value}'\""
        )
