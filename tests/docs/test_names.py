"""Names in the documentation: files, keys of the configuration, figures, objects of the code."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from heliosynth.config.loading import resolve
from heliosynth.config.schema import RunConfig
from heliosynth.figures.registry import FIGURES
from helpers.configurations import merged
from helpers.documentation import CURRENT, FENCE, PAGES, spans
from helpers.project import ROOT
from helpers.recipes import read_recipes

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SUFFIXES = "py|md|yaml|json|csv|h5|pdf|png|tsv|txt|ecsv|zip|sh|smk|cff|tex|toml|safetensors"
FILE = re.compile(rf"(?:[\w.<>*-]+/)*[\w.<>*{{}},-]+\.(?:{SUFFIXES})|(?:[\w.<>*-]+/)+")
KEY = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
SETTING = re.compile(r"[a-z][a-z0-9_.]*: .+")

OF_USERS = {
    "config/mine.yaml": "the user's own overlay",
    "my_archive/": "the user's own archive",
    "aia/level1/": "in an archive",
    "aia/sdomlv2.zarr": "in an archive",
    "goes/": "in an archive",
    "hek/": "in an archive",
    "goes15_2014.csv": "the name of a light curve",
    "../raw/": "one of several spellings of a path",
    "README.csv": "a file that is not read",
    "sdomlv2.zarr/": "in an archive",
    ".snakemake/slurm_logs/": "Snakemake writes it on a cluster",
    "quallev1.h": "of JSOC",
    "resources/<run>/level1.json": "of runs on level-1 files",
    "resources/": "raw inputs and caches of runs",
    "results/": "products of runs",
}
"""Files that are neither of the project nor of a run, and whose they are."""
NEW = {
    edit.path
    for edits in read_recipes(ROOT / "CONTRIBUTING.md").values()
    for edit in edits
    if edit.where == "new"
}
"""Files that the recipes add."""
OF_SITES = {"slurm-status-command", "slurm-no-account", "gpu", "gres", "gpu_model", "qos"}
"""Keys of the SLURM profile."""
FOLDERS = (".", "docs", "benchmarks", "src/heliosynth", "workflow", "tests", "config")
"""Where the files are that the pages name."""

GENERATED = ROOT / "docs/troubleshooting.md"
by_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
by_current_page = pytest.mark.parametrize(
    "path", [page for page in CURRENT if page != GENERATED], ids=lambda path: path.name
)


def schema_keys(annotation: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the path of every key of the schema; rows of mappings count as no level."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield ".".join((*path, name))
            yield from schema_keys(field.annotation, (*path, name))
    for argument in get_args(annotation):
        yield from schema_keys(argument, path)


KEYS = set(schema_keys(RunConfig)) | {"defaults", "models.preset", "defaults.ddpm.preset"}


def is_key(path: str) -> bool:
    """Return whether a path, or the end of one, is a key."""
    return any(key == path or key.endswith(f".{path}") for key in KEYS)


@by_page
def test_links_lead_to_files(path: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8"))]
    local = [link for link in targets if link and "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


@by_page
def test_links_lead_to_headings(path: Path) -> None:
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if anchor and "://" not in link:
            text = ((path.parent / target) if target else path).read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in anchors


def files(path: Path) -> set[str]:
    return {text for _, text in spans(path) if FILE.fullmatch(text)}


def expand(name: str) -> list[str]:
    """Return the names in ``{a,b}.png``, with a star for each ``<placeholder>``."""
    match = re.search(r"\{([^}]*)\}", name)
    names = [name.replace(match[0], part) for part in match[1].split(",")] if match else [name]
    return [re.sub(r"<[^>]*>", "*", n) for n in names]


def exists(name: str, folders: tuple[Path, ...]) -> bool:
    pattern = name.rstrip("/")
    return any(any(folder.glob(pattern)) for folder in folders)


def split_files(path: Path) -> tuple[list[str], list[str]]:
    """Return the files that a page names: those of the project, and the others."""
    of_project, others = [], []
    for name in sorted(files(path)):
        if name in OF_USERS or name in NEW:
            continue
        for expanded in expand(name):
            found = exists(expanded, tuple(ROOT / folder for folder in FOLDERS))
            (of_project if found else others).append(expanded)
    return of_project, others


@pytest.mark.workflow
@pytest.mark.xdist_group("finished")
@by_current_page
def test_files_exist_in_the_project_or_in_a_run(path: Path, finished: Path) -> None:
    _, others = split_files(path)
    run = finished / "results" / "tiny"
    products = {name: re.sub(r"^results/[^/]+/", "", name) for name in others}
    missing = [
        name
        for name, product in products.items()
        if product and not any(run.rglob(product.rstrip("/")))
    ]
    assert missing == []


@pytest.mark.workflow
@pytest.mark.xdist_group("finished")
def test_products_of_the_readme_exist(finished: Path) -> None:
    blocks = [match[3] for match in FENCE.finditer((ROOT / "README.md").read_text())]
    (tree,) = (block for block in blocks if block.startswith("config.json"))
    names = [name for line in tree.splitlines() for name in re.split(r"  +", line)[0].split(", ")]
    assert len(names) > 10
    run = finished / "results" / "tiny"
    assert [n for n in names if not exists(re.sub(r"<[^>]*>", "*", n), (run,))] == []


@by_current_page
def test_keys_exist_in_the_schema(path: Path) -> None:
    sections = {key.partition(".")[0] for key in KEYS} | {"training", "sampling", "condition"}
    named = {
        text
        for _, text in spans(path)
        if KEY.fullmatch(text) and text.partition(".")[0] in sections and not FILE.fullmatch(text)
    }
    assert [key for key in sorted(named) if not is_key(key)] == []


@by_current_page
def test_settings_are_valid(path: Path) -> None:
    """Settings such as `dataset.channel: 193A` can be written into an overlay as they are."""
    for _, text in spans(path):
        if not SETTING.fullmatch(text) or "‹" in text:
            continue
        content = yaml.safe_load(text)
        assert isinstance(content, dict), text
        ((key, value),) = content.items()
        if key in OF_SITES:
            continue
        first = key.partition(".")[0]
        if first in RunConfig.model_fields:
            for name in reversed(key.split(".")):
                value = {name: value}
            resolve(merged("archive.yaml", archive="PATH", **value))
        else:
            inner = [f"{key}.{name}" for name in value] if isinstance(value, dict) else [key]
            assert [name for name in inner if not is_key(name)] == []


@by_current_page
def test_objects_of_the_code_exist(path: Path) -> None:
    for _, text in spans(path):
        if re.fullmatch(r"heliosynth(\.\w+)+", text):
            module, _, name = text.rpartition(".")
            try:
                importlib.import_module(text)
            except ImportError:
                assert hasattr(importlib.import_module(module), name), text


@by_current_page
def test_options_are_those_of_snakemake_or_of_a_script(path: Path) -> None:
    """Options that are named without their command, such as `--sdm conda`."""
    spec = importlib.util.find_spec("snakemake")
    assert spec is not None
    assert spec.origin is not None
    code = Path(spec.origin).with_name("cli.py").read_text(encoding="utf-8")
    scripts = (ROOT / "workflow/scripts").glob("*.py")
    code += "".join(script.read_text(encoding="utf-8") for script in scripts)
    options = {text.split()[0] for _, text in spans(path) if re.match(r"--\w", text)}
    assert [option for option in sorted(options) if f'"{option}"' not in code] == []


@by_current_page
def test_figures_are_in_the_registry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for names in re.findall(r"figures/([\w{},<>*-]+)\.(?:png|pdf)", text):
        for name in expand(names):
            assert name in FIGURES or name.replace("*", "{diffusion_model}") in FIGURES, name
