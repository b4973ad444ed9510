"""Threads and reuse of memory in a process that computes."""

import ctypes
import json
import subprocess
import sys
from typing import NamedTuple

import pytest

SCRIPT = """
import json, resource
import torch
from heliosynth.jobs.cpu import configure

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        float(torch.ones(2**23).sum())
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
default, threads = faults(), []
for number in (1, 2, -1):
    configure(number)
    threads.append(torch.get_num_threads())
faults()
print(json.dumps([default, faults(), threads]))
"""


class Measured(NamedTuple):
    """Page faults while ten tensors are made and freed, by default and after ``configure``.

    ``threads`` are the CPU threads after each of the requests for 1, 2 and -1.
    """

    default: int
    configured: int
    threads: list[int]


@pytest.fixture(scope="module")
def measured() -> Measured:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    return Measured(*json.loads(result.stdout))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no mallopt in this libc")
def test_freed_memory_is_reused_for_the_next_tensor(measured: Measured) -> None:
    # Ten tensors of 32 MB are 82,000 pages, or 160 of the largest kind.
    assert measured.default > 150
    assert measured.configured < measured.default / 10


def test_threads_are_as_requested_but_at_least_one(measured: Measured) -> None:
    assert measured.threads == [1, 2, 1]
