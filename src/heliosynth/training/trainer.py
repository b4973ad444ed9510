"""The one training loop: AdamW, a moving average of the weights, validation, exact resume."""

from __future__ import annotations

import copy
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from heliosynth.config.models import TrainingConfig
from heliosynth.diffusion.denoiser import Noise
from heliosynth.errors import InputError
from heliosynth.training.checkpoint import (
    Checkpoint,
    Counters,
    StateFolder,
    Tensors,
    flatten_optimiser,
    restore_optimiser,
)
from heliosynth.training.data import BatchOrder, Images, steps_of
from heliosynth.training.distributed import Processes
from heliosynth.training.schedules import average_decay, learning_rate, milestones

HISTORY_COLUMNS = ("images", "seconds", "train_loss", "val_loss", "learning_rate")
VALIDATION_SEED = 20230517
CHECK_EVERY = 20
"""Steps between looks at whether the loss is finite."""

StopReason = Literal["planned length", "time budget", "deadline"]


class Objective(nn.Module):
    """What is trained: a module that gives a loss, and that says what is worth compiling.

    What the loss of a batch is random in is drawn apart from it, for the batch as a whole, so
    that a batch may be shared between processes and stays the same batch.
    """

    def draw(self, shape: torch.Size, generator: torch.Generator) -> Noise:
        """Draw the random numbers of a batch of images of a shape (N, 1, H, W): (N, …) each."""
        raise NotImplementedError

    def loss(self, images: torch.Tensor, condition: torch.Tensor, drawn: Noise) -> torch.Tensor:
        """Give the loss of a batch, a scalar, which is a mean over its images."""
        raise NotImplementedError

    def forward(self, images: torch.Tensor, condition: torch.Tensor, drawn: Noise) -> torch.Tensor:
        """Give the loss."""
        return self.loss(images, condition, drawn)

    def trunks(self) -> Iterator[nn.Module]:
        """Give the submodules whose forward pass is compiled on a GPU."""
        yield from ()


@dataclass(frozen=True)
class TrainingResult:
    """What a training gives.

    Attributes
    ----------
    weights
        Moving average of the weights at ``kept_images``.
    kept_images
        Images seen when the kept weights were reached: those with the lowest validation loss,
        or the last ones where there is no validation split.
    images, planned_images
        Images seen, and those of the planned length.
    ended
        Why the training ended. At a deadline the weights are those so far, if any.
    history
        One row a validation, with :data:`HISTORY_COLUMNS`.
    """

    weights: Tensors
    kept_images: int
    kept_loss: float | None
    images: int
    planned_images: int
    seconds: float
    ended: StopReason
    history: tuple[Mapping[str, float | None], ...]


def train(
    objective: Objective,
    images: Images,
    draw_weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    validation: Images,
    settings: TrainingConfig,
    seed: int,
    state: StateFolder,
    processes: Processes | None = None,
    deadline: float = math.inf,
) -> TrainingResult:
    """Train an objective, from its last state where there is one.

    Parameters
    ----------
    objective
        On the device of the images; its weights are the start.
    images, draw_weights
        The training split and the share of the draws that each image has.
    validation
        The validation split; may be empty.
    settings
        Length, optimiser, moving average.
    seed
        Seed of the order of the images and of all noise.
    state
        Where checkpoints are kept.
    processes
        Those that share each batch; this one alone if None.
    deadline
        When to keep the state and stop though the training is not done, s of
        ``time.monotonic``.

    Returns
    -------
    TrainingResult
        With the moving average of the weights (Karras et al. 2024, section 3).

    Raises
    ------
    InputError
        If the loss is no longer finite; the last good state stays.
    """
    processes = processes or Processes(device=images.pixels.device)
    run = _Run(objective, images, draw_weights, validation, settings, seed, state, processes)
    began = time.monotonic()
    before, spent_before = run.seconds, run.spent
    budget = math.inf if settings.time_budget_minutes is None else settings.time_budget_minutes * 60
    size = settings.batch_size
    with tqdm(
        total=run.steps * size,
        initial=run.step * size,
        unit=" images",
        mininterval=2,
        disable=not processes.first,
    ) as bar:
        while run.step < run.steps:
            run.advance()
            bar.update(size)
            passed = time.monotonic() - began
            run.seconds, run.spent = before + passed, spent_before + passed
            if run.step in run.validations:
                run.validate()
                bar.set_postfix_str(run.last_losses(), refresh=False)
            over = run.agreed(run.spent > budget) and run.step < run.steps
            late = run.agreed(time.monotonic() > deadline) and run.step < run.steps
            if over:
                run.spent = 0.0
            if over or late or run.step in run.checkpoints:
                run.keep()
            if over:
                # After the state was kept, so that going on is as if nothing had stopped it.
                run.validate()
                return run.outcome("time budget")
            if late:
                return run.outcome("deadline")
    if processes.first:
        state.finish()
    return run.outcome("planned length")


class _Run:
    """A training under way."""

    def __init__(
        self,
        objective: Objective,
        images: Images,
        draw_weights: np.ndarray[tuple[int], np.dtype[np.float64]],
        validation: Images,
        settings: TrainingConfig,
        seed: int,
        state: StateFolder,
        processes: Processes,
    ) -> None:
        self.objective, self.images, self.validation = objective, images, validation
        self.settings, self.seed, self.state = settings, seed, state
        self.device, self.processes = images.pixels.device, processes
        self.draws = BatchOrder(draw_weights, settings.batch_size, settings.flips, seed)
        planned = settings.images or (settings.epochs or 0) * len(images)
        self.steps = steps_of(planned, settings.batch_size)
        self.validations = milestones(self.steps, settings.validations)
        self.checkpoints = milestones(self.steps, settings.checkpoints)
        self.average = copy.deepcopy(objective).requires_grad_(False).eval()
        self.optimiser = torch.optim.AdamW(
            objective.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.step, self.seconds, self.spent = 0, 0.0, 0.0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self.loss_steps = 0
        self.best: Tensors = {}
        self.best_step: int | None = None
        self.best_loss: float | None = None
        self.history: list[Mapping[str, float | None]] = []
        self._resume()
        _compile(objective)
        self.shared = processes.together(objective)

    @property
    def seen(self) -> int:
        return self.step * self.settings.batch_size

    def advance(self) -> None:
        """Take one step of the optimiser and of the moving average."""
        settings = self.settings
        rows, flips = self.draws(self.step)
        mine = self.processes.share(len(rows))
        pixels, condition = self.images.batch(rows[mine], flips[mine])
        drawn = self._drawn(len(rows), self.seed, self.step, mine)
        rate = learning_rate(settings, self.seen + settings.batch_size, self._planned)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.objective.train()
        with _autocast(self.device):
            loss: torch.Tensor = self.shared(pixels, condition, drawn)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(
            self.objective.parameters(), settings.gradient_clip or math.inf
        )
        self.optimiser.step()
        self.step += 1
        self._follow()
        # 0 · norm is NaN where a gradient overflowed, which the loss would show a step late.
        self.loss_sum += loss.detach().double() + 0 * norm.double()
        self.loss_steps += 1
        if self.step % CHECK_EVERY == 0 or self.step in self.validations:
            self._check()

    def validate(self) -> None:
        """Add a row to the history, and hold the weights if they are the best so far."""
        if self.history and self.history[-1]["images"] == self.seen:
            return
        value = self._validation_loss()
        self._pool_losses()
        mean = float(self.loss_sum) / self.loss_steps if self.loss_steps else None
        rate = learning_rate(self.settings, self.seen, self._planned)
        row = (self.seen, round(self.seconds, 2), mean, value, rate)
        self.history.append(dict(zip(HISTORY_COLUMNS, row, strict=True)))
        self.loss_sum.zero_()
        self.loss_steps = 0
        if value is None or self.best_loss is None or value < self.best_loss:
            self.best_step, self.best_loss = self.step, value
            self.best = {k: v.clone() for k, v in self.average.state_dict().items()}

    def last_losses(self) -> str:
        row = self.history[-1]
        return ", ".join(
            f"{name} {row[name]:.4g}" for name in ("train_loss", "val_loss") if row[name]
        )

    def agreed(self, over: bool) -> bool:
        """Tell whether to stop: all processes at the same step, asked for once in a while."""
        if self.processes.count == 1:
            return over
        return self.step % CHECK_EVERY == 0 and self.processes.any(over)

    def keep(self) -> None:
        """Write the state."""
        self._check()
        self._pool_losses()
        if self.processes.first:
            self.state.write(self.checkpoint())

    def checkpoint(self) -> Checkpoint:
        counters = Counters(
            step=self.step,
            seconds=self.seconds,
            spent=self.spent,
            loss_sum=float(self.loss_sum),
            loss_steps=self.loss_steps,
            best_step=self.best_step,
            best_loss=self.best_loss,
            history=tuple(self.history),
        )
        weights, average = self.objective.state_dict(), self.average.state_dict()
        return Checkpoint(weights, average, self.best, flatten_optimiser(self.optimiser), counters)

    def outcome(self, ended: StopReason) -> TrainingResult:
        return TrainingResult(
            weights={name: tensor.cpu() for name, tensor in self.best.items()},
            kept_images=(self.best_step or 0) * self.settings.batch_size,
            kept_loss=self.best_loss,
            images=self.seen,
            planned_images=self._planned,
            seconds=self.seconds,
            ended=ended,
            history=tuple(self.history),
        )

    @property
    def _planned(self) -> int:
        return self.steps * self.settings.batch_size

    def _resume(self) -> None:
        checkpoint = self.state.read()
        if checkpoint is None:
            return
        self.objective.load_state_dict(checkpoint.weights)
        self.average.load_state_dict(checkpoint.average)
        restore_optimiser(self.optimiser, checkpoint.optimiser)
        self.best = {k: v.to(self.device) for k, v in checkpoint.best.items()}
        counters = checkpoint.counters
        self.step, self.seconds, self.spent = counters.step, counters.seconds, counters.spent
        self.loss_sum.fill_(counters.loss_sum)
        self.loss_steps = counters.loss_steps
        self.best_step, self.best_loss = counters.best_step, counters.best_loss
        self.history = list(counters.history)

    def _drawn(self, count: int, seed: int, step: int, mine: slice) -> Noise:
        """Draw the random numbers of a batch, and give those of this process's share."""
        shape = torch.Size([count, *self.images.pixels.shape[1:]])
        drawn = self.objective.draw(shape, _generator(self.device, seed, step))
        return {name: values[mine].to(self.device) for name, values in drawn.items()}

    def _pool_losses(self) -> None:
        self.loss_sum = self.processes.mean(self.loss_sum)

    @torch.no_grad()
    def _follow(self) -> None:
        decay = average_decay(self.settings.ema_decay, self.step)
        averages: list[torch.Tensor] = list(self.average.parameters())
        weights: list[torch.Tensor] = list(self.objective.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        buffers = zip(self.average.buffers(), self.objective.buffers(), strict=True)
        for average, buffer in buffers:
            average.copy_(buffer)

    @torch.no_grad()
    def _validation_loss(self) -> float | None:
        """Give the loss of the averaged weights, with the same noise each time."""
        size, count = self.settings.batch_size, len(self.validation)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for first in range(size * self.processes.rank, count, size * self.processes.count):
            rows = np.arange(first, min(first + size, count))
            pixels, condition = self.validation.batch(rows, np.zeros_like(rows))
            drawn = self._drawn(len(rows), VALIDATION_SEED, first, slice(None))
            with _autocast(self.device):
                total += self.average.loss(pixels, condition, drawn).double() * len(rows)
        pooled = float(self.processes.mean(total)) * self.processes.count
        return pooled / count if count else None

    def _check(self) -> None:
        if not math.isfinite(float(self.loss_sum)):
            raise InputError(
                f"the training loss is no longer finite after {self.seen} images: lower "
                "training.learning_rate or set training.gradient_clip; "
                f"the last good state is in {self.state.path}"
            )


def _generator(device: torch.device, seed: int, step: int) -> torch.Generator:
    """Seed the noise of one step, and dropout with it."""
    own, dropout = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64) >> 1
    torch.manual_seed(int(dropout))
    return torch.Generator(device).manual_seed(int(own))


def _autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _compile(objective: Objective) -> None:
    on_gpu = any(parameter.is_cuda for parameter in objective.parameters())
    # Triton builds its launchers with the system's C compiler.
    if on_gpu and (shutil.which("cc") or shutil.which("gcc")):
        for trunk in objective.trunks():
            trunk.compile()
