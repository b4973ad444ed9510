"""Options of Snakemake that set the configuration: taken as meant, or refused with the remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

from heliosynth.config.loading import ConfigurationError
from heliosynth.workflow.command_line import check, prepare


@pytest.mark.parametrize(
    ("arguments", "prepared"),
    [
        ("--cores 2", "--cores 2"),
        ("-n figures --config seed=3", "-n figures --config seed=3"),
        ("--config seed=3 -- figures", "--config seed=3 -- figures"),
        ("--config=seed=3 -n", "-n --config seed=3"),
        ("-C seed=3 -n", "-n --config seed=3"),
        ("--config seed=3 -n --config run=a", "-n --config seed=3 run=a"),
        (
            "--config dataset.image_size_px=64",
            '--config dataset={"image_size_px":"64"}',
        ),
        (
            "--config dataset.split.test=null models={ddpm_cevae:null}",
            '--config dataset={"split":{"test":"null"}} models={ddpm_cevae:null}',
        ),
        ("--forcerun train --config seed=3", "--forcerun train --config seed=3"),
    ],
)
def test_arguments_are_prepared_for_snakemake(arguments: str, prepared: str) -> None:
    result = [argument.replace(": ", ":") for argument in prepare(arguments.split())]
    assert result == prepared.split()


def test_configuration_files_keep_their_order(tmp_path: Path) -> None:
    first, second, third = (str(tmp_path / name) for name in "abc")
    for path in (first, second, third):
        Path(path).write_text("seed: 3\n")
    arguments = ["--configfile", first, second, "-n", f"--configfile={third}", "--config", "run=x"]
    expected = ["-n", "--configfile", first, second, third, "--config", "run=x"]
    assert prepare(arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--config", "seed=3", "figures"], ["figures", "target", "-- figures"]),
        (["--config", "seed", "=", "3"], ["seed: is not KEY=VALUE"]),
        (["--config", "=3"], ["is not a key"]),
        (["--config", "a b=3"], ["is not a key"]),
        (["--config", "dataset..x=3"], ["is not a key"]),
        (["--config", "models={a: "], ["not valid YAML"]),
        (["--config", "run=0012"], ["read as the number 12", "run=\"'0012'\""]),
        (["--config", "run=1_000"], ["read as the number 1000"]),
        (["--configfile", "no/such.yaml"], ["no/such.yaml: no such file"]),
        (["--configfile", "."], [".: is a folder"]),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(arguments: list[str], parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        prepare(arguments)
    assert [part for part in parts if part not in str(caught.value)] == []
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("option", ["--config", "--configfile"])
def test_an_option_of_which_the_last_would_win_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option}: given twice"):
        check([option, "a=b", "-n", option, "c=d"])
    check([option, "a=b", "c=d", "-n"])


def test_the_entry_point_prints_one_line() -> None:
    command = [sys.executable, "-m", "heliosynth.workflow", "--config", "seed=3", "figures"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: --config figures: is not KEY=VALUE")
