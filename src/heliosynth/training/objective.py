"""The interface of what the trainer minimises."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from heliosynth.diffusion.denoiser import Noise


class Objective(nn.Module):
    """What is trained: a module with a loss.

    Random numbers are drawn outside ``loss()``, for the whole batch, so that a batch that is
    divided between ranks stays the same batch.
    """

    def sample_noise(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw the random numbers of a batch of images (N, 1, H, W), each (N, …)."""
        raise NotImplementedError

    def loss(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Compute the loss of a batch, a scalar, the mean over its images.

        Parameters
        ----------
        images
            (N, 1, H, W) in [−1, 1].
        condition
            (N, D).
        noise
            From :meth:`sample_noise`.
        """
        raise NotImplementedError

    def forward(self, images: Tensor, condition: Tensor, noise: Noise) -> Tensor:
        """Compute the loss; DistributedDataParallel hooks into this call."""
        return self.loss(images, condition, noise)

    def compiled_modules(self) -> Iterator[nn.Module]:
        """Yield the submodules whose forward pass is compiled on a GPU."""
        yield from ()
