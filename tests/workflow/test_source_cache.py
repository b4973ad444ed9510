"""An edited Snakefile or rule is read, though Snakemake keeps copies of both."""

from pathlib import Path

import pytest

from heliosynth.workflow.source_cache import delete_outdated


def test_copies_that_differ_from_their_source_are_deleted(tmp_path: Path) -> None:
    sources = [tmp_path / name for name in ("same", "edited", "gone")]
    cache = tmp_path / "cache"
    for source in sources:
        source.write_text("rule")
        copy = cache / "file" / source.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("rule")
    assert delete_outdated(cache) == []
    sources[1].write_text("else")
    sources[2].unlink()
    assert sorted(delete_outdated(cache)) == sorted(sources[1:])
    assert delete_outdated(cache) == []
    assert delete_outdated(tmp_path / "nothing") == []


@pytest.mark.workflow
def test_an_edited_snakefile_and_rule_are_read(project: Path, snakemake) -> None:
    assert snakemake(project, "--dry-run", "--quiet").returncode == 0
    for path, name in (("Snakefile", "in_snakefile"), ("workflow/rules/paper.smk", "in_rules")):
        rule = f'rule {name}:\n    output:\n        "results/{name}"\n    shell:\n        "true"\n'
        with (project / path).open("a") as stream:
            stream.write(f"\n\n{rule}")
    result = snakemake(project, "--dry-run", "in_snakefile", "in_rules")
    assert result.returncode == 0, result.stderr
    assert "results/in_snakefile" in result.stdout + result.stderr
