"""Check of the files that a configuration names, before the first job."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

from heliosynth.config.schema import RunConfig
from heliosynth.errors import InputError
from heliosynth.sources.archive import locate

LARGEST_METADATA_BYTES = 1_000_000


def check_inputs(configuration: RunConfig) -> None:
    """Check that the files of a configuration exist, and suit the rest of it.

    Raises
    ------
    InputError
        If one does not, or is a folder; if raw frames are smaller than the images to make of
        them; or if a year to read is in the future.
    """
    for key, path, remedy in _files(configuration):
        _check_file(key, path, remedy)
    _check_years(configuration, datetime.datetime.now(datetime.UTC).date())
    if configuration.source == "online" and configuration.online is not None:
        _check_local_store(configuration.online.aia_store)
    if configuration.source == "archive" and configuration.archive is not None:
        store = locate(configuration.archive).aia_store
        if store is not None:
            _check_frame_sizes(store, configuration)


def _files(configuration: RunConfig) -> Iterator[tuple[str, str, str]]:
    evaluation, level1 = configuration.evaluation, configuration.level1
    if "clip" in evaluation.encoders and evaluation.clip_weights is not None:
        remedy = "name a file with open_clip ViT-B-32 weights, or null to download them"
        yield "evaluation.clip_weights", evaluation.clip_weights, remedy
    if configuration.source != "archive" or configuration.archive is None or level1 is None:
        return
    if locate(configuration.archive).level1 is None:
        return
    yield "level1.degradation", level1.degradation, "name SSW's response table"
    if level1.pointing is not None:
        remedy = "name a table of aia.master_pointing3h, or null for the headers' pointing"
        yield "level1.pointing", level1.pointing, remedy


def _check_file(key: str, path: str, remedy: str) -> None:
    try:
        if Path(path).is_dir():
            raise InputError(f"{key}: {path} is a folder; {remedy}")
        with Path(path).open("rb") as stream:
            empty = not stream.read(1)
    except FileNotFoundError as error:
        raise InputError(f"{key}: {path} not found; {remedy}") from error
    except OSError as error:
        raise InputError(f"{key}: {path} cannot be read ({error.strerror}); {remedy}") from error
    if empty:
        raise InputError(f"{key}: {path} is empty; {remedy}")


def _check_years(configuration: RunConfig, today: datetime.date) -> None:
    if configuration.source != "online" or configuration.online is None:
        return
    for year in configuration.online.years:
        if year > today.year:
            raise InputError(f"online.years: {year} is in the future (today: {today}); remove it")


def _check_local_store(address: str) -> None:
    if "://" not in address and not Path(address).is_dir():
        raise InputError(
            f"online.aia_store: {address} is no folder; name the URL of an SDOMLv2 store, or the "
            "path of a local one"
        )


def _check_frame_sizes(store: Path, configuration: RunConfig) -> None:
    """Compare the size of raw frames, where their metadata states it, with that of the images."""
    size = configuration.dataset.image_size_px
    for group in sorted(store.glob("[12][0-9][0-9][0-9]")):
        width = _frame_width(group / configuration.dataset.channel)
        if width is not None and width < size:
            raise InputError(
                f"dataset.image_size_px: {size} is more than the {width} pixels of the frames in "
                f"{group / configuration.dataset.channel}; lower it"
            )


def _frame_width(array: Path) -> int | None:
    """Return the width of an array's frames; None where it cannot be read, as later rules say."""
    for name in (".zarray", "zarr.json"):
        try:
            with (array / name).open("rb") as stream:
                shape = json.loads(stream.read(LARGEST_METADATA_BYTES))["shape"]
            return int(shape[-1])
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None
