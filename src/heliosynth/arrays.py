"""Array aliases, and the constants that several stages share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Booleans = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.int8]
"""Class numbers, 0…4 = A…X."""
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
AnyFloats = npt.NDArray[np.floating[Any]]
Objects = npt.NDArray[np.object_]
Times = npt.NDArray[np.datetime64]

Seconds = Integers
"""Times, s since 1970-01-01 UTC."""
Images = Floats32
"""Images, (N, H, W) or (N, C, H, W)."""
Features = Floats32
"""Features of images, (N, D)."""
Measures = dict[str, npt.NDArray[Any]]
"""Quality measures of frames by name, each (N, …)."""

DAY_S = 86_400
"""Length of a day, s."""
SOLAR_RADIUS_ARCSEC = 976.0
"""Apparent solar radius to which SDOMLv2 scales every frame, arcsec (Galvez et al. 2019)."""
FIELD_ARCSEC = 2457.6
"""Width of a frame, arcsec."""
DISK_RADIUS = SOLAR_RADIUS_ARCSEC / FIELD_ARCSEC
"""Solar radius in units of the width of a frame."""
SPLITS = ("train", "val", "test")
"""The splits of the dataset: its groups, and values of the column ``split``."""
