"""Products with a flipped bit or a missing end are rejected by name, never read."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from heliosynth.arrays import SPLITS
from heliosynth.dataset import store
from heliosynth.errors import InputError
from heliosynth.evaluation.features import EncodedBy, read_features, write_features
from heliosynth.frames import averaging
from heliosynth.frames.store import read_images, read_measured
from heliosynth.sources.goes import XrsSeries, read_series, write_series
from heliosynth.sources.manifest import RawFile
from heliosynth.sources.zarr_chunks import ChunkResult

pytestmark = pytest.mark.robustness
COUNT = 48
SIZE = 8
ROWS = np.arange(COUNT)
RNG = np.random.default_rng(1)
IMAGES = RNG.uniform(-1, 1, (COUNT, 1, SIZE, SIZE)).astype(np.float32)
INTENSITIES = np.exp(IMAGES[:, 0] + 5)
DESCRIPTION = store.Description("171A", 5.0, 3500.0, (1, 2), "simulated", {"seed": 1})
ENCODER = EncodedBy("clip", "CLIP", "abc", 224)
REQUEST = averaging.FrameRequest("store", 2012, "171A", SIZE, ROWS, ROWS)


def labels() -> dict[str, np.ndarray]:
    flux = RNG.uniform(-8, -3, COUNT).astype(np.float32)
    return {"goes_class": np.ones(COUNT, np.int8), "log10_flux": flux, "time": ROWS.astype(int)}


def write_dataset(path: Path) -> None:
    images = store.LabelledImages(images=IMAGES, **labels())
    store.write_dataset(path, dict.fromkeys(SPLITS, images), DESCRIPTION)


def write_samples(path: Path) -> None:
    flags = {"seed": ROWS, "population": ROWS > 3, "balanced": ROWS > 9}
    samples = store.GeneratedImages(images=IMAGES, **labels(), **flags)
    store.write_samples(path, samples, DESCRIPTION)


def read_chunks(rows: np.ndarray, average: Callable) -> Iterator[ChunkResult]:
    """Read frames of a raw store of two chunks."""
    for chunk in (rows[rows < COUNT // 2], rows[rows >= COUNT // 2]):
        if len(chunk):
            source = RawFile("", f"store/{chunk[0]}.0.0", "2012", 1, "")
            yield ChunkResult(chunk, average(INTENSITIES[chunk]), (source,))


def write_averaged(path: Path) -> None:
    averaging.write_year(path, REQUEST, read_chunks, lambda sources: None)


def read_dataset(path: Path) -> list:
    values: list = [store.read_description(path)]
    for split in SPLITS:
        lazy = store.LazySplit(path, split)
        values += [*vars(lazy.read_all()).values(), *vars(lazy[[3, 1]]).values()]
    return values


def read_averaged(path: Path) -> list:
    measured = read_measured(path)
    return [*vars(measured).values(), read_images(path, ROWS)]


PRODUCTS: dict[str, tuple[Callable[[Path], None], Callable[[Path], list]]] = {
    "dataset.h5": (write_dataset, read_dataset),
    "samples.h5": (
        write_samples,
        lambda path: [store.read_description(path), *vars(store.read_samples(path)).values()],
    ),
    "2012.h5": (write_averaged, read_averaged),
    "features.h5": (
        lambda path: write_features(path, {"test": IMAGES.reshape(COUNT, -1)}, ENCODER),
        lambda path: list(vars(read_features(path, "test")).values()),
    ),
    "xrs.h5": (
        lambda path: write_series(
            path, XrsSeries(60 * ROWS, IMAGES[:, 0, 0, 0] * 1e-6, "true", "GOES-15")
        ),
        lambda path: list(vars(read_series(path)).values()),
    ),
}
Product = tuple[Path, Callable[[Path], list]]


def equal(one: object, other: object) -> bool:
    if isinstance(one, dict):
        return all(equal(one[name], other[name]) for name in one)
    return bool(np.array_equal(one, other))


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Product:
    """Write a product; return its path and the function that reads it."""
    write, read = PRODUCTS[request.param]
    write(tmp_path / request.param)
    return tmp_path / request.param, read


def test_a_flipped_bit_is_never_read(product: Product) -> None:
    path, read = product
    content, rng, rejected = path.read_bytes(), random.Random(1), 0
    intact = read(path)
    for _ in range(150):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        message = ""
        try:
            values = read(path)
        except InputError as error:
            message = str(error)
        if message:
            rejected += 1
            assert message.startswith(f"{path}: ")
            assert "rebuild" in message
        else:
            # The bit was in a part of the file that holds nothing.
            assert all(map(equal, intact, values))
    assert rejected > 20


def test_a_flipped_bit_in_any_image_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "samples.h5"
    write_samples(path)
    content = path.read_bytes()
    for row in range(0, COUNT, 5):
        changed = bytearray(content)
        changed[content.index(IMAGES[row].tobytes()) + row] ^= 1 << (row % 8)
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"samples\.h5.*rebuild"):
            store.read_samples(path)


def test_a_truncated_product_is_rejected(product: Product) -> None:
    path, read = product
    content = path.read_bytes()
    for share in (0, 0.01, 0.3, 0.6, 0.9, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=rf"{path.name}.*rebuild"):
            read(path)


def test_a_flipped_bit_in_saved_frames_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_chunk(rows: np.ndarray, average: Callable) -> Iterator[ChunkResult]:
        yield next(read_chunks(rows, average))
        raise KeyboardInterrupt

    path = tmp_path / "2012.h5"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(averaging, "SAVE_EVERY_S", 0.0)
        averaging.write_year(path, REQUEST, first_chunk, lambda sources: None)
    (saved,) = tmp_path.glob(".unfinished-2012-*/*.h5")
    content = bytearray(saved.read_bytes())
    content[content.index(INTENSITIES[7].tobytes())] ^= 4
    saved.write_bytes(content)
    with pytest.raises(InputError, match=saved.name):
        write_averaged(path)
    assert not path.exists()
    write_averaged(path)
    np.testing.assert_allclose(read_images(path, ROWS), INTENSITIES, rtol=1e-6)
    expected = averaging.average(INTENSITIES, SIZE).measures
    assert set(read_measured(path).measures) == set(expected)
