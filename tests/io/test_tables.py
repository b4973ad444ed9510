"""Tables are checked on their way to the disk and back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from heliosynth.catalogue import schemas
from heliosynth.errors import InputError
from heliosynth.io import tables


@pytest.fixture
def frames() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": np.array(["2012-01-01T00:00:10", "2012-01-01T00:06:10"], "M8[s]"),
            "year": [2012, 2012],
            "store_row": [1, 0],
            "exposure_s": [np.nan, np.nan],
            "quality": [0, 64],
        }
    )


def test_a_table_survives_the_disk(frames: pd.DataFrame, tmp_path: Path) -> None:
    tables.write(tmp_path / "frames.csv", frames, schemas.FRAMES)
    back = tables.read(tmp_path / "frames.csv", schemas.FRAMES)
    pd.testing.assert_frame_equal(back, frames)


def test_a_table_that_breaks_its_schema_is_not_written(
    frames: pd.DataFrame, tmp_path: Path
) -> None:
    frames["store_row"] = 0
    with pytest.raises(pa.errors.SchemaError):
        tables.write(tmp_path / "frames.csv", frames, schemas.FRAMES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("quality", "qualities", "qualit"),
        (",1,", ",-1,", "store_row"),
        ("2012-01-01T00:00:10", "yesterday", "yesterday"),
        ("2012,1", "2012,x", "store_row"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    frames: pd.DataFrame, tmp_path: Path, old: str, new: str, named: str
) -> None:
    path = tmp_path / "frames.csv"
    tables.write(path, frames, schemas.FRAMES)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=rf"frames\.csv: .*{named}.*build it again") as error:
        tables.read(path, schemas.FRAMES)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read as its table"):
        tables.read(tmp_path / "nowhere.csv", schemas.FRAMES)
