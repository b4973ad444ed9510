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
from helpers.configurations import merged as raw
from helpers.project import ROOT


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "aia/sdomlv2.zarr/2013/171A").mkdir(parents=True)
    (tmp_path / "aia/sdomlv2.zarr/2013/171A/.zarray").touch()
    (tmp_path / "aia/sdomlv2.zarr/2011/193A").mkdir(parents=True)
    (tmp_path / "aia/sdomlv2.zarr/2011/193A/.zarray").touch()
    for name in ("goes/a.csv", "hek/b.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    return tmp_path


def test_an_archive_with_a_store_is_compared_with_the_simulation(directory: Path) -> None:
    plan = Plan(resolve(raw("archive.yaml", archive=str(directory))))
    assert "simulated_against_real" in plan.figures
    folders = ["resources/archive/simulated", str(directory)]
    assert plan.figure_raw_inputs("simulated_against_real") == folders


def test_an_archive_of_level1_files_has_no_comparison(tmp_path: Path) -> None:
    names = ("aia/level1/aia.lev1_euv_12s.2012-07-12T160001Z.171.image_lev1.fits",)
    for name in (*names, "goes/a.csv", "hek/b.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    tables = {"degradation": "aia_V10_response_table.txt"}
    plan = Plan(resolve(raw("archive.yaml", archive=str(tmp_path), level1=tables)))
    assert "simulated_against_real" not in plan.figures


def test_an_archive_is_checked_when_the_dag_is_planned(directory: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        Plan(resolve(raw("archive.yaml", archive=str(directory / "nowhere"))))


def test_manifests_are_those_of_the_source_and_of_frames_read() -> None:
    assert Plan(resolve(raw())).manifests == [
        "resources/quickstart/simulated.manifest.json",
        "results/quickstart/dataset/intensities/2012.manifest.json",
    ]


def test_only_the_model_with_embeddings_depends_on_another() -> None:
    plan = Plan(resolve(raw()))
    needed = {model: plan.embedding_model(model) for model in plan.configuration.models}
    assert needed.pop("ddpm_cevae") == ["results/quickstart/models/cevae"]
    assert set(map(tuple, needed.values())) == {()}


def test_products_of_the_flux_response_are_those_of_the_models_that_know_the_flux() -> None:
    plan = Plan(resolve(raw()))
    response = "results/quickstart/metrics/flux_response"
    assert f"{response}/ddpm_continuous.csv" in plan.figure_inputs("flux_response")
    assert f"{response}/ddpm_continuous.json" in plan.number_inputs
    classes = raw()
    del classes["models"]["ddpm_continuous"]
    without = Plan(resolve(classes))
    assert "flux_response" not in without.figures
    assert not [path for path in without.number_inputs if "flux_response" in path]


def test_presentation_does_not_know_how_models_are_trained() -> None:
    other = raw(defaults={"ddpm": {"training": {"learning_rate": 0.5}}})
    assert Plan(resolve(raw())).presentation == Plan(resolve(other)).presentation
    assert json.loads(Plan(resolve(raw(seed=4))).presentation)["seed"] == 4


def test_every_script_has_its_own_hash() -> None:
    plan = Plan(resolve(raw()))
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert len({plan.code(script.stem) for script in scripts}) == len(scripts)


def test_the_weights_of_clip_are_the_users_or_fetched(tmp_path: Path) -> None:
    plan = Plan(resolve(raw("paper.yaml")))
    (fetched,) = plan.encoder_weights("clip")
    assert fetched == plan.fetched_clip_weights
    assert f"{fetched}.manifest.json" in plan.manifests
    assert plan.encoder_weights("efficientnet_lite0") == []
    own = Plan(resolve(raw("paper.yaml", evaluation={"clip_weights": "mine.pt"})))
    assert own.encoder_weights("clip") == ["mine.pt"]
    assert f"{fetched}.manifest.json" not in own.manifests
    assert not any("clip" in manifest for manifest in Plan(resolve(raw())).manifests)


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
