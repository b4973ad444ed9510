"""Threads and reuse of memory in a process that computes."""

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


def faults_and_threads(threads: int) -> tuple[int, int]:
    """Return page faults while ten tensors are made and freed, and the CPU threads."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(threads)], capture_output=True, text=True, check=True
    )
    faults, count = json.loads(result.stdout)
    return faults, count


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no mallopt in this libc")
def test_freed_memory_is_reused_for_the_next_tensor() -> None:
    default, configured = faults_and_threads(0)[0], faults_and_threads(1)[0]
    # Ten tensors of 32 MB are 82,000 pages, or 160 of the largest kind.
    assert default > 150
    assert configured < default / 10


@pytest.mark.parametrize(("requested", "expected"), [(1, 1), (2, 2), (-1, 1)])
def test_threads_are_as_requested_but_at_least_one(requested: int, expected: int) -> None:
    assert faults_and_threads(requested)[1] == expected
