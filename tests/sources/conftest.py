"""Small raw inputs in the archives' formats."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

from heliosynth.sources import retry
from helpers.project import ROOT

NOAA_EPOCH = np.datetime64("2000-01-01T12:00:00")

FLAGS = {
    15: (
        "good_data bad_data eclipsed_by_earth electron_correction_invalid",
        [7, 1, 2, 120],
        [0, 1, 2, 16],
    ),
    16: ("good_data eclipse bad_data e_contam_significant", [3, 1, 2, 4], [0, 1, 2, 4]),
}
"""Meanings, masks and values of the flags, up to GOES-15 and from GOES-16 on."""


@pytest.fixture
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without pauses."""
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an SDOMLv2 store of one year and channel."""

    def make(
        frames: np.ndarray,
        keywords: Mapping[str, list[Any]],
        chunk: int = 4,
        year: int = 2012,
        channel: str = "171A",
    ) -> Path:
        store = tmp_path / "sdomlv2.zarr"
        group = zarr.open_group(store, mode="a", zarr_format=2).require_group(str(year))
        array = group.create_array(
            channel, shape=frames.shape, chunks=(chunk, *frames.shape[1:]), dtype="float32"
        )
        array[:] = frames
        array.attrs.update(dict(keywords))
        return store

    return make


@pytest.fixture
def make_netcdf(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a NOAA XRS file; ``span`` is ``d20120712`` or ``y2012``."""

    def make(
        satellite: int,
        span: str,
        start: str,
        xrsb: np.ndarray,
        xrsa: np.ndarray | None = None,
        flags: np.ndarray | None = None,
    ) -> Path:
        path = tmp_path / f"sci_xrsf-l2-avg1m_g{satellite:02d}_{span}_v1-0-0.nc"
        meanings, masks, values = FLAGS[16 if satellite >= 16 else 15]
        flags = np.zeros(len(xrsb), dtype=np.uint16) if flags is None else flags
        columns = {
            "xrsa_flux": (np.asarray(xrsb) / 10 if xrsa is None else xrsa).astype(np.float32),
            "xrsb_flux": np.asarray(xrsb, dtype=np.float32),
            "xrsa_flag": flags.astype(np.uint16),
            "xrsb_flag": flags.astype(np.uint16),
        }
        seconds = (np.datetime64(start) - NOAA_EPOCH).astype("timedelta64[s]").astype(float)
        with h5py.File(path, "w") as file:
            file.attrs.update(id=path.name, platform=f"g{satellite:02d}", summary="The XRS sensor")
            time = file.create_dataset("time", data=seconds + 60.0 * np.arange(len(xrsb)))
            time.attrs["units"] = "seconds since 2000-01-01 12:00:00"
            time.make_scale("time")
            for name, data in columns.items():
                file.create_dataset(name, data=data).dims[0].attach_scale(time)
            file["xrsb_flag"].attrs.update(
                flag_meanings=meanings, flag_masks=masks, flag_values=values
            )
        return path

    return make


@pytest.fixture
def make_hek(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes events as the HEK service answers them."""

    def make(*events: Mapping[str, Any], name: str = "flares.json", **about: Any) -> Path:
        path = tmp_path / "hek" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"result": [dict(event) for event in events], **about}))
        return path

    return make


@pytest.fixture
def samples() -> Path:
    """Return the folder of small real files, or skip."""
    folder = Path(os.environ.get("HELIOSYNTH_SAMPLES", ROOT.parent / "shared" / "samples"))
    if not folder.is_dir():
        pytest.skip(f"no real samples at {folder}; HELIOSYNTH_SAMPLES names another folder")
    return folder


@pytest.fixture
def web_page(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a web page under the name of another file type."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.write_text("<!DOCTYPE html><html><body>Service unavailable</body></html>")
        return path

    return make
