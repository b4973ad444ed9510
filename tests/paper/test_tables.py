"""Tables hold the products' numbers, in LaTeX and in CSV."""

import csv
from pathlib import Path

import pytest

from heliosynth.errors import InputError
from heliosynth.io.files import read_json, write_json
from heliosynth.paper.tables import TABLES, write_table
from heliosynth.results.run import Run
from helpers.scripts import load

pytestmark = pytest.mark.xdist_group("paper")

script = load("table")


def written(name: str, run: Run, folder: Path) -> tuple[str, list[dict[str, str]]]:
    tex, table = folder / f"{name}.tex", folder / f"{name}.csv"
    write_table(name, run, tex, table)
    with table.open(newline="", encoding="utf-8") as stream:
        return tex.read_text(encoding="utf-8"), list(csv.DictReader(stream))


@pytest.mark.parametrize("name", TABLES)
def test_rows_have_the_columns_of_the_tabular(name: str, run: Run, tmp_path: Path) -> None:
    tex, rows = written(name, run, tmp_path)
    assert rows
    assert tex.startswith("\\begin{tabular}{")
    columns = len(tex.split("{")[2].split("}")[0])
    for line in tex.splitlines():
        if line.endswith(r"\\") and "multicolumn" not in line:
            assert line.count(" & ") == columns - 1


def test_metrics_are_next_to_the_published_ones(run: Run, tmp_path: Path) -> None:
    tex, rows = written("metrics", run, tmp_path)
    by_key = {(row["metric"], row["model"]): row for row in rows}
    row = by_key["cluster_error", "ddpm_discrete"]
    estimate = run.metrics["ddpm_discrete"]["cluster_error"]
    assert estimate is not None
    assert float(row["value"]) == estimate["value"]
    assert (row["published_value"], row["published_std"]) == ("0.13", "0.036")
    assert r"$0.130 \pm 0.036$" in tex
    assert by_key["f1", "cevae"]["value"] == ""


def test_fid_of_another_encoder_has_its_own_row(run: Run, tmp_path: Path) -> None:
    tex, _ = written("metrics", run, tmp_path)
    this_run = next(line for line in tex.splitlines() if line.startswith("FID (EfficientNet"))
    published = next(line for line in tex.splitlines() if line.startswith("FID (CLIP)"))
    assert "0.122" in published
    assert "0.122" not in this_run


def test_dataset_table_counts_frames_and_names_scarce_classes(run: Run, tmp_path: Path) -> None:
    tex, rows = written("dataset", run, tmp_path)
    counts, flares, days = (
        run.summary[key]["M"] for key in ("classes", "flares_by_class", "days_by_class")
    )
    splits = ("train", "val", "test")
    cells = " & ".join(f"{counts[split]} ({flares[split]}, {days[split]})" for split in splits)
    assert f"M & {cells}" in tex
    assert "A$^*$ & " in tex
    by_class = {row["class"]: row for row in rows}
    assert by_class["A"]["trained"] == "False"
    assert [by_class["M"][f"{split}_flares"] for split in splits] == [
        str(flares[s]) for s in splits
    ]
    assert [by_class["M"][f"{split}_days"] for split in splits] == [str(days[s]) for s in splits]
    assert int(by_class["all"]["train"]) == run.summary["splits"]["train"]
    assert by_class["rejected: missing pixels"]["train"] == "9"


def test_a_model_beyond_the_study_gets_a_column(run: Run, tmp_path: Path) -> None:
    summary = read_json(run.root / "metrics/summary.json")
    write_json(tmp_path / "metrics/summary.json", {**summary, "my_model": summary["ddpm_discrete"]})
    tex, _ = written("metrics", Run(tmp_path), tmp_path)
    assert r"my\_model" in tex


def test_script_writes_both_files(run: Run, tmp_path: Path) -> None:
    tex, table = tmp_path / "models.tex", tmp_path / "models.csv"
    presentation = run.presentation.model_dump_json()
    options = ["--results", str(run.root), "--presentation", presentation]
    script.main(["--name", "models", *options, "--tex", str(tex), "--csv", str(table)])
    assert "DPM-Solver++(2M)" in tex.read_text(encoding="utf-8")
    assert table.exists()


def test_unknown_table_is_an_input_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"choose one of metrics"):
        write_table("metric", run, tmp_path / "a", tmp_path / "b")
