"""A thousand damaged configurations: each is valid or rejected in one line."""

import random
from functools import cached_property
from pathlib import Path

import pytest
import yaml

from heliosynth.config.layers import read_layers
from heliosynth.config.loading import merge, resolve
from heliosynth.errors import InputError
from heliosynth.workflow.plan import Plan
from helpers.mutation import damaged, mutated
from helpers.project import copy_project, run_snakemake

pytestmark = pytest.mark.robustness

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
OVERLAYS = [
    {},
    *(yaml.safe_load(path.read_text()) for path in sorted((ROOT / "config").glob("*.yaml"))),
]
LONGEST_LINE = 500


def use(plan: Plan) -> None:
    """Use everything of a plan that the Snakefile and the rules use."""
    for name, value in vars(Plan).items():
        if isinstance(value, cached_property):
            getattr(plan, name)
    for model in plan.configuration.models:
        plan.embedding_model(model)
    for encoder in plan.configuration.evaluation.encoders:
        plan.encoder_weights(encoder)
    for figure in plan.figures:
        plan.figure_inputs(figure)
        plan.figure_code(figure)
        plan.figure_raw_inputs(figure)
    for table in plan.tables:
        plan.table_inputs(table)


@pytest.fixture
def archive_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create the files that `archive: raw` refers to."""
    monkeypatch.chdir(tmp_path)
    for name in ("aia/sdomlv2.zarr/2012/171A/.zarray", "goes/a.csv", "hek/b.csv"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True)
        (tmp_path / "raw" / name).write_text("content")


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.usefixtures("archive_of_folders")
def test_a_damaged_configuration_is_rejected_by_its_key(seed: int) -> None:
    rng = random.Random(seed)
    rejected = 0
    for _ in range(100):
        config = merge({**DEFAULT, "archive": "raw"}, rng.choice(OVERLAYS))
        raw, paths = mutated(config, rng)
        try:
            use(Plan(resolve(raw)))
        except InputError as error:
            rejected += 1
            message = str(error)
            assert len(message.splitlines()) == 1, (paths, message)
            assert len(message) <= LONGEST_LINE, (paths, message)
            keys = {str(key) for path in paths for key in path if isinstance(key, str)}
            assert any(" ".join(key.split()) in message for key in keys), (paths, message)
    assert rejected > 40


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"archive": "x" * 300}, "archive: "),
        ({"archive": "nul\0"}, "archive: "),
        ({"defaults": {"ddpm": {"sampling": {"population": 2}}}}, "sampling.population: "),
        ({"models": {"ddpm_discrete": {"denoiser": {"sigma_min": 99}}}}, "denoiser.sigma_min: "),
        ({"simulation": {"days": 3_000_000}}, "simulation: "),
        ({"seed": 2**40}, "seed: "),
        ({"seed": float("nan")}, "seed: "),
        ({"dataset": {"labels": {"window_minutes": float("inf")}}}, "window_minutes: "),
        ({"models": {"a b; touch executed": {"kind": "cevae"}}}, "a b; touch executed"),
        ({"models": {"real": {"kind": "cevae"}}}, "models.real"),
        ({"models": {"cevae": {"kind": "ddpm", "condition": {"kind": "xray_flux"}}}}, "models"),
        ({"models": {"cevae": {"kind": ["cevae"]}}}, "models.cevae"),
        ({"defaults": True}, "defaults: "),
        ({"defaults": {"cevae": "study"}}, "defaults.cevae: "),
        ({"defaults": {"cevae": {"preset": []}}}, "defaults.cevae"),
        ({"run": "two\nlines"}, "run: "),
    ],
)
def test_errors_of_late_stages_are_found_while_planning(changes: dict, key: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(merge(DEFAULT, changes))
    assert key in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) <= LONGEST_LINE


@pytest.mark.parametrize("seed", range(5))
def test_a_file_with_damaged_bytes_is_read_or_refused_by_name(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    names = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))]
    path = tmp_path / "damaged.yaml"
    refused = 0
    for _ in range(100):
        content = rng.choice(names).read_bytes()
        for _ in range(rng.randrange(1, 4)):
            content = damaged(content, rng) if content else content
        path.write_bytes(content)
        try:
            layers = read_layers([ROOT / "config.yaml", path], {})
            resolve(layers.content, layers.origins)
        except InputError as error:
            refused += 1
            message = str(error)
            assert len(message.splitlines()) == 1, (content, message)
            assert len(message) <= LONGEST_LINE, (content, message)
    assert refused > 30


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which nothing runs."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"defaults": True}, "defaults: "),
        ({"models": []}, "models"),
        ({"models": {"a; touch executed": {"kind": "cevae"}}}, "a; touch executed"),
        ({"models": {"cevae": {"kind": "ddpm", "condition": {"kind": "xray_flux"}}}}, "cevae"),
        ({"run": "$(touch executed)"}, "run: "),
        ({"archive": "two\nlines"}, "two lines: no such directory"),
        ({"archive": "no/such/{year}"}, "no/such/{year}: no such directory"),
        ({"seed": float("nan")}, "seed: "),
        ({"simulation": {"days": 10**12}}, "simulation"),
        ({"dataset": {"labels": {"rule": "x" * 5000}}}, "dataset.labels"),
        ({"observations": ["a", "list"]}, "observations: "),
        ({"evaluation": {"encoders": "none"}}, "evaluation.encoders: "),
    ],
)
def test_snakemake_rejects_a_wrong_configuration_in_one_line(
    project: Path, changes: dict, key: str
) -> None:
    (project / "config" / "wrong.yaml").write_text(yaml.safe_dump(changes))
    run = run_snakemake(project, "--dry-run", "--configfile", "config/wrong.yaml")
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert key in line
    assert not (project / "executed").exists()
