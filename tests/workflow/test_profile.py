"""Rules state what holds on any machine; the SLURM profile states the rest."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.project import ROOT

PROFILE = ROOT / "profiles/slurm/config.yaml"
SITE_RESOURCES = re.compile(r"\b(slurm_\w+|gres|gpu_model|qos|constraint|retries)\b")
NETWORK = {"fetch_xrs", "fetch_flares", "fetch_clip"}
LATEX = {"paper"}
TRIVIAL = {"configuration", "pack_report", "sample"}

Profile = dict[str, Any]


def read_rules() -> dict[str, str]:
    """Return the text of every rule but the targets, after that of the rule it inherits from."""
    rules: dict[str, str] = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"\n(?=rule |use rule )", path.read_text(encoding="utf-8"))[1:]:
            name = re.match(r"(?:use rule (\w+) as |rule )(\w+)", block)
            assert name
            rules[name[2]] = rules.get(name[1], "") + block
    return rules


RULES = read_rules()


def resources(rule: str) -> dict[str, str]:
    """Return the resources that a rule requests, by name."""
    (section,) = re.findall(r"^    resources:\n((?:        .+\n)+)", RULES[rule], re.MULTILINE)
    return dict(re.findall(r"^        (\w+)=(.+?),?$", section, re.MULTILINE))


def localrule(rule: str) -> str | None:
    """Return when a rule is local, as its text says."""
    match = re.search(r"^    localrule: (.+)$", RULES[rule], re.MULTILINE)
    return match[1] if match else None


def profile_with_accounts() -> str:
    """Return the profile with its example of a site with accounts in place of the default."""
    text = PROFILE.read_text(encoding="utf-8")
    default = text.index("default-resources:\n")
    example = text.index("# default-resources:\n")
    end = text.index("\n\n", example)
    uncommented = re.sub(r"^# ?", "", text[example:end], flags=re.MULTILINE)
    return text[:default] + uncommented + text[end:]


@pytest.fixture(params=["partitions", "accounts"])
def profile(request: pytest.FixtureRequest) -> Profile:
    """Read the profile as it is, and as its comments say for the other kind of site."""
    text = PROFILE.read_text(encoding="utf-8")
    content: Profile = yaml.safe_load(
        text if request.param == "partitions" else profile_with_accounts()
    )
    return content


def test_the_profile_names_existing_rules(profile: Profile) -> None:
    named = {*profile["set-resources"], *profile["set-threads"], *profile["groups"]}
    assert named - set(RULES) == set()
    assert set(profile["group-components"]) <= set(profile["groups"].values())


def test_the_profile_names_every_rule_that_uses_a_gpu(profile: Profile) -> None:
    using = {rule for rule in RULES if "gpu" in resources(rule)}
    assert set(profile["set-resources"]) == using


def test_the_profile_requests_gpus_as_the_site_does(profile: Profile) -> None:
    for requested in profile["set-resources"].values():
        assert "slurm_partition" in requested or "slurm_account" in requested


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_states_only_what_holds_on_any_machine(rule: str) -> None:
    requested = resources(rule)
    assert {"mem_mb", "runtime"} <= set(requested) <= {"mem_mb", "runtime", "gpu"}
    assert "memory_per_attempt(" in requested["mem_mb"]
    assert not SITE_RESOURCES.search(RULES[rule])


@pytest.mark.parametrize("rule", RULES)
def test_the_output_of_a_job_is_in_its_log(rule: str) -> None:
    assert '> {log:q} 2>&1"\n' in RULES[rule]


def test_rules_that_need_a_network_or_latex_are_local() -> None:
    always = {rule for rule in RULES if localrule(rule) == "True"}
    assert always == NETWORK | LATEX | TRIVIAL
    assert {rule for rule in RULES if rule.startswith("fetch_")} == NETWORK
    reading = {rule for rule in RULES if "PLAN.raw_inputs.aia_store" in RULES[rule]}
    remote = "PLAN.raw_inputs.store_is_remote"
    assert reading == {rule for rule in RULES if localrule(rule) == remote}


def test_groups_contain_no_rule_that_can_be_local(profile: Profile) -> None:
    assert [rule for rule in profile["groups"] if localrule(rule)] == []


def test_the_profile_resubmits_trainings(profile: Profile) -> None:
    assert profile["retries"] >= 3


@pytest.mark.workflow
@pytest.mark.parametrize("accounts", [False, True])
def test_the_study_is_planned_with_either_profile(project: Path, snakemake, accounts: bool) -> None:
    if accounts:
        path = project / "profiles/slurm/config.yaml"
        path.write_text(profile_with_accounts(), encoding="utf-8")
    options = ("--profile", "profiles/slurm", "--configfile", "config/paper.yaml")
    result = snakemake(project, "--dry-run", *options)
    assert result.returncode == 0, result.stderr
    assert "Group job presentation" in result.stdout + result.stderr
