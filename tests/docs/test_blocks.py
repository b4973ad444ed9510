"""Every block of the documentation has a language, and is what it claims to be."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.messages import read_messages
from docs.templates import PLACEHOLDER

from factories.dataset import write_dataset_products
from factories.run import configuration
from heliosynth.config.loading import resolve
from heliosynth.config.schema import RunConfig
from heliosynth.sources.archive import locate
from helpers.configurations import merged
from helpers.documentation import PAGES, Block, blocks
from helpers.project import ROOT
from helpers.recipes import read_recipes

pytestmark = pytest.mark.xdist_group("documentation")

BLOCKS = blocks()
RECIPES = {edit.text for edits in read_recipes(ROOT / "CONTRIBUTING.md").values() for edit in edits}
"""Blocks that tests/workflow/test_recipes.py applies to a copy of the project."""
PROFILE = ROOT / "profiles/slurm/config.yaml"


def of(*languages: str) -> list[Block]:
    """Return the blocks of some languages that are no part of a recipe."""
    return [b for b in BLOCKS if b.language in languages and b.text not in RECIPES]


def with_places(found: list[Block]) -> Any:
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


def check_packages(block: Block) -> None:
    """The names are packages, in the order in which they import each other."""
    names = re.findall(r"\w+", block.text)
    assert [n for n in names if not (ROOT / f"src/heliosynth/{n}/__init__.py").is_file()] == []


def check_products(block: Block) -> None:
    """A tree of products: tests/workflow and tests/docs/test_names.py look at a finished run."""
    assert "paper.pdf" in block.text


def check_archive(block: Block) -> None:
    """A tree of the folders of an archive, which the code looks into."""
    code = (ROOT / "src/heliosynth/sources/archive.py").read_text(encoding="utf-8")
    assert locate.__module__ == "heliosynth.sources.archive"
    for folder in ("aia", "sdomlv2.zarr", "goes", "hek"):
        assert folder in block.text
        assert f'"{folder}"' in code


def check_message(block: Block) -> None:
    """A line that the code prints, with values in it."""
    patterns = [".+".join(map(re.escape, PLACEHOLDER.split(m.text))) for m in read_messages()]
    for line in block.text.splitlines():
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line


def check_formula(block: Block) -> None:
    """A formula, which benchmarks/cost.py computes."""
    assert re.fullmatch(r"[\w ]+ = [\w /+·-]+\n", block.text)


FEW = {"A": 4, "B": 24, "C": 32, "M": 24, "X": 24}
"""Frames of each class in a dataset to read."""

TEXT: Mapping[tuple[str, str], Callable[[Block], None]] = {
    ("README.md", "config.json"): check_products,
    ("README.md", "sources"): check_packages,
    ("docs/cluster.md", "ddpm_discrete:"): check_message,
    ("docs/data.md", "my_archive/"): check_archive,
    ("docs/scaling.md", "seconds"): check_formula,
}
"""What the blocks of the language ``text`` are, by page and first word."""


@with_places(BLOCKS)
def test_a_block_has_a_language_that_is_tested(block: Block) -> None:
    if block.text in RECIPES:
        return
    assert block.language in ("bash", "python", "yaml", "text"), (
        "name the language; bash is run by tests/docs/test_commands.py, the others here"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_fence_is_closed(path: Path) -> None:
    fences = re.findall(r"^ *```", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * sum(block.path == path for block in BLOCKS)


@with_places(of("text"))
def test_a_text_is_what_the_table_says(block: Block) -> None:
    TEXT[block.page, block.text.split()[0]](block)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset where the documentation expects one."""
    folder = tmp_path_factory.mktemp("results")
    write_dataset_products(folder / "results/archive", configuration(), FEW)
    return folder


@with_places(of("python"))
def test_python_runs(block: Block, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)
    names: dict[str, Any] = {}
    exec(compile(block.text, block.place, "exec"), names)
    assert "dn" not in names or names["dn"].shape[1:] == (1, 32, 32)


@with_places(of("yaml"))
def test_yaml_is_a_valid_overlay(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if content.keys() <= RunConfig.model_fields.keys():
        resolve(merged(**content))
        return
    check_profile(content)


def check_profile(content: Mapping[str, Mapping[str, Any]]) -> None:
    """Settings of the SLURM profile: sections that it has, of rules that exist."""
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    rules = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk")
    )
    for section, entries in content.items():
        assert section in profile
        for rule in entries:
            assert re.search(rf"^(use )?rule (\w+ as )?{rule}\b", rules, re.MULTILINE), rule
