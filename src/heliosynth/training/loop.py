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

from heliosynth.config.schema import Training
from heliosynth.errors import InputError
from heliosynth.training.checkpoint import (
    Checkpoint,
    Counters,
    StateFolder,
    Tensors,
    flatten_optimiser,
    restore_optimiser,
)
from heliosynth.training.data import Draws, Images, steps_of

HISTORY_COLUMNS = ("images", "seconds", "train_loss", "val_loss", "learning_rate")
VALIDATION_SEED = 20230517
CHECK_EVERY = 20
"""Steps between looks at whether the loss is finite."""


class Objective(nn.Module):
    """What is trained: a module that gives a loss, and that says what is worth compiling."""

    def loss(
        self, images: torch.Tensor, condition: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Give the mean loss of a batch, a scalar."""
        raise NotImplementedError

    def trunks(self) -> Iterator[nn.Module]:
        """Give the submodules whose forward pass is compiled on a GPU."""
        yield from ()


@dataclass(frozen=True)
class Outcome:
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
        Why the training ended.
    history
        One row a validation, with :data:`HISTORY_COLUMNS`.
    """

    weights: Tensors
    kept_images: int
    kept_loss: float | None
    images: int
    planned_images: int
    seconds: float
    ended: Literal["planned length", "time budget"]
    history: tuple[Mapping[str, float | None], ...]


def train(
    objective: Objective,
    images: Images,
    draw_weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    validation: Images,
    settings: Training,
    seed: int,
    state: StateFolder,
) -> Outcome:
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

    Returns
    -------
    Outcome
        With the moving average of the weights (Karras et al. 2024, section 3).

    Raises
    ------
    InputError
        If the loss is no longer finite; the last good state stays.
    """
    run = _Run(objective, images, draw_weights, validation, settings, seed, state)
    began = time.monotonic()
    before = run.seconds
    budget = math.inf if settings.time_budget_minutes is None else settings.time_budget_minutes * 60
    size = settings.batch_size
    with tqdm(
        total=run.steps * size, initial=run.step * size, unit=" images", mininterval=2
    ) as bar:
        while run.step < run.steps:
            run.advance()
            bar.update(size)
            run.seconds = before + time.monotonic() - began
            if run.step in run.validations:
                run.validate()
                bar.set_postfix_str(run.last_losses(), refresh=False)
            over = time.monotonic() - began > budget and run.step < run.steps
            if over or run.step in run.checkpoints:
                state.write(run.checkpoint())
            if over:
                # After the state was kept, so that going on is as if nothing had stopped it.
                run.validate()
                return run.outcome("time budget")
    state.finish()
    return run.outcome("planned length")


def learning_rate(settings: Training, images: int, planned: int) -> float:
    """Give the learning rate after so many of the planned images.

    A linear warm-up over ``warmup_images``, times half a cosine down to 0 at the planned
    length where ``decay`` is ``cosine``.
    """
    rate = settings.learning_rate
    if settings.warmup_images:
        rate *= min(1.0, images / settings.warmup_images)
    if settings.decay == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, images / planned)))
    return rate


def average_decay(decay: float, step: int) -> float:
    """Give the decay of the moving average at a step (from 1), shorter at the start."""
    return min(decay, (1 + step) / (10 + step))


def milestones(steps: int, times: int) -> frozenset[int]:
    """Spread events evenly over the steps; the last step is always one."""
    return frozenset(max(1, round(steps * k / times)) for k in range(1, times + 1))


class _Run:
    """A training under way."""

    def __init__(
        self,
        objective: Objective,
        images: Images,
        draw_weights: np.ndarray[tuple[int], np.dtype[np.float64]],
        validation: Images,
        settings: Training,
        seed: int,
        state: StateFolder,
    ) -> None:
        self.objective, self.images, self.validation = objective, images, validation
        self.settings, self.seed, self.state = settings, seed, state
        self.device = images.pixels.device
        self.draws = Draws(draw_weights, settings.batch_size, settings.flips, seed)
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
        self.step, self.seconds = 0, 0.0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self.loss_steps = 0
        self.best: Tensors = {}
        self.best_step: int | None = None
        self.best_loss: float | None = None
        self.history: list[Mapping[str, float | None]] = []
        self._resume()
        _compile(objective)

    @property
    def seen(self) -> int:
        return self.step * self.settings.batch_size

    def advance(self) -> None:
        """Take one step of the optimiser and of the moving average."""
        settings = self.settings
        pixels, condition = self.images.batch(*self.draws(self.step))
        generator = _generator(self.device, self.seed, self.step)
        rate = learning_rate(settings, self.seen + settings.batch_size, self._planned)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.objective.train()
        with _autocast(self.device):
            loss = self.objective.loss(pixels, condition, generator)
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

    def checkpoint(self) -> Checkpoint:
        self._check()
        counters = Counters(
            step=self.step,
            seconds=self.seconds,
            loss_sum=float(self.loss_sum),
            loss_steps=self.loss_steps,
            best_step=self.best_step,
            best_loss=self.best_loss,
            history=tuple(self.history),
        )
        weights, average = self.objective.state_dict(), self.average.state_dict()
        return Checkpoint(weights, average, self.best, flatten_optimiser(self.optimiser), counters)

    def outcome(self, ended: Literal["planned length", "time budget"]) -> Outcome:
        return Outcome(
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
        self.step, self.seconds = counters.step, counters.seconds
        self.loss_sum.fill_(counters.loss_sum)
        self.loss_steps = counters.loss_steps
        self.best_step, self.best_loss = counters.best_step, counters.best_loss
        self.history = list(counters.history)

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
        total, size = 0.0, self.settings.batch_size
        for first in range(0, len(self.validation), size):
            rows = np.arange(first, min(first + size, len(self.validation)))
            pixels, condition = self.validation.batch(rows, np.zeros_like(rows))
            generator = _generator(self.device, VALIDATION_SEED, first)
            with _autocast(self.device):
                total += float(self.average.loss(pixels, condition, generator)) * len(rows)
        return total / len(self.validation) if len(self.validation) else None

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
