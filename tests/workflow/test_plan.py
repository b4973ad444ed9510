"""What the rules derive from a configuration, and that planning imports no heavy library."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heliosynth.config.loading import resolve
from heliosynth.errors import InputError
from heliosynth.workflow.plan import SCRIPTS, Plan, memory_per_attempt
from helpers.configurations import merged
from helpers.project import ROOT


@pytest.fixture
def archive_folder(tmp_path: Path) -> Path:
    (tmp_path / "aia/sdomlv2.zarr/2013/171A").mkdir(parents=True)
    (tmp_path / "aia/sdomlv2.zarr/2013/171A/.zarray").write_text("content")
    (tmp_path / "aia/sdomlv2.zarr/2011/193A").mkdir(parents=True)
    (tmp_path / "aia/sdomlv2.zarr/2011/193A/.zarray").write_text("content")
    for name in ("goes/a.csv", "hek/b.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("content")
    return tmp_path


def test_an_archive_with_a_store_is_compared_with_simulation(archive_folder: Path) -> None:
    plan = Plan(resolve(merged("archive.yaml", archive=str(archive_folder))))
    assert "simulated_against_real" in plan.figures
    assert plan.figure_raw_inputs("simulated_against_real") == ["resources/archive/simulated"]
    assert plan.figure_raw_options("simulated_against_real") == [
        "--simulated=resources/archive/simulated",
        f"--archive={archive_folder}",
    ]
    assert plan.figure_raw_options("class_distribution") == []


def test_an_archive_of_level1_files_has_no_comparison(tmp_path: Path) -> None:
    names = ("aia/level1/aia.lev1_euv_12s.2012-07-12T160001Z.171.image_lev1.fits",)
    for name in (*names, "goes/a.csv", "hek/b.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("content")
    tables = {"degradation": f"{tmp_path}/aia_V10_response_table.txt"}
    with pytest.raises(InputError, match=r"aia_V10_response_table\.txt"):
        Plan(resolve(merged("archive.yaml", archive=str(tmp_path), level1=tables)))
    Path(tables["degradation"]).write_text("content")
    plan = Plan(resolve(merged("archive.yaml", archive=str(tmp_path), level1=tables)))
    assert "simulated_against_real" not in plan.figures


def test_an_archive_is_checked_when_the_dag_is_planned(archive_folder: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        Plan(resolve(merged("archive.yaml", archive=str(archive_folder / "nowhere"))))


def test_manifests_are_those_of_the_source_and_of_frames_read() -> None:
    assert Plan(resolve(merged())).manifests == [
        "resources/quickstart/simulated.manifest.json",
        "results/quickstart/dataset/intensities/2012.manifest.json",
    ]


def test_only_the_model_with_embeddings_depends_on_another() -> None:
    plan = Plan(resolve(merged()))
    folders = {model: plan.embedding_model(model) for model in plan.configuration.models}
    assert folders.pop("ddpm_cevae") == ["results/quickstart/models/cevae"]
    assert set(map(tuple, folders.values())) == {()}


def test_the_flux_response_is_of_models_conditioned_on_the_flux() -> None:
    plan = Plan(resolve(merged()))
    response = "results/quickstart/metrics/flux_response"
    assert f"{response}/ddpm_continuous.csv" in plan.figure_inputs("flux_response")
    assert f"{response}/ddpm_continuous.json" in plan.number_inputs
    classes = merged()
    del classes["models"]["ddpm_continuous"]
    without = Plan(resolve(classes))
    assert "flux_response" not in without.figures
    assert not [path for path in without.number_inputs if "flux_response" in path]


def test_the_presentation_does_not_depend_on_training_settings() -> None:
    other = merged(defaults={"ddpm": {"training": {"learning_rate": 0.5}}})
    assert Plan(resolve(merged())).presentation == Plan(resolve(other)).presentation
    assert json.loads(Plan(resolve(merged(seed=4))).presentation)["seed"] == 4


def test_every_script_has_its_own_hash() -> None:
    plan = Plan(resolve(merged()))
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert len({plan.code(script.stem) for script in scripts}) == len(scripts)


def test_the_weights_of_clip_are_the_configured_or_fetched(tmp_path: Path) -> None:
    plan = Plan(resolve(merged("paper.yaml")))
    (fetched,) = plan.encoder_weights("clip")
    assert fetched == plan.fetched_clip_weights
    assert f"{fetched}.manifest.json" in plan.manifests
    assert plan.encoder_weights("efficientnet_lite0") == []
    mine = {"clip_weights": str(tmp_path / "mine.pt")}
    with pytest.raises(InputError, match=r"mine\.pt"):
        Plan(resolve(merged("paper.yaml", evaluation=mine)))
    (tmp_path / "mine.pt").write_text("weights")
    configured = Plan(resolve(merged("paper.yaml", evaluation=mine)))
    assert configured.encoder_weights("clip") == [mine["clip_weights"]]
    assert configured.encoder_inputs("clip") == []
    assert configured.encoder_state("clip") != plan.encoder_state("clip")
    assert f"{fetched}.manifest.json" not in configured.manifests
    assert not any("clip" in manifest for manifest in Plan(resolve(merged())).manifests)


def test_memory_doubles_with_each_attempt_up_to_fourfold() -> None:
    memory = memory_per_attempt(1000)
    assert [memory(None, attempt) for attempt in (1, 2, 3, 4, 5)] == [1000, 2000, 4000, 4000, 4000]


HEAVY = ("torch", "matplotlib", "sunpy", "zarr", "pandas", "scipy", "sklearn")
IMPORTS = re.compile(r"^from heliosynth\S* import .+$", re.MULTILINE)


def test_planning_imports_no_heavy_library() -> None:
    imports = IMPORTS.findall((ROOT / "Snakefile").read_text(encoding="utf-8"))
    assert len(imports) > 3
    program = "\n".join([*imports, "import sys", "print(*sys.modules)"])
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(HEAVY) & set(result.stdout.split()) == set()
