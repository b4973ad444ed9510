"""What the rules say of themselves, and what the profile for SLURM says of them."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / "profiles/slurm/config.yaml"
OF_SITES = re.compile(r"\b(slurm_\w+|gres|gpu_model|qos|constraint|retries)\b")
NETWORK = {"fetch_xrs", "fetch_flares", "fetch_clip"}
LATEX = {"paper"}
TRIVIAL = {"configuration", "pack_report", "sample"}


def read_rules() -> dict[str, str]:
    """Give the text of every rule but the targets, with what it takes over from another."""
    rules = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"\n(?=rule |use rule )", path.read_text(encoding="utf-8"))[1:]:
            name = re.match(r"(?:use rule (\w+) as |rule )(\w+)", block)
            assert name
            rules[name[2]] = rules.get(name[1], "") + block
    return rules


RULES = read_rules()


def resources(rule: str) -> dict[str, str]:
    """Give what a rule asks for, by name."""
    (section,) = re.findall(r"^    resources:\n((?:        .+\n)+)", RULES[rule], re.MULTILINE)
    return dict(re.findall(r"^        (\w+)=(.+?),?$", section, re.MULTILINE))


def local(rule: str) -> str | None:
    found = re.search(r"^    localrule: (.+)$", RULES[rule], re.MULTILINE)
    return found[1] if found else None


def site_with_accounts() -> str:
    """Give the profile with its second example in place of the first."""
    text = PROFILE.read_text(encoding="utf-8")
    first = text.index("default-resources:\n")
    second = text.index("# default-resources:\n")
    end = text.index("\n\n", second)
    example = re.sub(r"^# ?", "", text[second:end], flags=re.MULTILINE)
    return text[:first] + example + text[end:]


@pytest.fixture(params=["partitions", "accounts"])
def profile(request: pytest.FixtureRequest) -> dict:
    """Read the profile as it is, and as its comments say for the other kind of site."""
    text = PROFILE.read_text(encoding="utf-8")
    return yaml.safe_load(text if request.param == "partitions" else site_with_accounts())


def test_every_rule_that_the_profile_names_is_there(profile: dict) -> None:
    named = {*profile["set-resources"], *profile["set-threads"], *profile["groups"]}
    assert named - set(RULES) == set()
    assert set(profile["group-components"]) <= set(profile["groups"].values())


def test_the_profile_knows_every_rule_that_computes_on_a_gpu(profile: dict) -> None:
    computing = {rule for rule in RULES if "gpu" in resources(rule)}
    assert set(profile["set-resources"]) == computing


def test_the_profile_asks_for_gpus_as_the_site_does(profile: dict) -> None:
    for asked in profile["set-resources"].values():
        assert "slurm_partition" in asked or "slurm_account" in asked


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_only_what_holds_on_any_machine(rule: str) -> None:
    asked = resources(rule)
    assert {"mem_mb", "runtime"} <= set(asked) <= {"mem_mb", "runtime", "gpu"}
    assert "memory_per_attempt(" in asked["mem_mb"]
    assert not OF_SITES.search(RULES[rule])


def test_rules_that_need_a_network_or_latex_run_where_snakemake_runs() -> None:
    always = {rule for rule in RULES if local(rule) == "True"}
    assert always == NETWORK | LATEX | TRIVIAL
    assert {rule for rule in RULES if rule.startswith("fetch_")} == NETWORK
    reading = {rule for rule in RULES if "PLAN.raw_inputs.aia_store" in RULES[rule]}
    assert reading == {rule for rule in RULES if local(rule) == "PLAN.raw_inputs.store_is_remote"}


def test_groups_hold_no_rule_that_may_be_local(profile: dict) -> None:
    assert [rule for rule in profile["groups"] if local(rule)] == []


def test_trainings_are_submitted_again_by_the_profile(profile: dict) -> None:
    assert profile["retries"] >= 3


@pytest.mark.workflow
def test_the_study_is_a_dag_with_either_profile(project: Path, snakemake) -> None:
    for text in (PROFILE.read_text(encoding="utf-8"), site_with_accounts()):
        (project / "profiles/slurm/config.yaml").write_text(text, encoding="utf-8")
        options = ("--profile", "profiles/slurm", "--configfile", "config/paper.yaml")
        done = snakemake(project, "--dry-run", *options)
        assert done.returncode == 0, done.stderr
        assert "Group job presentation" in done.stdout + done.stderr
