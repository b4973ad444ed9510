"""Registry of the physical statistics of solar images.

A statistic is one function and one row of :data:`STATISTICS`. The function takes
:class:`heliosynth.evaluation.physics.Suns` (and the argument of its row, if there is one) and
returns a value per image. The module imports no statistic, so that the rows can be checked when
the workflow is planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["values", "histogram", "share"]
"""``values``: a value per image (N,), compared as a distribution with the training images.
``histogram``: a histogram per image (N, bins), whose sum over a set is compared as a distribution.
``share``: 0 or 1, or a share, per image (N,); the value of a set is the mean."""


@dataclass(frozen=True)
class Statistic:
    """A row of the registry.

    Attributes
    ----------
    title
        Name in tables and figures.
    unit
        Unit of the value of an image.
    function
        Reference to the function, ``package.module:name``.
    catches
        The fault of generated images that it detects.
    kind
        How the values of images become that of a set.
    argument
        Second argument of the function: a band or a threshold; None: it has none.
    """

    title: str
    unit: str
    function: str
    catches: str
    kind: Kind = "values"
    argument: float | str | None = None


STATISTICS: Mapping[str, Statistic] = {
    "disk_flux": Statistic(
        "disk flux",
        "log10 DN",
        "heliosynth.evaluation.physics:disk_flux",
        "a wrong irradiance, or too little of it",
    ),
    "limb_brightening": Statistic(
        "limb brightening",
        "",
        "heliosynth.evaluation.physics:limb_brightening",
        "a limb too flat or too bright",
    ),
    "off_limb": Statistic(
        "off-limb share",
        "",
        "heliosynth.evaluation.physics:off_limb_share",
        "a missing or too extended corona",
    ),
    "sky_std": Statistic(
        "std of the sky",
        "scaled",
        "heliosynth.evaluation.physics:sky_std",
        "noisy, or too smooth, corners",
    ),
    "bright_share": Statistic(
        "bright share",
        "",
        "heliosynth.evaluation.physics:bright_share",
        "too few or too large active regions",
    ),
    "intensity": Statistic(
        "intensity of pixels",
        "scaled",
        "heliosynth.evaluation.physics:intensity_histogram",
        "a wrong distribution of intensities on the disk",
        kind="histogram",
    ),
    "active_latitude": Statistic(
        "active latitude",
        "deg",
        "heliosynth.evaluation.physics:active_latitude",
        "active regions outside the activity belts",
    ),
    "high_latitude": Statistic(
        "active beyond 40°",
        "",
        "heliosynth.evaluation.physics:high_latitude_share",
        "active regions near the poles",
    ),
    "east_west": Statistic(
        "east–west asymmetry",
        "",
        "heliosynth.evaluation.physics:east_west_asymmetry",
        "activity on one side, or too evenly on both",
    ),
    "north_south": Statistic(
        "north–south asymmetry",
        "",
        "heliosynth.evaluation.physics:north_south_asymmetry",
        "activity in one hemisphere, or too evenly in both",
    ),
    "power_large": Statistic(
        "power, large scales",
        "dB",
        "heliosynth.evaluation.physics:band_power",
        "too little or too much large-scale structure",
        argument="large",
    ),
    "power_medium": Statistic(
        "power, medium scales",
        "dB",
        "heliosynth.evaluation.physics:band_power",
        "missing active regions and network",
        argument="medium",
    ),
    "power_small": Statistic(
        "power, small scales",
        "dB",
        "heliosynth.evaluation.physics:band_power",
        "blur, noise and patterns of the network",
        argument="small",
    ),
    "skewness": Statistic(
        "skewness",
        "",
        "heliosynth.evaluation.physics:skewness",
        "mottle with the right power: bright regions do not stand out",
    ),
    "kurtosis": Statistic(
        "kurtosis",
        "",
        "heliosynth.evaluation.physics:kurtosis",
        "mottle with the right power: no extremes",
    ),
    "area_minus_1": Statistic(
        "area above −1σ",
        "",
        "heliosynth.evaluation.physics:area_above",
        "too few or too many holes",
        argument=-1.0,
    ),
    "area_plus_1": Statistic(
        "area above 1σ",
        "",
        "heliosynth.evaluation.physics:area_above",
        "too little bright area",
        argument=1.0,
    ),
    "area_plus_2": Statistic(
        "area above 2σ",
        "",
        "heliosynth.evaluation.physics:area_above",
        "missing bright cores",
        argument=2.0,
    ),
    "perimeter_minus_1": Statistic(
        "contour length at −1σ",
        "solar radii",
        "heliosynth.evaluation.physics:perimeter_above",
        "holes with frayed or too smooth borders",
        argument=-1.0,
    ),
    "perimeter_plus_1": Statistic(
        "contour length at 1σ",
        "solar radii",
        "heliosynth.evaluation.physics:perimeter_above",
        "regions with frayed or too smooth borders",
        argument=1.0,
    ),
    "perimeter_plus_2": Statistic(
        "contour length at 2σ",
        "solar radii",
        "heliosynth.evaluation.physics:perimeter_above",
        "bright cores with frayed or too smooth borders",
        argument=2.0,
    ),
    "euler_minus_1": Statistic(
        "Euler number at −1σ",
        "",
        "heliosynth.evaluation.physics:euler_above",
        "mottle with the right power: the wrong number of holes",
        argument=-1.0,
    ),
    "euler_plus_1": Statistic(
        "Euler number at 1σ",
        "",
        "heliosynth.evaluation.physics:euler_above",
        "mottle with the right power: the wrong number of regions",
        argument=1.0,
    ),
    "euler_plus_2": Statistic(
        "Euler number at 2σ",
        "",
        "heliosynth.evaluation.physics:euler_above",
        "mottle with the right power: the wrong number of bright cores",
        argument=2.0,
    ),
    "rejected": Statistic(
        "rejected as frames",
        "",
        "heliosynth.evaluation.physics:rejected",
        "images that the quality check of frames would reject",
        kind="share",
    ),
}
"""Every statistic by its key, in the order of tables and figures."""
