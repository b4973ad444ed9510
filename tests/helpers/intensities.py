"""Inputs and options of ``intensities.py``, which averages the frames of a raw store."""

import math
from pathlib import Path

import numpy as np

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from helpers.scripts import load


def write_labels(raw: Path, path: Path) -> Path:
    """Write a label table that selects every frame of 2012; return its path."""
    frames = path.with_name("frames.csv")
    options = ["--store", str(raw / "aia" / "sdomlv2.zarr"), "--year", "2012"]
    load("frames").main([*options, "--channel", "171A", "--output", str(frames)])
    table = tables.read(frames, schemas.FRAMES)
    table = table.assign(
        goes_class="C",
        log10_flux=-5.5,
        flare="",
        flare_peak=np.datetime64("NaT", "s"),
        measured_log10_flux=-5.5,
        flare_measured_log10_flux=math.nan,
        selected=True,
        reason=schemas.BACKGROUND,
    )
    tables.write(path, table, schemas.LABELS)
    return path


def options(labels: Path, store: Path, output: Path) -> list[str]:
    """Return the options of ``intensities.py`` for images of 8 × 8 pixels."""
    frames = ["--labels", str(labels), "--store", str(store), "--year", "2012"]
    return [*frames, "--channel", "171A", "--size", "8", "--output", str(output)]
