"""Distributed training of one model: one process (rank) per GPU.

Every rank holds all images, weights and optimiser states, and computes its slice of each batch;
DistributedDataParallel averages the gradients. So all ranks hold the same weights at every step,
and only the main rank prints and writes.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from heliosynth.errors import InputError
from heliosynth.jobs.cpu import configure
from heliosynth.jobs.launch import RENDEZVOUS_VARIABLE

CPU = torch.device("cpu")

BUFFER_SYNC = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)
"""The option that synchronises buffers; torch 2.14 renamed it and warns of the old name."""


@dataclass(frozen=True)
class DistributedContext:
    """The ranks of a training, and which one this process is.

    Attributes
    ----------
    rank
        Index of this process, from 0.
    world_size
        Number of processes.
    device
        Where this process computes.
    """

    rank: int = 0
    world_size: int = 1
    device: torch.device = CPU

    @property
    def is_main(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def local_slice(self, batch_size: int) -> slice:
        """Return the part of a batch that this rank computes.

        Raises
        ------
        InputError
            If the parts would not be equal, which the mean of the gradients assumes.
        """
        if batch_size % self.world_size:
            raise InputError(
                f"training.batch_size is {batch_size}, which {self.world_size} processes cannot "
                "share evenly; make it a multiple of training.gpus"
            )
        size = batch_size // self.world_size
        return slice(self.rank * size, (self.rank + 1) * size)

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over the ranks; every rank must call this."""
        if self.world_size == 1:
            return value
        total = value.clone()
        distributed.all_reduce(total)
        return total / self.world_size

    def any(self, flag: bool) -> bool:
        """Return whether a flag is set on any rank; every rank must call this."""
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def wrap_ddp(self, module: nn.Module) -> nn.Module:
        """Wrap a module so that its gradients are averaged over the ranks."""
        if self.world_size == 1:
            return module
        options: dict[str, Any] = {BUFFER_SYNC: False}
        return DistributedDataParallel(module, **options)


@contextmanager
def init(threads: int) -> Iterator[DistributedContext]:
    """Initialise torch.distributed; split CPU threads between ranks.

    A process that neither :mod:`heliosynth.jobs.launch` nor torchrun started is the only rank.

    Parameters
    ----------
    threads
        CPU threads of all ranks together.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    configure(threads // world_size)
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if on_gpu else CPU
    if on_gpu:
        torch.cuda.set_device(device)
    if world_size == 1:
        yield DistributedContext(device=device)
        return
    rank = int(os.environ["RANK"])
    distributed.init_process_group(
        backend="nccl" if on_gpu else "gloo",
        init_method=os.environ.get(RENDEZVOUS_VARIABLE),
        rank=rank,
        world_size=world_size,
    )
    try:
        yield DistributedContext(rank, world_size, device)
    finally:
        distributed.destroy_process_group()
