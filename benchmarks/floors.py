"""Lower limits of the time of a computation on this machine: arithmetic and memory traffic."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
RUNS = 5
Shape = torch.Size
ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


@dataclass(frozen=True)
class TimeLimits:
    """The measured time of a computation and its lower limits.

    Attributes
    ----------
    title
        Name of the computation.
    seconds
        Median of the measured times, s.
    arithmetic_s
        Time of its floating point operations at the rate of a large matrix product, s.
    bytes_s
        Time to read and write the inputs and outputs of its unfused operations at the rate of a
        large copy, s.
    """

    title: str
    seconds: float
    arithmetic_s: float
    bytes_s: float

    def row(self) -> str:
        """Return a row of a Markdown table."""
        return (
            f"| {self.title} | {self.seconds:.3f} s | {self.arithmetic_s:.3f} s "
            f"({100 * self.arithmetic_s / self.seconds:.0f} %) | {self.bytes_s:.3f} s "
            f"({100 * self.bytes_s / self.seconds:.0f} %) |"
        )


class _ByteCounter(TorchDispatchMode):
    """Count the bytes of the inputs and outputs of operations."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        # Views and reshapes move nothing.
        if not func.is_view:
            tensors = (t for t in tree_leaves((args, result)) if isinstance(t, torch.Tensor))
            self.total += sum(t.numel() * t.element_size() for t in tensors)
        return result


def count(title: str, step: Callable[[], None]) -> TimeLimits:
    """Time a computation, and count its operations and bytes."""
    step()
    with flop_counter() as operations:
        step()
    with _ByteCounter() as moved:
        step()
    seconds = _median_seconds(step)
    return TimeLimits(
        title,
        seconds,
        operations.get_total_flops() / flops_per_second(),
        moved.total / bytes_per_second(),
    )


def flop_counter() -> FlopCounterMode:
    """Return a counter of operations that includes attention on CPUs."""
    return FlopCounterMode(
        display=False,
        custom_mapping={ATTENTION: _attention_flops, ATTENTION_BACKWARD: _attention_backward_flops},
    )


def _attention_flops(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward_flops(
    grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any
) -> int:
    return sdpa_backward_flop_count(grad, query, key, value)


@cache
def flops_per_second() -> float:
    """Return the measured rate of a large matrix product, in the data type of training."""
    size, kind = (8192, torch.bfloat16) if DEVICE.type == "cuda" else (2048, torch.float32)
    a, b = (torch.randn(size, size, device=DEVICE, dtype=kind) for _ in range(2))
    return 2 * size**3 / _median_seconds(lambda: a @ b)


@cache
def bytes_per_second() -> float:
    """Return the measured rate of a copy larger than the caches: bytes read and written."""
    values = torch.ones(2**28 if DEVICE.type == "cuda" else 2**26, device=DEVICE)
    copied = torch.empty_like(values)
    return 2 * values.nbytes / _median_seconds(lambda: copied.copy_(values))


def text() -> str:
    """Return the measured peak rates as a sentence."""
    return (
        f"The machine's peak, measured: {flops_per_second() / 1e9:.0f} GFLOP/s in a large matrix "
        f"product, {bytes_per_second() / 1e9:.0f} GB/s in a large copy."
    )


def _median_seconds(step: Callable[[], object]) -> float:
    seconds = []
    for run in range(RUNS + 1):
        start = time.perf_counter()
        step()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        if run > 0:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    if not math.isfinite(median):
        raise ValueError("the measured times are not finite")
    return median
