"""The tiny configuration on a SLURM of one node, through the profile that users have."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from helpers.project import copy_project

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]

LIMITED, SHARED, SHARDED = "ddpm_continuous", "ddpm_discrete", "ddpm_cevae"
"""A model whose jobs end before its training does, one trained by several processes, and one
sampled by several jobs."""
PROCESSES, SHARDS = 2, 3
BUDGET_S = 45
THREADS = 2
GPU_RULES = {
    *("train", "sample_shard", "sample_flux_response"),
    *("features_real", "features_generated", "classifier", "application"),
}
GROUPS = {"observations", "dataset", "presentation"}
LOCAL_RULES = {"configuration", "paper", "bundle", "sample"}
PATIENCE = (
    *("--slurm-status-command", "squeue", "--slurm-no-account"),
    *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
    *("--slurm-keep-successful-logs", "--latency-wait", "10", "--jobs", "6", "--printshellcmds"),
)


@dataclass(frozen=True)
class Job:
    """A submission, as SLURM remembers it."""

    name: str
    fields: dict[str, str]

    @property
    def state(self) -> str:
        return self.fields["JobState"]


def limited(profile: Path) -> None:
    """Give one model's jobs a minute each, and ask for GPUs in both ways and for few threads."""
    content = yaml.safe_load(profile.read_text(encoding="utf-8"))
    resources = content["set-resources"]
    resources["train"] = {
        **resources["train"],
        "runtime": f"1 if wildcards.model == '{LIMITED}' else 20",
    }
    resources["application"] = {**resources["application"], "gpu": 0, "gres": "gpu:1"}
    content["set-threads"] = {**dict.fromkeys(content["set-threads"], 1), "metrics": THREADS}
    profile.write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run to the paper on the cluster; one training is far too long for a job.

    It ends by its time budget, which is longer than a job of a minute trains, on any machine.
    """
    folder = copy_project(tmp_path_factory.mktemp("cluster"))
    limited(folder / "profiles/slurm/config.yaml")
    models = {
        LIMITED: {"training": {"images": 10**8, "time_budget_minutes": BUDGET_S / 60}},
        SHARED: {"training": {"gpus": PROCESSES}},
        SHARDED: {"sampling": {"shards": SHARDS}},
    }
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *PATIENCE]
    given = ["--configfile", "config/tiny.yaml", "--config", f"models={json.dumps(models)}"]
    done = subprocess.run(
        [*command, *given],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (folder / "snakemake.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-12000:]
    return folder


@pytest.fixture(scope="module")
def jobs(project: Path) -> list[Job]:
    """Give every submission, in order."""
    told = subprocess.run(
        ["scontrol", "--oneliner", "show", "jobs"], capture_output=True, text=True, check=True
    )
    found = []
    for line in told.stdout.splitlines():
        fields = dict(re.findall(r"(\S+?)=(\S*)", line))
        found.append(Job(fields["Comment"], fields))
    return sorted(found, key=lambda job: int(job.fields["JobId"]))


def test_it_runs_to_the_paper(project: Path) -> None:
    assert (project / "results/tiny/paper.pdf").read_bytes().startswith(b"%PDF")
    assert (project / "results/tiny/report.zip").is_file()


def test_a_training_whose_time_is_up_is_submitted_until_it_is_done(
    project: Path, jobs: list[Job]
) -> None:
    trainings = [job for job in jobs if job.name == f"rule_train_wildcards_{LIMITED}"]
    assert len(trainings) >= 2
    assert [job.state for job in trainings[:-1]] == ["FAILED"] * (len(trainings) - 1)
    assert trainings[-1].state == "COMPLETED"
    seen = []
    for job in trainings[:-1]:
        said = re.findall(
            r"time limit reached after (\d+) of 1\d+ images; the checkpoint is saved",
            Path(job.fields["StdOut"]).read_text(encoding="utf-8"),
        )
        assert len(said) == 1
        seen.append(int(said[0]))
    report = json.loads((project / f"results/tiny/models/{LIMITED}/training.json").read_text())
    assert report["ended"] == "time budget"
    assert seen == sorted(set(seen))
    assert seen[-1] < report["images"]
    assert report["seconds"] >= BUDGET_S


def test_a_training_by_several_processes_is_one_job_with_a_gpu_for_each(
    project: Path, jobs: list[Job]
) -> None:
    (job,) = [job for job in jobs if job.name == f"rule_train_wildcards_{SHARED}"]
    assert job.state == "COMPLETED"
    assert job.fields["TresPerJob"].endswith(f"gpu:{PROCESSES}")
    launched = f"train.py .* --processes {PROCESSES} "
    assert re.search(launched, (project / "snakemake.log").read_text(encoding="utf-8"))
    report = json.loads((project / f"results/tiny/models/{SHARED}/training.json").read_text())
    assert report["ended"] == "planned length"


def test_shards_of_a_sample_are_jobs_of_their_own(project: Path, jobs: list[Job]) -> None:
    names = [job.name for job in jobs if rule_of(job) == "sample_shard" and SHARDED in job.name]
    assert len(names) == len(set(names)) == SHARDS
    assert (project / f"results/tiny/samples/{SHARDED}.h5").is_file()


def test_memory_doubles_at_the_second_attempt(jobs: list[Job]) -> None:
    first, second, *_ = [job for job in jobs if job.name == f"rule_train_wildcards_{LIMITED}"]
    assert (first.fields["MinMemoryNode"], second.fields["MinMemoryNode"]) == ("4000M", "8000M")


def test_jobs_that_compute_on_a_gpu_ask_for_one_where_there_are_some(jobs: list[Job]) -> None:
    ways = ("TresPerJob", "TresPerNode")
    asking = {job.name for job in jobs if any("gpu" in job.fields.get(way, "") for way in ways)}
    by_gres = {rule_of(job) for job in jobs if "gpu" in job.fields.get("TresPerNode", "")}
    assert by_gres == {"application"}
    there = {job.name for job in jobs if job.fields["Partition"] == "gpu"}
    wanted = {job.name for job in jobs if rule_of(job) in GPU_RULES}
    assert asking == there == wanted
    assert {rule_of(job) for job in jobs if job.name in wanted} == GPU_RULES


def test_small_jobs_share_a_submission_and_local_ones_have_none(jobs: list[Job]) -> None:
    names = [rule_of(job) for job in jobs]
    in_groups = [name for name in names if name.split("_")[0] in GROUPS]
    assert {name.split("_")[0] for name in in_groups} == GROUPS
    assert len(in_groups) <= 6
    assert LOCAL_RULES.isdisjoint(names)
    assert {"figure", "table", "labels"}.isdisjoint(names)


def test_a_job_has_the_threads_of_the_profile(jobs: list[Job]) -> None:
    cores = {rule_of(job): job.fields["NumCPUs"] for job in jobs}
    assert cores["metrics"] == str(THREADS)
    assert cores["train"] == "1"


def rule_of(job: Job) -> str:
    """Give the rule or the group of a job."""
    return re.sub(r"^rule_|_wildcards_.*$", "", job.name)
