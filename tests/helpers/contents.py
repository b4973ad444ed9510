"""What products hold, without what no two runs have in common."""

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

OF_THE_CLOCK = {"history.csv": ["seconds"], "training.json": ["seconds", "images_per_second"]}
"""Columns and keys that tell how long something took; manifests tell when a file was read."""


def contents(path: Path) -> Any:
    """Give what two runs must have in common of a product, as something to compare."""
    beside = OF_THE_CLOCK.get(path.name, [])
    if path.suffix == ".h5":
        return _of_hdf5(path)
    if path.name.endswith(".manifest.json"):
        files = json.loads(path.read_text())["files"]
        return [{key: value for key, value in file.items() if key != "time"} for file in files]
    if path.suffix == ".json":
        return {k: v for k, v in json.loads(path.read_text()).items() if k not in beside}
    if beside:
        return pd.read_csv(path).drop(columns=beside).to_csv()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _of_hdf5(path: Path) -> dict[str, Any]:
    # Its bytes tell, besides, in which order the arrays were filled.
    found: dict[str, Any] = {}
    with h5py.File(path) as file:

        def look(name: str, item: h5py.Group | h5py.Dataset) -> None:
            found[f"{name}/attributes"] = {k: str(v) for k, v in item.attrs.items()}
            if isinstance(item, h5py.Dataset):
                values = item[()]
                is_text = item.dtype.hasobject
                found[name] = str(values) if is_text else (item.shape, values.tobytes())

        look("", file)
        file.visititems(look)
    return found
