"""The training loop of every network: AdamW, EMA of the weights, validation, exact resume."""

from __future__ import annotations

import copy
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from heliosynth.arrays import Floats
from heliosynth.config.models import TrainingConfig
from heliosynth.diffusion.denoiser import Noise
from heliosynth.errors import InputError
from heliosynth.training.checkpoint import Checkpoint, CheckpointFolder, Counters, Tensors
from heliosynth.training.data import BatchOrder, ConditionedImages, step_count
from heliosynth.training.distributed import DistributedContext
from heliosynth.training.objective import Objective
from heliosynth.training.schedules import ema_decay_at, learning_rate, milestones

HISTORY_COLUMNS = ("images", "seconds", "train_loss", "val_loss", "learning_rate")
VALIDATION_SEED = 20230517
CHECK_EVERY = 20
"""Steps between checks that the loss is finite, and that no rank wants to stop."""

StopReason = Literal["planned length", "time budget", "deadline"]


@dataclass(frozen=True)
class TrainingResult:
    """The outcome of a training.

    Attributes
    ----------
    weights
        EMA of the weights at the lowest validation loss, or at the last step if there is no
        validation split; empty if a deadline came before the first validation.
    best_images, best_loss
        Images seen at those weights, and their validation loss.
    images, planned_images
        Images seen, and the planned number.
    seconds
        Training time, s.
    stop_reason
        Why the training stopped.
    history
        One row per validation, with :data:`HISTORY_COLUMNS`.
    """

    weights: Tensors
    best_images: int
    best_loss: float | None
    images: int
    planned_images: int
    seconds: float
    stop_reason: StopReason
    history: tuple[Mapping[str, float | None], ...]


@dataclass(eq=False)
class Trainer:
    """A training, which resumes from its last checkpoint if there is one.

    Attributes
    ----------
    objective
        On the device of ``distributed``; its weights are the initial ones.
    images, validation
        The training split and the validation split, on the same device; the latter can be empty.
    sampling_weights
        (N,) share of the draws of each training image.
    settings
        Length, optimiser, EMA.
    seed
        Seed of the order of the images and of all noise.
    checkpoints
        Where checkpoints are saved.
    distributed
        The ranks that share each batch.
    deadline
        When to save and stop though the training is not complete, s of ``time.monotonic``.
    """

    objective: Objective
    images: ConditionedImages
    sampling_weights: Floats
    validation: ConditionedImages
    settings: TrainingConfig
    seed: int
    checkpoints: CheckpointFolder
    distributed: DistributedContext = field(default_factory=DistributedContext)
    deadline: float = math.inf

    def __post_init__(self) -> None:
        settings = self.settings
        self.device = self.distributed.device
        self.order = BatchOrder(
            self.sampling_weights, settings.batch_size, settings.flips, self.seed
        )
        images = settings.images or (settings.epochs or 0) * len(self.images)
        self.planned_steps = step_count(images, settings.batch_size)
        self.validation_steps = milestones(self.planned_steps, settings.validations)
        self.checkpoint_steps = milestones(self.planned_steps, settings.checkpoints)
        self.ema = copy.deepcopy(self.objective).requires_grad_(False).eval()
        self.optimiser = torch.optim.AdamW(
            self.objective.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.ddp: nn.Module = self.objective
        self.steps_done = 0
        self.seconds = self.budget_seconds = 0.0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self.loss_steps = 0
        self.best: Tensors = {}
        self.best_step: int | None = None
        self.best_loss: float | None = None
        self.history: list[Mapping[str, float | None]] = []

    def fit(self) -> TrainingResult:
        """Train to the planned length, the time budget or the deadline.

        Raises
        ------
        InputError
            If the loss is not finite; the last good checkpoint is kept.
        """
        self.load()
        _compile(self.objective)
        self.ddp = self.distributed.wrap_ddp(self.objective)
        start, seconds, budget_seconds = time.monotonic(), self.seconds, self.budget_seconds
        with self._progress_bar() as bar:
            while self.steps_done < self.planned_steps:
                self.step()
                bar.update(self.settings.batch_size)
                elapsed = time.monotonic() - start
                self.seconds, self.budget_seconds = seconds + elapsed, budget_seconds + elapsed
                if self.steps_done in self.validation_steps:
                    self.validate()
                    bar.set_postfix_str(self._last_losses(), refresh=False)
                stop_reason = self._stop_reason()
                if stop_reason == "time budget":
                    self.budget_seconds = 0.0
                if stop_reason or self.steps_done in self.checkpoint_steps:
                    self.save()
                if stop_reason == "time budget":
                    # After the checkpoint, so that resuming is unaffected.
                    self.validate()
                if stop_reason:
                    return self._result(stop_reason)
        if self.distributed.is_main:
            self.checkpoints.finish()
        return self._result("planned length")

    def step(self) -> None:
        """Take one step of the optimiser and of the EMA."""
        index, flips = self.order(self.steps_done)
        local = self.distributed.local_slice(len(index))
        images, condition = self.images.batch(index[local], flips[local])
        noise = self._sample_noise(len(index), self.seed, self.steps_done, local)
        # Learning rate of this step.
        images_done = self.images_seen + self.settings.batch_size
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.settings, images_done, self.planned_images)
        # Forward pass.
        self.objective.train()
        with _autocast(self.device):
            loss: Tensor = self.ddp(images, condition, noise)
        # Backward pass; gradients are averaged over the ranks.
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        # Gradient clipping.
        norm = nn.utils.clip_grad_norm_(
            self.objective.parameters(), self.settings.gradient_clip or math.inf
        )
        # Optimiser.
        self.optimiser.step()
        self.steps_done += 1
        # EMA of the weights.
        self.update_ema()
        # 0 · norm is NaN if a gradient overflowed, which the loss would show one step later.
        self.loss_sum += loss.detach().double() + 0 * norm.double()
        self.loss_steps += 1
        if self.steps_done % CHECK_EVERY == 0 or self.steps_done in self.validation_steps:
            self._check_loss()

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the EMA towards the weights (Karras et al. 2024, section 3)."""
        decay = ema_decay_at(self.steps_done, self.settings.ema_decay)
        ema: list[Tensor] = list(self.ema.parameters())
        weights: list[Tensor] = list(self.objective.parameters())
        torch._foreach_lerp_(ema, weights, 1 - decay)
        for ema_buffer, buffer in zip(self.ema.buffers(), self.objective.buffers(), strict=True):
            ema_buffer.copy_(buffer)

    def validate(self) -> None:
        """Append a row to the history, and keep the EMA if it is the best so far."""
        if self.history and self.history[-1]["images"] == self.images_seen:
            return
        val_loss = self._validation_loss()
        self._average_loss_over_ranks()
        train_loss = float(self.loss_sum) / self.loss_steps if self.loss_steps else None
        rate = learning_rate(self.settings, self.images_seen, self.planned_images)
        row = (self.images_seen, round(self.seconds, 2), train_loss, val_loss, rate)
        self.history.append(dict(zip(HISTORY_COLUMNS, row, strict=True)))
        self.loss_sum.zero_()
        self.loss_steps = 0
        if val_loss is None or self.best_loss is None or val_loss < self.best_loss:
            self.best_step, self.best_loss = self.steps_done, val_loss
            self.best = {name: tensor.clone() for name, tensor in self.ema.state_dict().items()}

    def save(self) -> None:
        """Write a checkpoint."""
        self._check_loss()
        self._average_loss_over_ranks()
        if self.distributed.is_main:
            self.checkpoints.save(self.state_dict())

    def load(self) -> None:
        """Restore the last checkpoint, if there is one."""
        checkpoint = self.checkpoints.load()
        if checkpoint is not None:
            self.load_state_dict(checkpoint)

    def state_dict(self) -> Checkpoint:
        """Return everything that an exact resume needs."""
        counters = Counters(
            step=self.steps_done,
            seconds=self.seconds,
            spent=self.budget_seconds,
            loss_sum=float(self.loss_sum),
            loss_steps=self.loss_steps,
            best_step=self.best_step,
            best_loss=self.best_loss,
            history=tuple(self.history),
        )
        return Checkpoint(
            weights=self.objective.state_dict(),
            ema=self.ema.state_dict(),
            best=self.best,
            optimiser=self.optimiser.state_dict()["state"],
            counters=counters,
        )

    def load_state_dict(self, checkpoint: Checkpoint) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.objective.load_state_dict(checkpoint.weights)
        self.ema.load_state_dict(checkpoint.ema)
        param_groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict(
            {"state": checkpoint.optimiser, "param_groups": param_groups}
        )
        self.best = {name: tensor.to(self.device) for name, tensor in checkpoint.best.items()}
        counters = checkpoint.counters
        self.steps_done = counters.step
        self.seconds, self.budget_seconds = counters.seconds, counters.spent
        self.loss_sum.fill_(counters.loss_sum)
        self.loss_steps = counters.loss_steps
        self.best_step, self.best_loss = counters.best_step, counters.best_loss
        self.history = list(counters.history)

    @property
    def images_seen(self) -> int:
        """Training images seen so far, over all ranks."""
        return self.steps_done * self.settings.batch_size

    @property
    def planned_images(self) -> int:
        """Training images of the planned length."""
        return self.planned_steps * self.settings.batch_size

    def _stop_reason(self) -> StopReason | None:
        """Return why to stop before the planned length, if at all."""
        if self.steps_done == self.planned_steps:
            return None
        minutes = self.settings.time_budget_minutes
        if minutes is not None and self._any_rank(self.budget_seconds > minutes * 60):
            return "time budget"
        if self._any_rank(time.monotonic() > self.deadline):
            return "deadline"
        return None

    def _any_rank(self, flag: bool) -> bool:
        """Return whether a flag is set on any rank, synchronised every CHECK_EVERY steps."""
        if self.distributed.world_size == 1:
            return flag
        return self.steps_done % CHECK_EVERY == 0 and self.distributed.any(flag)

    def _sample_noise(self, count: int, seed: int, step: int, local: slice) -> Noise:
        """Draw the random numbers of a batch of ``count`` images; return those of this rank."""
        shape = torch.Size([count, *self.images.pixels.shape[1:]])
        noise = self.objective.sample_noise(shape, _generator(self.device, seed, step))
        return {name: values[local].to(self.device) for name, values in noise.items()}

    @torch.no_grad()
    def _validation_loss(self) -> float | None:
        """Compute the loss of the EMA, with the same noise each time; ranks share the batches."""
        size, count = self.settings.batch_size, len(self.validation)
        rank, world_size = self.distributed.rank, self.distributed.world_size
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for first in range(size * rank, count, size * world_size):
            index = np.arange(first, min(first + size, count))
            images, condition = self.validation.batch(index, np.zeros_like(index))
            noise = self._sample_noise(len(index), VALIDATION_SEED, first, slice(None))
            with _autocast(self.device):
                total += self.ema.loss(images, condition, noise).double() * len(index)
        total_over_ranks = float(self.distributed.mean(total)) * world_size
        return total_over_ranks / count if count else None

    def _average_loss_over_ranks(self) -> None:
        self.loss_sum = self.distributed.mean(self.loss_sum)

    def _check_loss(self) -> None:
        if not math.isfinite(float(self.loss_sum)):
            raise InputError(
                f"the training loss is not finite after {self.images_seen} images; lower "
                "training.learning_rate or set training.gradient_clip; "
                f"the last good checkpoint is in {self.checkpoints.path}"
            )

    def _progress_bar(self) -> tqdm[Any]:
        return tqdm(
            total=self.planned_images,
            initial=self.images_seen,
            unit=" images",
            mininterval=2,
            disable=not self.distributed.is_main,
        )

    def _last_losses(self) -> str:
        row = self.history[-1]
        names = ("train_loss", "val_loss")
        return ", ".join(f"{name} {row[name]:.4g}" for name in names if row[name])

    def _result(self, stop_reason: StopReason) -> TrainingResult:
        return TrainingResult(
            weights={name: tensor.cpu() for name, tensor in self.best.items()},
            best_images=(self.best_step or 0) * self.settings.batch_size,
            best_loss=self.best_loss,
            images=self.images_seen,
            planned_images=self.planned_images,
            seconds=self.seconds,
            stop_reason=stop_reason,
            history=tuple(self.history),
        )


def _generator(device: torch.device, seed: int, step: int) -> torch.Generator:
    """Return the generator of the noise of one step, and seed that of dropout."""
    noise, dropout = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64) >> 1
    torch.manual_seed(int(dropout))
    return torch.Generator(device).manual_seed(int(noise))


def _autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _compile(objective: Objective) -> None:
    on_gpu = any(parameter.is_cuda for parameter in objective.parameters())
    # Triton builds its launchers with the system's C compiler.
    if on_gpu and (shutil.which("cc") or shutil.which("gcc")):
        for module in objective.compiled_modules():
            module.compile()
