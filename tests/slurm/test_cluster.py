"""The tiny configuration on a one-node SLURM, with the profile of the repository."""

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

from helpers.project import TINY, copy_project

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]

LIMITED, PARALLEL, SHARDED = "ddpm_continuous", "ddpm_discrete", "ddpm_cevae"
"""A model whose training is longer than a job, one trained by several processes, and one sampled
by several jobs."""
PROCESSES, SHARDS = 2, 3
BUDGET_S = 45
THREADS = 2
GPU_RULES = {
    *("train", "sample_shard", "sample_flux_response"),
    *("features_real", "features_generated", "classifier", "application"),
}
GROUPS = {"observations", "dataset", "presentation"}
LOCAL_RULES = {"configuration", "paper", "pack_report", "sample"}
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", *TINY]
ON_THIS_MACHINE = (
    *("--slurm-status-command", "squeue", "--slurm-no-account"),
    *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
    *("--slurm-keep-successful-logs", "--latency-wait", "10", "--jobs", "6"),
)
LINES = 80
"""The maximum length of what a run prints."""


@dataclass(frozen=True)
class Job:
    """A job as ``scontrol`` shows it."""

    name: str
    fields: dict[str, str]

    @property
    def state(self) -> str:
        return self.fields["JobState"]

    @property
    def rule(self) -> str:
        """Its rule or its group."""
        return re.sub(r"^rule_|_wildcards_.*$", "", self.name)


def limit(profile: Path) -> None:
    """Limit the jobs of a model to a minute, request GPUs in both ways, and few threads."""
    content = yaml.safe_load(profile.read_text(encoding="utf-8"))
    resources = content["set-resources"]
    resources["train"] = {
        **resources["train"],
        "runtime": f"1 if wildcards.model == '{LIMITED}' else 20",
    }
    resources["application"] = {**resources["application"], "gpu": 0, "gres": "gpu:1"}
    content["set-threads"] = {**dict.fromkeys(content["set-threads"], 1), "metrics": THREADS}
    profile.write_text(yaml.safe_dump(content), encoding="utf-8")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    models = {
        LIMITED: {"training": {"images": 10**8, "time_budget_minutes": BUDGET_S / 60}},
        PARALLEL: {"training": {"gpus": PROCESSES}},
        SHARDED: {"sampling": {"shards": SHARDS}},
    }
    return subprocess.run(
        [*SNAKEMAKE, "--config", f"models={json.dumps(models)}", *ON_THIS_MACHINE, *options],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that has run to the paper on the cluster.

    One training ends by its time budget, which is longer than a job of a minute can train.
    """
    folder = copy_project(tmp_path_factory.mktemp("cluster"))
    limit(folder / "profiles/slurm/config.yaml")
    result = run(folder)
    (folder / "terminal.txt").write_text(result.stderr, encoding="utf-8")
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-12000:]
    return folder


@pytest.fixture(scope="module")
def jobs(project: Path) -> list[Job]:
    """Return every job, in the order of submission."""
    result = subprocess.run(
        ["scontrol", "--oneliner", "show", "jobs"], capture_output=True, text=True, check=True
    )
    records = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in result.stdout.splitlines()]
    records.sort(key=lambda fields: int(fields["JobId"]))
    return [Job(fields["Comment"], fields) for fields in records]


def of_training(jobs: list[Job], model: str) -> list[Job]:
    return [job for job in jobs if job.name == f"rule_train_wildcards_{model}"]


def test_the_run_reaches_the_paper(project: Path) -> None:
    assert (project / "results/tiny/paper.pdf").read_bytes().startswith(b"%PDF")
    assert (project / "results/tiny/report.zip").is_file()


def test_the_terminal_has_stages_failures_and_products(project: Path, jobs: list[Job]) -> None:
    lines = (project / "terminal.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES
    assert lines[-1] == "report: results/tiny/report.zip"
    failures = [line for line in lines if f"train {LIMITED} failed" in line]
    assert len(failures) == len(of_training(jobs, LIMITED)) - 1


def test_a_training_is_resubmitted_until_it_is_complete(project: Path, jobs: list[Job]) -> None:
    trainings = of_training(jobs, LIMITED)
    assert len(trainings) >= 2
    assert [job.state for job in trainings[:-1]] == ["FAILED"] * (len(trainings) - 1)
    assert trainings[-1].state == "COMPLETED"
    images = []
    for job in trainings[:-1]:
        counts = re.findall(
            r"time limit reached after (\d+) of 1\d+ images; the checkpoint is saved",
            Path(job.fields["StdOut"]).read_text(encoding="utf-8"),
        )
        assert len(set(counts)) == 1
        images.append(int(counts[0]))
    report = json.loads((project / f"results/tiny/models/{LIMITED}/training.json").read_text())
    assert report["ended"] == "time budget"
    assert images == sorted(set(images))
    assert images[-1] < report["images"]
    assert report["seconds"] >= BUDGET_S


def test_a_training_by_several_processes_is_one_job(project: Path, jobs: list[Job]) -> None:
    (job,) = of_training(jobs, PARALLEL)
    assert job.state == "COMPLETED"
    assert job.fields["TresPerJob"].endswith(f"gpu:{PROCESSES}")
    weights = f"results/tiny/models/{PARALLEL}/weights.safetensors"
    planned = run(project, "--dry-run", "--printshellcmds", "--force", weights)
    command = planned.stdout + planned.stderr
    assert re.search(f"train.py .* --processes {PROCESSES} ", command), command
    report = json.loads((project / weights).with_name("training.json").read_text())
    assert report["ended"] == "planned length"


def test_each_shard_of_a_sample_is_a_job(project: Path, jobs: list[Job]) -> None:
    names = [job.name for job in jobs if job.rule == "sample_shard" and SHARDED in job.name]
    assert len(names) == len(set(names)) == SHARDS
    assert (project / f"results/tiny/samples/{SHARDED}.h5").is_file()


def test_memory_doubles_at_the_second_attempt(jobs: list[Job]) -> None:
    first, second, *_ = of_training(jobs, LIMITED)
    assert (first.fields["MinMemoryNode"], second.fields["MinMemoryNode"]) == ("4000M", "8000M")


def test_jobs_that_compute_on_a_gpu_request_one(jobs: list[Job]) -> None:
    fields = ("TresPerJob", "TresPerNode")
    requesting = {job.name for job in jobs if any("gpu" in job.fields.get(f, "") for f in fields)}
    by_gres = {job.rule for job in jobs if "gpu" in job.fields.get("TresPerNode", "")}
    assert by_gres == {"application"}
    in_partition = {job.name for job in jobs if job.fields["Partition"] == "gpu"}
    expected = {job.name for job in jobs if job.rule in GPU_RULES}
    assert requesting == in_partition == expected
    assert {job.rule for job in jobs if job.name in expected} == GPU_RULES


def test_small_jobs_are_grouped_and_local_ones_not_submitted(jobs: list[Job]) -> None:
    rules = [job.rule for job in jobs]
    groups = [rule for rule in rules if rule.split("_")[0] in GROUPS]
    assert {group.split("_")[0] for group in groups} == GROUPS
    assert len(groups) <= 8
    assert LOCAL_RULES.isdisjoint(rules)
    assert {"figure", "table", "labels"}.isdisjoint(rules)


def test_jobs_have_the_threads_of_the_profile(jobs: list[Job]) -> None:
    cores = {job.rule: job.fields["NumCPUs"] for job in jobs}
    assert cores["metrics"] == str(THREADS)
    assert cores["train"] == "1"
