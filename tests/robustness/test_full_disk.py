"""A full disk: one error line and no partial product; the same call succeeds with free space."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr
from matplotlib import pyplot as plt

from heliosynth.dataset import store
from heliosynth.errors import InputError
from heliosynth.evaluation.features import EncodedBy, write_features
from heliosynth.figures import style
from heliosynth.io.files import atomic_directory, write_json
from heliosynth.paper.compile import compile_paper
from heliosynth.sources.goes import XrsSeries, write_series
from heliosynth.training.checkpoint import Checkpoint, CheckpointFolder, Counters
from heliosynth.training.weights import write_weights
from helpers.outcome import error_line, isolated
from helpers.scripts import load

pytestmark = pytest.mark.robustness

simulate = load("simulate").main

SIZE_KIB = 2048
FREE_KIB = 16
COUNT = 60


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of two mebibytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE_KIB}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("the program `mount` is not installed")
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def write_samples(path: Path) -> None:
    rows = np.arange(COUNT)
    images = store.GeneratedImages(
        images=np.random.default_rng(1).normal(size=(COUNT, 1, 32, 32)).astype(np.float32),
        goes_class=np.ones(COUNT, np.int8),
        log10_flux=np.ones(COUNT, np.float32),
        time=rows,
        seed=rows,
        population=rows > 3,
        balanced=rows > 9,
    )
    store.write_samples(path, images, store.Description("171A", 5, 3500, (1,), "s", {}))


def write_checkpoint(path: Path) -> None:
    # The name of a checkpoint is its step.
    folder = CheckpointFolder(path.parent, {})
    tensors = {"layer": torch.ones(60_000)}
    folder.save(Checkpoint(tensors, {}, {}, {}, Counters(1, 0, 0, 0, 0, None, None, ())))


def write_figure(path: Path) -> None:
    figure, axes = plt.subplots()
    axes.plot(np.random.default_rng(1).normal(size=20_000))
    style.save(figure, path, path.with_suffix(".png"))


def write_store(path: Path) -> None:
    with atomic_directory(path) as unfinished:
        array = zarr.create_array(unfinished, shape=(9, 90, 90), chunks=(3, 90, 90), dtype="f4")
        array[:] = np.random.default_rng(1).normal(size=(9, 90, 90))


ENCODER = EncodedBy("clip", "CLIP", "abc", 224)
WRITERS: dict[str, Callable[[Path], None]] = {
    "samples.h5": write_samples,
    "features.h5": lambda path: write_features(path, {"test": np.ones((90, 900))}, ENCODER),
    "xrs.h5": lambda path: write_series(
        path, XrsSeries(np.arange(30_000), np.ones(30_000, np.float32), "true", "GOES-15")
    ),
    "metrics.json": lambda path: write_json(path, list(range(60_000))),
    "weights.safetensors": lambda path: write_weights(path, {"a": torch.ones(60_000)}),
    "0000000001.safetensors": write_checkpoint,
    "figure.pdf": write_figure,
    "level1.zarr": write_store,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_no_product(disk: Path, name: str) -> None:
    filler = disk / "filler"
    filler.write_bytes(bytes((SIZE_KIB - FREE_KIB) * 1024))
    before = {path for path in disk.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="No space left on device") as caught:
        WRITERS[name](disk / name)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    left = {path for path in disk.rglob("*") if path.is_file()} - before
    assert {path.name for path in left} <= {"about.json", "settings.json"}, left
    filler.unlink()
    WRITERS[name](disk / name)
    assert [path for path in disk.rglob(name) if ".unfinished" not in str(path)]


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="`make setup` installs latexmk")
@pytest.mark.parametrize("free_kib", [4, 60, 200])
def test_a_full_disk_leaves_no_paper(disk: Path, tmp_path: Path, free_kib: int) -> None:
    """The disk is full at the first file of LaTeX or within the PDF."""
    source, output = tmp_path / "paper", disk / "paper.pdf"
    source.mkdir()
    # Noise cannot be compressed.
    noise = np.random.default_rng(1).integers(0, 255, (512, 512), np.uint8)
    plt.imsave(source / "noise.png", noise, cmap="gray")
    (source / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{graphicx}\\begin{document}\n"
        f"\\includegraphics{{{source / 'noise.png'}}}\n\\end{{document}}\n"
    )
    (disk / "filler").write_bytes(bytes((SIZE_KIB - free_kib) * 1024))
    with pytest.raises(InputError, match=r"paper\.pdf: cannot be written \(No space left"):
        compile_paper(source, tmp_path, output)
    assert [path.name for path in disk.iterdir()] == ["filler"]
    (disk / "filler").unlink()
    compile_paper(source, tmp_path, output)
    assert output.read_bytes().startswith(b"%PDF")
    assert [path.name for path in disk.iterdir()] == ["paper.pdf"]


# HDF5 crashes a process in which it cannot close a file.
@pytest.mark.parametrize("free_kib", [16, 60, 90, 120])
@isolated
def test_a_full_disk_leaves_no_raw_inputs(disk: Path, free_kib: int) -> None:
    """The disk is full within the frames, within the X-ray data or at their end."""
    (disk / "filler").write_bytes(bytes((SIZE_KIB - free_kib) * 1024))
    settings = '{"start": "2012-07-12", "days": 2, "cadence_minutes": 240, "size_px": 16, '
    options = ["--settings", settings + '"flares_per_day": 3}', "--channel", "171A", "--seed", "1"]
    argv = [*options, "--output", str(disk / "simulated")]
    line = error_line(simulate, argv)
    assert line.startswith(f"error: {disk}/simulated: cannot be written (No space left on device)")
    assert len(line.splitlines()) == 1
    assert [path.name for path in disk.iterdir()] == ["filler"]
    (disk / "filler").unlink()
    assert error_line(simulate, argv) == ""
    assert sorted(path.name for path in disk.iterdir()) == ["simulated", "simulated.manifest.json"]


def test_a_read_only_disk_is_one_error_line(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(InputError, match=r"a\.json: cannot be written \(Read-only file system\)"):
        write_json(disk / "a.json", {})
    with pytest.raises(InputError, match=r"results/a\.json: .*Read-only"):
        write_json(disk / "results" / "a.json", {})
