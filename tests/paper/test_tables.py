"""Tables hold the products' numbers, in LaTeX and in CSV."""

import csv
from pathlib import Path

import pytest

import fake_run
from heliosynth.errors import InputError
from heliosynth.io.files import read_json, write_json
from heliosynth.paper.tables import TABLES, write_table
from heliosynth.results.run import Run
from helpers.scripts import load

script = load("table")


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(fake_run.build(tmp_path_factory.mktemp("tables")))


def written(name: str, products: Run, folder: Path) -> tuple[str, list[dict[str, str]]]:
    tex, table = folder / f"{name}.tex", folder / f"{name}.csv"
    write_table(name, products, tex, table)
    with table.open(newline="", encoding="utf-8") as stream:
        return tex.read_text(encoding="utf-8"), list(csv.DictReader(stream))


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_the_columns_of_the_tabular(name: str, products: Run, tmp_path: Path) -> None:
    tex, rows = written(name, products, tmp_path)
    assert rows
    assert tex.startswith("\\begin{tabular}{")
    columns = len(tex.split("{")[2].split("}")[0])
    for line in tex.splitlines():
        if line.endswith(r"\\") and "multicolumn" not in line:
            assert line.count(" & ") == columns - 1


def test_metrics_stand_beside_the_published_ones(products: Run, tmp_path: Path) -> None:
    tex, rows = written("metrics", products, tmp_path)
    by_key = {(row["metric"], row["model"]): row for row in rows}
    row = by_key["cluster_error", "ddpm_discrete"]
    entry = products.metrics["ddpm_discrete"]["cluster_error"]
    assert entry is not None
    assert float(row["value"]) == entry["value"]
    assert (row["published_value"], row["published_std"]) == ("0.13", "0.036")
    assert r"$0.130 \pm 0.036$" in tex
    assert by_key["f1", "cevae"]["value"] == ""


def test_fid_of_another_encoder_stands_in_its_own_row(products: Run, tmp_path: Path) -> None:
    tex, _ = written("metrics", products, tmp_path)
    ours = next(line for line in tex.splitlines() if line.startswith("FID (EfficientNet"))
    theirs = next(line for line in tex.splitlines() if line.startswith("FID (CLIP)"))
    assert "0.122" in theirs
    assert "0.122" not in ours


def test_scarce_class_is_named(products: Run, tmp_path: Path) -> None:
    tex, rows = written("dataset", products, tmp_path)
    assert "A & 12 & 2 & 3 & too few, not trained" in tex
    assert {row["class"]: row["trained"] for row in rows}["A"] == "False"
    assert {row["class"]: row["train"] for row in rows}["all"] == "250"


def test_a_model_beyond_the_study_gets_a_column(products: Run, tmp_path: Path) -> None:
    summary = read_json(products.root / "metrics/summary.json")
    write_json(tmp_path / "metrics/summary.json", {**summary, "my_model": summary["ddpm_discrete"]})
    tex, _ = written("metrics", Run(tmp_path), tmp_path)
    assert r"my\_model" in tex


def test_door_writes_both_files(products: Run, tmp_path: Path) -> None:
    tex, table = tmp_path / "models.tex", tmp_path / "models.csv"
    script.main(
        [
            "--name",
            "models",
            "--results",
            str(products.root),
            "--presentation",
            products.presentation.model_dump_json(),
            "--tex",
            str(tex),
            "--csv",
            str(table),
        ]
    )
    assert "DPM-Solver++(2M)" in tex.read_text(encoding="utf-8")
    assert table.exists()


def test_unknown_table(products: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="metrics"):
        write_table("metric", products, tmp_path / "a", tmp_path / "b")
