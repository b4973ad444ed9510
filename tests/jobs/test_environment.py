"""Jobs see a stated list of the user's variables, and fixed values of others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.jobs import environment
from heliosynth.jobs.environment import INHERIT_VARIABLE, job_environment, shell_prefix
from helpers.hostile import hostile_environment, write_home

NAMES = st.sampled_from(
    ["PATH", "HOME", "TZ", "LC_ALL", "MPLBACKEND", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "X"]
) | st.text("ABC_%.", min_size=1)
SHELL = {"_", "SHLVL", "PWD", "OLDPWD"}
"""Variables that a shell sets."""
DUMP = "import json, os; print(json.dumps(dict(os.environ)))"
SCRIPT = f"""
{{early}}
from heliosynth.jobs.entry_point import one_line_errors

@one_line_errors
def main(argv=None):
    import sys
    assert sys.argv[1:] == ["--a b", "{{{{c}}}}"], sys.argv
    {DUMP}

if __name__ == "__main__":
    main()
"""


@given(st.dictionaries(NAMES, st.text("abc", max_size=3)))
def test_the_environment_of_a_job_is_that_of_its_jobs(inherited: dict[str, str]) -> None:
    once = job_environment(inherited)
    assert job_environment(once) == once


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "AWS_SECRET_ACCESS_KEY",
        "https_proxy", "HTTPS_PROXY", "TMPDIR", "HELIOSYNTH_TRACEBACK", "CONDA_PREFIX", "USER",
        "RANK", "MASTER_ADDR", "OMP_NUM_THREADS", "REQUESTS_CA_BUNDLE", "PYTHONNOUSERSITE",
    ],
)  # fmt: skip
def test_what_a_machine_needs_is_inherited(name: str) -> None:
    assert job_environment({name: "1"})[name] == "1"


def test_settings_of_a_user_are_not_inherited(tmp_path: Path) -> None:
    clean = job_environment({"PATH": "/bin"})
    hostile = job_environment(hostile_environment(tmp_path))
    assert {name: hostile.get(name) for name in clean if name != "PATH"} == {
        name: value for name, value in clean.items() if name != "PATH"
    }
    assert not [value for value in hostile.values() if str(tmp_path) in value]
    assert "NVIDIA_TF32_OVERRIDE" not in hostile


def test_the_shell_of_a_job_has_the_environment_of_jobs(tmp_path: Path) -> None:
    hostile = hostile_environment(write_home(tmp_path / "a {home}, it's"))
    expected = job_environment(hostile)
    prefix = shell_prefix(hostile).format()
    environment.prepare_shells(hostile)
    command = ["bash", "-c", f"{prefix} {sys.executable} -c '{DUMP}'"]
    run = subprocess.run(command, env=hostile, capture_output=True, text=True, check=True)
    seen = json.loads(run.stdout)
    of_snakemake = set(environment.THREADS)
    assert {n: v for n, v in seen.items() if n not in SHELL | of_snakemake} == {
        n: v for n, v in expected.items() if n not in SHELL | of_snakemake
    }
    assert run.stderr == ""


def run_script(path: Path, env: dict[str, str], early: str = "") -> dict[str, str]:
    path.write_text(SCRIPT.format(early=early))
    command = [sys.executable, str(path), "--a b", "{c}"]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    result: dict[str, str] = json.loads(run.stdout)
    return result


def test_a_script_started_by_hand_restarts_in_that_environment(tmp_path: Path) -> None:
    hostile = hostile_environment(write_home(tmp_path), python=False)
    seen = run_script(tmp_path / "script.py", hostile)
    assert seen.pop(environment.RESTARTED_VARIABLE)
    expected = job_environment(hostile)
    assert {**seen, "PATH": ""} == {**expected, "PATH": ""}
    assert Path(seen["HOME"]).is_dir()


def test_a_script_in_that_environment_does_not_restart(tmp_path: Path) -> None:
    seen = run_script(tmp_path / "script.py", job_environment({"PATH": os.environ["PATH"]}))
    assert environment.RESTARTED_VARIABLE not in seen


def test_what_a_library_sets_restarts_nothing(tmp_path: Path) -> None:
    early = "import os; os.environ['SET_BY_A_LIBRARY'] = '1'"
    inherited = job_environment({"PATH": os.environ["PATH"]})
    seen = run_script(tmp_path / "script.py", inherited, early)
    assert seen["SET_BY_A_LIBRARY"] == "1"
    assert environment.RESTARTED_VARIABLE not in seen


def test_a_script_restarts_at_most_once(tmp_path: Path) -> None:
    restarted = {**job_environment({}), environment.RESTARTED_VARIABLE: "1", "ADDED": "1"}
    assert run_script(tmp_path / "script.py", restarted)["ADDED"] == "1"


def test_a_script_keeps_its_environment_on_request(tmp_path: Path) -> None:
    hostile = hostile_environment(write_home(tmp_path), python=False)
    seen = run_script(tmp_path / "script.py", {**hostile, INHERIT_VARIABLE: "1"})
    assert seen["TZ"] == "Asia/Kolkata"


def test_the_entry_point_called_as_a_function_does_not_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from heliosynth.jobs.entry_point import one_line_errors

    monkeypatch.delenv(INHERIT_VARIABLE, raising=False)
    monkeypatch.setattr(os, "execve", lambda *args: pytest.fail("restarted"))
    called: list[bool] = []
    one_line_errors(lambda argv: called.append(True))([])
    assert called
