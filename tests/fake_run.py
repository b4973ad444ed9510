"""A whole run in the contract's format, of made-up Suns, for whatever reads products."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
import zarr

from heliosynth import goes_class
from heliosynth.config.loading import merge, resolve
from heliosynth.dataset.scaling import unscale
from heliosynth.dataset.store import (
    NO_TIME,
    Description,
    GeneratedImages,
    LabelledImages,
    write_dataset,
    write_samples,
)
from heliosynth.io.files import write_json
from heliosynth.io.provenance import stamp
from heliosynth.sources.goes import XrsSeries, write_series

REPOSITORY = Path(__file__).parents[1]
MODELS = ("cevae", "ddpm_discrete", "ddpm_continuous", "ddpm_cevae")
START = 1325376000  # 2012-01-01
DAY = 86400
SIZE = 32
COUNTS = {
    "A": {"train": 12, "val": 2, "test": 3},
    "B": {"train": 70, "val": 12, "test": 15},
    "C": {"train": 110, "val": 20, "test": 30},
    "M": {"train": 40, "val": 8, "test": 9},
    "X": {"train": 18, "val": 4, "test": 4},
}
OBSERVATIONS = "a made-up Sun for tests (λ = 171 Å, 100 % fake & under_scored)"


def build(
    root: Path, scarce: tuple[str, ...] = ("A",), without: tuple[str, ...] = (), **changes: Any
) -> Path:
    """Write ``results/<run>`` under a folder and give its path.

    Parameters
    ----------
    scarce
        Classes that count as having too few frames.
    without
        Models that the run does not have.
    changes
        Laid over the default configuration.
    """
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    raw = merge(yaml.safe_load(text), {"run": "test_run", "observations": OBSERVATIONS, **changes})
    raw["models"] = {name: row for name, row in raw["models"].items() if name not in without}
    configuration = resolve(raw)
    results = root / configuration.run
    write_json(results / "config.json", configuration.model_dump(mode="json"))
    rng = np.random.default_rng(0)
    trained = tuple(n for n, name in enumerate(goes_class.NAMES) if name not in scarce)
    description = Description("171A", 5.0, 3500.0, trained, OBSERVATIONS, stamp())
    splits = _splits(rng)
    write_dataset(results / "dataset/dataset.h5", splits, description)
    _write_tables(results, splits, scarce)
    for model in configuration.models:
        write_samples(results / f"samples/{model}.h5", _samples(rng, model, trained), description)
        _write_model(
            results / f"models/{model}", configuration.models[model].model_dump(mode="json"), rng
        )
    _write_metrics(results, list(configuration.models), rng)
    _write_application(results)
    for model in configuration.flux_models:
        _write_flux_response(results, model, splits["test"], description, rng)
    return results


def build_archive(directory: Path, frames: int, seed: int) -> None:
    """Write raw frames of the first year as an archive's Zarr store."""
    rng = np.random.default_rng(seed)
    images = np.stack([10 ** (2.2 + sun(rng, n % 5, 48)) for n in range(frames)])
    store = zarr.open_group(str(directory / "aia/sdomlv2.zarr"), mode="w", zarr_format=2)
    array = store.create_group("2012").create_array(
        "171A", shape=images.shape, chunks=(5, 48, 48), dtype="f4"
    )
    array[:] = images
    array.attrs["T_OBS"] = [f"2012-01-{day + 1:02d}T00:00:00.00Z" for day in range(frames)]


def sun(rng: np.random.Generator, goes_class_number: int, size: int = SIZE) -> np.ndarray:
    """Make a disk with bright blobs, more of them in the higher classes, in [−1, 1]."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    radius = np.hypot(x, y) / 0.86
    image = np.where(radius < 1, 0.05 + 0.25 * radius**2, 0.35 * np.exp(-(radius - 1) * 9) - 0.75)
    image = image + 0.06 * rng.standard_normal(image.shape)
    for _ in range(1 + 2 * goes_class_number):
        lon, side = rng.uniform(-0.7, 0.7), rng.choice([-1, 1])
        lat = side * rng.normal(0.3, 0.06)
        width = rng.uniform(0.03, 0.12)
        image += rng.uniform(0.4, 0.9) * np.exp(-((x - lon) ** 2 + (y - lat) ** 2) / width**2 / 2)
    return np.clip(image, -1, 1).astype(np.float32)


def _labels(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
    low = np.log10(goes_class.LOWER_FLUX)[numbers]
    return (low + rng.uniform(0.02, 0.98, len(numbers))).astype(np.float32)


def _splits(rng: np.random.Generator) -> dict[str, LabelledImages]:
    splits = {}
    for at, split in enumerate(("train", "val", "test")):
        numbers = np.repeat(np.arange(5), [COUNTS[name][split] for name in goes_class.NAMES])
        rng.shuffle(numbers)
        time = (
            START + at * 30 * DAY + np.sort(rng.choice(30 * 24, len(numbers), replace=False)) * 3600
        )
        images = np.stack([sun(rng, n) for n in numbers])[:, None]
        splits[split] = LabelledImages(
            images, numbers.astype(np.int8), _labels(rng, numbers), time.astype(np.int64)
        )
    return splits


def _samples(rng: np.random.Generator, model: str, trained: tuple[int, ...]) -> GeneratedImages:
    labelled = model != "cevae"
    numbers = np.repeat(trained, 8) if labelled else rng.integers(0, 5, 24)
    images = np.stack([sun(rng, n) for n in numbers])[:, None]
    n = len(numbers)
    return GeneratedImages(
        images=images,
        goes_class=(numbers if labelled else np.full(n, -1)).astype(np.int8),
        log10_flux=_labels(rng, numbers) if labelled else np.full(n, np.nan, np.float32),
        time=np.full(n, NO_TIME, np.int64),
        seed=np.arange(n),
        population=np.ones(n, bool),
        balanced=np.full(n, labelled),
    )


def _write_tables(
    results: Path, splits: dict[str, LabelledImages], scarce: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(4)
    rows = [
        {
            "time": str(np.datetime64(int(time), "s")),
            "year": 2012,
            "store_row": 0,
            "exposure_s": 2.0,
            "quality": 0,
            "goes_class": goes_class.NAMES[number],
            "log10_flux": float(flux),
            "flare": f"flare {n}" if number > 1 else "",
            "flare_peak": str(np.datetime64(int(time), "s")),
            "measured_log10_flux": float(flux) - 0.5,
            "flare_measured_log10_flux": float(flux) + rng.normal(0, 0.1),
            "selected": True,
            "reason": "largest flare in the window",
            "refused": "",
            "split": split,
        }
        for split, images in splits.items()
        for n, (time, number, flux) in enumerate(
            zip(images.time, images.goes_class, images.log10_flux, strict=True)
        )
    ]
    lost = {"refused": "missing pixels", "split": "refused"}
    rows += [{**rows[n], "time": f"2012-03-28T0{n}:00:00", **lost} for n in range(9)]
    rows = [{**row, "store_row": n, "image_row": n} for n, row in enumerate(rows)]
    flagged = {"selected": False, "reason": "quality flag", "refused": "quality flag"}
    last = {"store_row": len(rows), "image_row": -1, "split": "refused"}
    rows.append({**rows[0], **flagged, **last})
    _write_csv(results / "dataset/index.csv", rows)
    _write_intensities(results / "dataset/intensities/2012.h5", splits)
    selected = len(rows)
    summary = {
        "frames": selected + 40,
        "selected": selected,
        "refused": {"missing pixels": 9, "quality flag": 1},
        "classes": COUNTS,
        "trained_classes": [name for name in goes_class.NAMES if name not in scarce],
        "scarce_classes": {name: COUNTS[name]["train"] for name in scarce},
        "splits": {"train": 250, "val": 46, "test": 61, "gap": 0, "refused": 10, "none": 40},
        "minimum_frames": 16,
        "split_blocks": [
            {"first": "2012-01-01", "last": "2012-01-31", "split": "train", "frames": 250, "gap": 0}
        ],
        "flares_in_train_and_held_out": 0,
        "label_rule": {"rule": "max_within", "window_minutes": 360.0},
        "disagreement": {"flares": 90, "measured": 88, "other_class_measured": 7},
    }
    write_json(results / "dataset/summary.json", summary)
    time = START + np.arange(0, 90 * DAY, 300)
    rng = np.random.default_rng(3)
    flux = 2e-7 * np.exp(np.cumsum(rng.normal(0, 0.02, len(time))) * 0.1)
    for _ in range(150):
        peak = rng.integers(len(time))
        tail = np.exp(-np.arange(len(time) - peak) / 6)
        flux[peak:] += 3e-7 * rng.pareto(1.0) * tail
    flux[5000:5600] = np.nan
    series = XrsSeries(time.astype(np.int64), flux.astype(np.float32), "operational", "GOES-15")
    write_series(results / "observations/xrs.h5", series)
    embedding = [
        {
            "x": float(rng.normal(n, 1.2)),
            "y": float(rng.normal(-n / 2, 1.2)),
            "goes_class": goes_class.NAMES[n],
            "log10_flux": -7.5 + n,
        }
        for n in rng.integers(0, 5, 300)
    ]
    _write_csv(results / "metrics/cevae_embedding.csv", embedding)


def _write_intensities(path: Path, splits: dict[str, LabelledImages]) -> None:
    images = np.concatenate([split.images[:, 0] for split in splits.values()])
    broken = images[:9].copy()
    broken[:, :10] = np.nan
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["images"] = unscale(np.concatenate([images, broken]), 5, 3500)


def _write_model(folder: Path, row: dict[str, Any], rng: np.random.Generator) -> None:
    row.pop("sampling")
    described = {
        "name": folder.name,
        "row": row,
        "image_size_px": SIZE,
        "trained_classes": ["B", "C", "M", "X"],
        "embedding_dim": 0,
        "condition_dim": 6,
    }
    write_json(folder / "config.json", described)
    history = [
        {
            "images": 2000 * step,
            "seconds": 10.0 * step,
            "train_loss": "" if step == 0 else 0.9 * np.exp(-step / 6) + 0.08 + rng.normal(0, 0.01),
            "val_loss": 0.9 * np.exp(-step / 6) + 0.1,
            "learning_rate": 1e-3,
        }
        for step in range(21)
    ]
    _write_csv(folder / "history.csv", history)
    training = stamp(
        ended="planned length",
        stopped_early=False,
        images=40000,
        planned_images=40000,
        seconds=412.3,
        images_per_second=97.0,
        parameters=1234567,
        weights={"kind": "moving average", "kept": "lowest validation loss", "images": 38000},
        model=folder.name,
        training_images=238,
        device="cpu",
    )
    write_json(folder / "training.json", dict(training))


def _write_metrics(results: Path, models: list[str], rng: np.random.Generator) -> None:
    values = {
        "cluster_error": 0.2,
        "cluster_distance": 0.95,
        "cluster_std": 1.1,
        "fid_efficientnet_lite0": 0.4,
        "kid_efficientnet_lite0": 0.03,
        "f1": 0.6,
        "precision": 0.62,
        "recall": 0.58,
    }
    summary: dict[str, Any] = {}
    for model in [*models, "real"]:
        factor = {"cevae": 4.0, "real": 0.05}.get(model, float(rng.uniform(0.8, 1.3)))
        summary[model] = {}
        for name, value in values.items():
            judged = name in ("f1", "precision", "recall")
            scaled = min(value * (1.2 if judged else factor), 0.97) if judged else value * factor
            entry = {"value": scaled, "std": abs(scaled) * 0.06, "n": 160 if judged else 240}
            summary[model][name] = None if judged and model == "cevae" else entry
    write_json(results / "metrics/summary.json", summary)


def _write_flux_response(
    results: Path,
    model: str,
    test: LabelledImages,
    description: Description,
    rng: np.random.Generator,
) -> None:
    fluxes, seeds = 12, 4
    log10_flux = np.repeat(np.linspace(-7.6, -3.4, fluxes), seeds).astype(np.float32)
    numbers = goes_class.of_flux(10.0**log10_flux)
    n = len(numbers)
    samples = GeneratedImages(
        images=np.stack([sun(rng, number) for number in numbers])[:, None],
        goes_class=numbers,
        log10_flux=log10_flux,
        time=np.full(n, NO_TIME, np.int64),
        seed=np.tile(np.arange(seeds), fluxes),
        population=np.zeros(n, bool),
        balanced=np.zeros(n, bool),
    )
    write_samples(results / f"samples/flux_response/{model}.h5", samples, description)

    def row(name: str, group: int, flux: float) -> dict[str, Any]:
        area = 0.01 * (1 + max(0.0, flux + 7)) * rng.uniform(0.6, 1.6)
        return {"set": name, "group": group, "log10_flux": flux, "bright_area": area}

    rows = [row("grid", s, float(f)) for s, f in zip(samples.seed, log10_flux, strict=True)]
    rows += [
        row("test", t // DAY, float(f)) for t, f in zip(test.time, test.log10_flux, strict=True)
    ]
    _write_csv(results / f"metrics/flux_response/{model}.csv", rows)
    entry = {"value": 0.75, "std": 0.03, "n": n}
    found = {
        "name": model,
        "correlation": dict.fromkeys(("grid", "population", "train", "test"), entry),
        "correlation_within_seeds": {"value": 0.85, "std": 0.01, "n": n},
        "threshold_dn": 1045.3,
        "fluxes": fluxes,
        "images_per_flux": seeds,
        "about": dict(stamp(bright_quantile=0.95)),
    }
    write_json(results / f"metrics/flux_response/{model}.json", found)


def _write_application(results: Path) -> None:
    def arm(gain: float) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: {"value": 0.35 + 0.1 * n + gain, "std": 0.04, "n": COUNTS[name]["test"]}
            for n, name in enumerate(goes_class.NAMES)
        }
        return {**found, "A": None, "overall": {"value": 0.6 + gain, "std": 0.02, "n": 58}}

    summary = {
        "real_only": arm(0.0),
        "with_generated": arm(0.08),
        "generated": {"M": 40, "X": 40},
    }
    write_json(results / "application/summary.json", summary)


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
