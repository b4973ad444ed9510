"""Products with a bit changed or the end cut off are refused by name, and never read."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from heliosynth.dataset import store
from heliosynth.errors import InputError
from heliosynth.evaluation.features import EncodedBy, read_features, write_features
from heliosynth.frames import averaging
from heliosynth.frames.store import read_images, read_measured
from heliosynth.sources.goes import XrsSeries, read_series, write_series

pytestmark = pytest.mark.robustness

COUNT = 48
SIZE = 8
ROWS = np.arange(COUNT)
RNG = np.random.default_rng(1)
IMAGES = RNG.uniform(-1, 1, (COUNT, 1, SIZE, SIZE)).astype(np.float32)
DESCRIPTION = store.Description("171A", 5.0, 3500.0, (1, 2), "simulated", {"seed": 1})


def labels() -> dict[str, np.ndarray]:
    flux = RNG.uniform(-8, -3, COUNT).astype(np.float32)
    return {"goes_class": np.ones(COUNT, np.int8), "log10_flux": flux, "time": ROWS.astype(int)}


def write_dataset(path: Path) -> None:
    images = store.LabelledImages(images=IMAGES, **labels())
    store.write_dataset(path, dict.fromkeys(store.SPLITS, images), DESCRIPTION)


def write_samples(path: Path) -> None:
    marks = {"seed": ROWS, "population": ROWS > 3, "balanced": ROWS > 9}
    store.write_samples(
        path, store.GeneratedImages(images=IMAGES, **labels(), **marks), DESCRIPTION
    )


def write_averaged(path: Path) -> None:
    def read(rows: np.ndarray, work: Callable) -> list:
        frames = np.exp(IMAGES[rows, 0] + 5)
        return [averaging_part(rows, work(frames))] if len(rows) else []

    wanted = averaging.Year("store", 2012, "171A", SIZE, ROWS, ROWS)
    averaging.write_year(path, wanted, read, lambda sources: None)


def averaging_part(rows: np.ndarray, made: averaging.Averaged) -> averaging.Part:
    from heliosynth.sources.manifest import Fetched
    from heliosynth.sources.zarr_chunks import Part

    return Part(rows, made, Fetched("", "store/0.0.0", "2012", 1, ""))


def read_dataset(path: Path) -> list:
    found = [store.read_description(path)]
    for split in store.SPLITS:
        lazy = store.LazySplit(path, split)
        found += [*vars(lazy.whole()).values(), *vars(lazy[[3, 1]]).values()]
    return found


def read_averaged(path: Path) -> list:
    measured = read_measured(path)
    return [*vars(measured).values(), read_images(path, ROWS)]


BY = EncodedBy("clip", "CLIP", "abc", 224)
PRODUCTS: dict[str, tuple[Callable[[Path], None], Callable[[Path], list]]] = {
    "dataset.h5": (write_dataset, read_dataset),
    "samples.h5": (
        write_samples,
        lambda path: [store.read_description(path), *vars(store.read_samples(path)).values()],
    ),
    "2012.h5": (write_averaged, read_averaged),
    "features.h5": (
        lambda path: write_features(path, {"test": IMAGES.reshape(COUNT, -1)}, BY),
        lambda path: list(vars(read_features(path, "test")).values()),
    ),
    "xrs.h5": (
        lambda path: write_series(
            path, XrsSeries(60 * ROWS, IMAGES[:, 0, 0, 0] * 1e-6, "true", "GOES-15")
        ),
        lambda path: list(vars(read_series(path)).values()),
    ),
}


def same(one: object, other: object) -> bool:
    if isinstance(one, dict):
        return all(same(one[name], other[name]) for name in one)
    return bool(np.array_equal(one, other))


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], list]]:
    """Give a whole product and what reads it."""
    write, read = PRODUCTS[request.param]
    write(tmp_path / request.param)
    return tmp_path / request.param, read


def test_a_changed_bit_is_never_read(product: tuple[Path, Callable[[Path], list]]) -> None:
    path, read = product
    content, rng, refused = path.read_bytes(), random.Random(1), 0
    whole = read(path)
    for _ in range(150):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        said = ""
        try:
            found = read(path)
        except InputError as error:
            said = str(error)
        if said:
            refused += 1
            assert said.startswith(f"{path}: ")
            assert "build it again" in said
        else:
            # The bit lay where nothing is kept.
            assert all(map(same, whole, found))
    assert refused > 20


def test_every_bit_of_the_images_counts(tmp_path: Path) -> None:
    path = tmp_path / "samples.h5"
    write_samples(path)
    content = path.read_bytes()
    for row in range(0, COUNT, 5):
        changed = bytearray(content)
        changed[content.index(IMAGES[row].tobytes()) + row] ^= 1 << (row % 8)
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"samples\.h5.*build it again"):
            store.read_samples(path)


def test_a_product_without_its_end_is_refused(
    product: tuple[Path, Callable[[Path], list]],
) -> None:
    path, read = product
    content = path.read_bytes()
    for share in (0, 0.01, 0.3, 0.6, 0.9, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=rf"{path.name}.*build it again"):
            read(path)


def test_kept_frames_with_a_changed_bit_are_made_anew_at_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "2012.h5"
    wanted = averaging.Year("store", 2012, "171A", SIZE, ROWS, ROWS)
    kept = tmp_path / f".unfinished-2012-{wanted.key}" / "000000000.h5"
    frames = np.exp(IMAGES[:, 0] + 5)
    made = averaging.Averaged(frames, averaging.average(frames, SIZE).measures)
    averaging._write(kept, averaging._piece([averaging_part(ROWS, made)]))
    content = bytearray(kept.read_bytes())
    content[content.index(frames[7].tobytes())] ^= 4
    kept.write_bytes(content)
    with pytest.raises(InputError, match="000000000"):
        write_averaged(path)
    assert not path.exists()
    write_averaged(path)
    np.testing.assert_allclose(read_images(path, ROWS), frames, rtol=1e-6)
    assert set(read_measured(path).measures) == {*made.measures}
