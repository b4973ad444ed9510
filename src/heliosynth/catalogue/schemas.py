"""Schemas of the CSV tables passed between stages, and the reasons for labels."""

from __future__ import annotations

import numpy as np
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.io.tables import TIME, table_schema
from heliosynth.sources import quality_flags

NEAREST_PEAK = "nearest flare peak"
LARGEST_FLARE = "largest flare in the window"
BACKGROUND = "background flux"
QUALITY_FLAG = quality_flags.FLAG
NO_PEAK = "no flare peak in the window"
NO_FLUX = "no flare and no X-ray flux"
OTHER_CLASS = "class not of the study"

SELECTED = (NEAREST_PEAK, LARGEST_FLARE, BACKGROUND)
"""The reasons of the frames that are used."""
REASONS = (*SELECTED, QUALITY_FLAG, NO_PEAK, NO_FLUX, OTHER_CLASS)
"""Values of the column ``reason``."""

NON_NEGATIVE = pa.Check.ge(0, error="0 or more")

FRAME_COLUMNS = {
    "time": pa.Column(TIME),
    "year": pa.Column(np.int64),
    "store_row": pa.Column(np.int64, NON_NEGATIVE),
    "exposure_s": pa.Column(np.float64, nullable=True),
    "quality": pa.Column(np.int64),
}
FRAMES = table_schema(FRAME_COLUMNS, unique=["year", "store_row"])
"""``frames_<year>.csv``: the header of every frame that has a time."""

FLARES = table_schema(
    {
        "start": pa.Column(TIME, nullable=True),
        "peak": pa.Column(TIME),
        "end": pa.Column(TIME, nullable=True),
        "goes_class_label": pa.Column(
            str, pa.Check.str_matches(r"^[ABCMX]\d*\.?\d*$", error="a GOES class such as M1.2")
        ),
        "peak_flux": pa.Column(
            np.float64, pa.Check.in_range(1e-10, 1e-1, error="from 1e-10 to 0.1 W m⁻²")
        ),
        "active_region": pa.Column(np.int64, NON_NEGATIVE),
        "hpc_x": pa.Column(np.float64, nullable=True),
        "hpc_y": pa.Column(np.float64, nullable=True),
        "identifier": pa.Column(str, unique=True),
    }
)
"""``flares.csv``: every flare once; see :func:`heliosynth.sources.hek.read_flares`."""

LABEL_COLUMNS = {
    **FRAME_COLUMNS,
    "goes_class": pa.Column(
        str, pa.Check.isin([*goes_class.NAMES, ""], error="one of A, B, C, M, X, or empty")
    ),
    "log10_flux": pa.Column(
        np.float64, pa.Check.in_range(-10, -1, error="from -10 to -1"), nullable=True
    ),
    "flare": pa.Column(str),
    "flare_peak": pa.Column(TIME, nullable=True),
    "measured_log10_flux": pa.Column(np.float64, nullable=True),
    "flare_measured_log10_flux": pa.Column(np.float64, nullable=True),
    "selected": pa.Column(bool),
    "reason": pa.Column(str, pa.Check.isin(REASONS, error=f"one of {', '.join(REASONS)}")),
}
LABELLED = pa.Check(
    lambda t: ~t["selected"] | ((t["goes_class"] != "") & t["log10_flux"].notna()),
    error="a frame that is `selected` must have a `goes_class` and a `log10_flux`",
)
LABELS = table_schema(LABEL_COLUMNS, checks=[LABELLED], unique=["year", "store_row"])
"""``labels.csv``: see :func:`heliosynth.catalogue.labels.label_frames`."""
