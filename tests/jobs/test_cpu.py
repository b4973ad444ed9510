"""Threads and memory of a process that computes."""

import ctypes
import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, resource, sys
import torch
from heliosynth.jobs.cpu import configure

configure(int(sys.argv[1])) if sys.argv[1] != "0" else None
def use():
    return float(torch.ones(2**23).sum())
for _ in range(10):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(json.dumps([after - before, torch.get_num_threads()]))
"""


def faults_and_threads(threads: int) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(threads)], capture_output=True, text=True, check=True
    )
    found: list[int] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no mallopt in this libc")
def test_tensors_of_a_size_take_the_same_memory_again() -> None:
    as_it_comes, kept = faults_and_threads(0)[0], faults_and_threads(1)[0]
    # Ten tensors of 32 MB are 82,000 pages, or 160 of the largest kind.
    assert as_it_comes > 150
    assert kept < as_it_comes / 10


def test_the_threads_are_those_asked_for_and_one_at_least() -> None:
    assert faults_and_threads(1)[1] == 1
    assert faults_and_threads(2)[1] == 2
    assert faults_and_threads(-1)[1] == 1
