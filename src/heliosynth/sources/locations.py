"""Locations of the raw inputs, one function per source of the configuration.

Used while the DAG is planned, so this module imports no library that reads the files. A new
source is a name in :data:`heliosynth.config.observations.Source`, a function and its row in
:data:`LOCATIONS`, and a rule with its script if it fetches or writes files.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from heliosynth.config.observations import Source
from heliosynth.config.schema import RunConfig
from heliosynth.errors import InputError
from heliosynth.sources.archive import locate
from heliosynth.sources.archive import years as archive_years
from heliosynth.sources.manifest import SUFFIX as MANIFEST


@dataclass(frozen=True)
class RawInputs:
    """Paths of a run's raw inputs, and which of them rules make.

    Of files that no rule makes, :mod:`heliosynth.workflow.raw_state` notices every change.

    Attributes
    ----------
    years
        Years of the AIA store that are read, one job each.
    aia_store
        Path or URL of a Zarr store in SDOMLv2's layout.
    aia_depends_on
        Paths that a rule makes and frames are read from; none for an archive or a server.
    xrs_files
        Files and folders with GOES XRS light curves.
    xrs_depends_on
        Paths that rules make and they are read from.
    flare_files
        Files and folders with flare lists.
    flare_depends_on
        Paths that rules make and they are read from.
    manifests
        Manifests of what the run itself fetches, simulates or calibrates.
    level1_folder
        Folder of AIA level-1 files to calibrate into ``aia_store``; None without them.
    """

    years: list[int]
    aia_store: str
    aia_depends_on: list[str]
    xrs_files: list[str]
    xrs_depends_on: list[str]
    flare_files: list[str]
    flare_depends_on: list[str]
    manifests: list[str]
    level1_folder: str | None = None

    @property
    def store_is_remote(self) -> bool:
        """Whether frames are read over a network."""
        return "://" in self.aia_store


def simulated(configuration: RunConfig, resources: str) -> RawInputs:
    """Return the paths that the simulated observatory writes, in an archive's layout."""
    simulation = configuration.simulation
    last = simulation.start + datetime.timedelta(days=simulation.days - 1)
    folder = f"{resources}/simulated"
    return RawInputs(
        years=list(range(simulation.start.year, last.year + 1)),
        aia_store=f"{folder}/aia/sdomlv2.zarr",
        aia_depends_on=[folder],
        xrs_files=[f"{folder}/goes"],
        xrs_depends_on=[folder],
        flare_files=[f"{folder}/hek"],
        flare_depends_on=[folder],
        manifests=[f"{folder}{MANIFEST}"],
    )


def archive(configuration: RunConfig, resources: str) -> RawInputs:
    """Return the paths of a local archive, whose AIA frames are in a store or level-1 files."""
    folder = str(configuration.archive)
    paths = locate(folder)
    calibrated = f"{resources}/level1.zarr"
    has_level1 = paths.level1 is not None
    return RawInputs(
        years=archive_years(paths, configuration.dataset.channel),
        aia_store=calibrated if has_level1 else f"{folder}/aia/sdomlv2.zarr",
        aia_depends_on=[calibrated] if has_level1 else [],
        xrs_files=[f"{folder}/goes"],
        xrs_depends_on=[],
        flare_files=[f"{folder}/hek"],
        flare_depends_on=[],
        manifests=[f"{calibrated}{MANIFEST}"] if has_level1 else [],
        level1_folder=str(paths.level1) if has_level1 else None,
    )


def online(configuration: RunConfig, resources: str) -> RawInputs:
    """Return the URL of the remote store, and the paths that its years are fetched to."""
    settings = configuration.online
    if settings is None:
        raise AssertionError("RunConfig requires the section `online` for this source")
    years = sorted(settings.years)
    light_curves = [f"{resources}/goes/{year}" for year in years]
    flares = [f"{resources}/hek/{year}.json" for year in years]
    return RawInputs(
        years=years,
        aia_store=settings.aia_store,
        aia_depends_on=[],
        xrs_files=light_curves,
        xrs_depends_on=light_curves,
        flare_files=flares,
        flare_depends_on=flares,
        manifests=[
            f"{resources}/{provider}/{year}{MANIFEST}"
            for provider in ("goes", "hek")
            for year in years
        ],
    )


LOCATIONS: Mapping[str, Callable[[RunConfig, str], RawInputs]] = {
    "simulated": simulated,
    "archive": archive,
    "online": online,
}
"""For each source of the configuration, the function that returns its raw inputs."""


def check(configuration: RunConfig) -> None:
    """Check that every source has a location, and that the configured archive is complete.

    The archive is checked for every source, since a figure compares it with simulated frames.

    Raises
    ------
    InputError
        If the archive is missing or lacks a part or the channel, or a source has no row in
        :data:`LOCATIONS`.
    """
    for source in get_args(Source):
        if source not in LOCATIONS:
            raise InputError(
                f"source {source!r} has no row in heliosynth.sources.locations.LOCATIONS; add one"
            )
    if configuration.archive is None:
        return
    paths = locate(configuration.archive)
    archive_years(paths, configuration.dataset.channel)
    if paths.level1 is not None and configuration.level1 is None:
        raise InputError(
            f"{paths.level1}: level-1 files need the section `level1` in the configuration; add "
            "it, with the tables to calibrate them with"
        )


def raw_inputs(configuration: RunConfig, resources: str) -> RawInputs:
    """Return the raw inputs of a run.

    Parameters
    ----------
    configuration
        Validated configuration.
    resources
        Folder of the raw inputs that the run itself simulates, fetches or calibrates.
    """
    return LOCATIONS[configuration.source](configuration, resources)
