"""The processes that train one model together, one on each GPU, started by torchrun.

Every process holds all images, weights and states, and takes its share of each batch; the
gradients are averaged by DistributedDataParallel. So all of them hold the same weights at
every step, and the first speaks and writes for all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from heliosynth.errors import InputError
from heliosynth.jobs.cpu import configure

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """How many processes there are, and which one this is.

    Attributes
    ----------
    rank
        Number of this process, from 0.
    count
        Number of processes.
    device
        Where this one computes.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        """Whether this is the process that speaks and writes."""
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """Give the part of a batch that is this process's.

        Raises
        ------
        InputError
            If the batch cannot be shared evenly, which the mean of the gradients rests on.
        """
        if batch_size % self.count:
            raise InputError(
                f"training.batch_size is {batch_size}, which {self.count} processes cannot share "
                "evenly; make it a multiple of training.gpus"
            )
        size = batch_size // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Give the mean of a tensor over the processes; all must ask."""
        if self.count == 1:
            return value
        total = value.clone()
        distributed.all_reduce(total)
        return total / self.count

    def any(self, flag: bool) -> bool:
        """Tell whether any process says so; all must ask."""
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def together(self, module: nn.Module) -> nn.Module:
        """Wrap a module so that its gradients are the mean over the processes."""
        if self.count == 1:
            return module
        return DistributedDataParallel(module, broadcast_buffers=False)


@contextmanager
def init(threads: int) -> Iterator[Processes]:
    """Join the processes that torchrun started, and share some CPU threads with them.

    The process is alone where torchrun started none.
    """
    count, place = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    configure(threads // count)
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", place) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(device=device)
        return
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(distributed.get_rank(), count, device)
    finally:
        distributed.destroy_process_group()
