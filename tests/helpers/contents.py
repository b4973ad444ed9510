"""Contents of products that are equal in any two runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

MEASURED_TIMES = {
    "history.csv": ["seconds"],
    "training.json": ["seconds", "images_per_second"],
}
"""Columns and keys that hold measured times."""


def contents(path: Path) -> Any:
    """Return the content of a product that must be equal in two runs, as an object to compare.

    Measured times are left out, and so are the times at which the files of a manifest were read.
    """
    times = MEASURED_TIMES.get(path.name, [])
    if path.suffix == ".h5":
        return _hdf5_contents(path)
    if path.name.endswith(".manifest.json"):
        files = json.loads(path.read_text())["files"]
        return [{key: value for key, value in file.items() if key != "time"} for file in files]
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        return {key: value for key, value in content.items() if key not in times}
    if times:
        return pd.read_csv(path).drop(columns=times).to_csv()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hdf5_contents(path: Path) -> dict[str, Any]:
    # The bytes of the file also depend on the order in which the arrays were filled.
    items: dict[str, Any] = {}
    with h5py.File(path) as file:

        def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
            items[f"{name}/attributes"] = {key: str(value) for key, value in item.attrs.items()}
            if isinstance(item, h5py.Dataset):
                values = item[()]
                is_text = item.dtype.hasobject
                items[name] = str(values) if is_text else (item.shape, values.tobytes())

        add("", file)
        file.visititems(add)
    return items
