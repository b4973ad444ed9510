"""CSV tables passed between stages, with schemas."""

from __future__ import annotations

import numpy as np
import pandera.pandas as pa

from heliosynth import goes_class
from heliosynth.io.tables import TIME, table_schema

LETTERS = [*goes_class.NAMES, ""]


FRAME_COLUMNS = {
    "time": pa.Column(TIME),
    "year": pa.Column(np.int64),
    "store_row": pa.Column(np.int64, pa.Check.ge(0)),
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
        "goes_class_label": pa.Column(str, pa.Check.str_matches(r"^[ABCMX]\d*\.?\d*$")),
        "peak_flux": pa.Column(np.float64, pa.Check.in_range(1e-10, 1e-1)),
        "active_region": pa.Column(np.int64, pa.Check.ge(0)),
        "hpc_x": pa.Column(np.float64, nullable=True),
        "hpc_y": pa.Column(np.float64, nullable=True),
        "identifier": pa.Column(str, unique=True),
    }
)
"""``flares.csv``: every flare once; see :func:`heliosynth.sources.hek.read_flares`."""

LABEL_COLUMNS = {
    **FRAME_COLUMNS,
    "goes_class": pa.Column(str, pa.Check.isin(LETTERS)),
    "log10_flux": pa.Column(np.float64, pa.Check.in_range(-10, -1), nullable=True),
    "flare": pa.Column(str),
    "flare_peak": pa.Column(TIME, nullable=True),
    "measured_log10_flux": pa.Column(np.float64, nullable=True),
    "flare_measured_log10_flux": pa.Column(np.float64, nullable=True),
    "selected": pa.Column(bool),
    "reason": pa.Column(str),
}
LABELLED = pa.Check(
    lambda t: ~t["selected"] | ((t["goes_class"] != "") & t["log10_flux"].notna()),
    error="a selected frame has a class and a flux",
)
LABELS = table_schema(LABEL_COLUMNS, checks=[LABELLED], unique=["year", "store_row"])
"""``labels.csv``: see :func:`heliosynth.catalogue.labels.label_frames`."""
