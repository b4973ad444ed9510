"""Time inside sync calls in a run of the pipeline: ``python -m benchmarks.syncs``.

Runs the tiny configuration under ``strace``, which must be installed, in a temporary copy of the
project in the current folder, and prints the share of sync calls in the wall time of the rules.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "config.yaml", "config", "envs", "paper", "profiles", "src", "workflow")
CONFIGURATION = "tests/workflow/tiny.yaml"
CALLS = ("fsync", "fdatasync", "syncfs", "sync_file_range")
_SECONDS = re.compile(rf"\b(?:{'|'.join(CALLS)})\b.*<(\d+\.\d+)>$")


def main() -> None:
    """Print number and time of all sync calls, and their share of the rules' wall time.

    Raises
    ------
    RuntimeError
        If the run fails.
    """
    with tempfile.TemporaryDirectory(prefix="syncs-", dir=Path.cwd()) as folder:
        calls, wall_s = measure(Path(folder), sys.argv[1:])
    print(
        f"{len(calls)} sync calls took {sum(calls):.2f} s of {wall_s:.1f} s of wall time of the "
        f"rules, {100 * sum(calls) / wall_s:.2f} %"
    )


def measure(folder: Path, targets: list[str]) -> tuple[list[float], float]:
    """Run the tiny configuration; return the seconds of each sync call, and the rules' wall time.

    Targets are products to make; without any, the whole run.
    """
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, folder / part)
    shutil.copy2(ROOT / CONFIGURATION, folder / "config")
    trace = folder / "trace"
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-T", "-e", f"trace={','.join(CALLS)}"]
    run = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *targets]
    run += ["--configfile", "config/tiny.yaml"]
    done = subprocess.run(
        [*strace, "-o", str(trace), *run], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the tiny run failed: {done.stderr[-2000:]}")
    lines = trace.read_text(encoding="utf-8").splitlines()
    calls = [float(match[1]) for line in lines if (match := _SECONDS.search(line))]
    return calls, sum(map(_wall_s, folder.glob("results/*/benchmarks/*.tsv")))


def _wall_s(table: Path) -> float:
    with table.open(newline="", encoding="utf-8") as stream:
        return sum(float(row["s"]) for row in csv.DictReader(stream, delimiter="\t"))


if __name__ == "__main__":
    main()
