"""Diagram of the denoising network."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from pydantic import TypeAdapter

from heliosynth.config.models import ConditionConfig, NetworkConfig
from heliosynth.figures import style
from heliosynth.models import network_stages
from heliosynth.models.stages import Stage, UnetStages
from heliosynth.results.run import Run

CONVOLUTION = "#DCE6F2"
ATTENTION = "#FBE0C3"
CONDITION = "#D9EFE4"
WIDTH, HEIGHT = 1.25, 0.62
"""Size of a stage, in units of the diagram; levels are one unit apart."""

Point = tuple[float, float]


def unet(run: Run) -> Figure:
    """Draw the network of the model that the paper describes."""
    model = run.json(f"models/{run.presentation.described_model}/config.json")
    size = int(model["image_size_px"])
    network: NetworkConfig = TypeAdapter(NetworkConfig).validate_python(model["row"]["network"])
    condition: ConditionConfig = TypeAdapter(ConditionConfig).validate_python(
        model["row"]["condition"]
    )
    stages = network_stages(network, size)
    levels = len(stages.down)
    figure = style.canvas(style.PAGE_IN, 0.58 * (levels + 1) + 0.5)
    axes = figure.subplots()
    axes.set_axis_off()
    for level, (left, right) in enumerate(zip(stages.down, reversed(stages.up), strict=True)):
        x, y = _centre(level)
        _stage(axes, (x, y), left)
        _stage(axes, (-x, y), right)
        _arrow(axes, (x + WIDTH / 2 + 0.04, y), (-x - WIDTH / 2 - 0.04, y), skip=True)
        # The bottom stage is in the middle, further from the last level than levels are apart.
        out, into = (x + 0.23, x + 0.39) if level + 1 < levels else (x + 0.4, -0.4)
        above, below = y - HEIGHT / 2 - 0.03, y - 1 + HEIGHT / 2 + 0.03
        _arrow(axes, (out, above), (into, below))
        _arrow(axes, (-into, below), (-out, above))
    _stage(axes, (0.0, -float(levels)), stages.bottom)
    _ends(axes, stages, size)
    _condition(axes, condition, network.embedding_dim)
    _legend(axes)
    axes.set_xlim(-5.55, 5.55)
    axes.set_ylim(-levels - 0.42, 1.35)
    return figure


def _centre(level: int) -> Point:
    """Return the centre of a stage on the way down; the way up is its mirror image."""
    return 0.62 * level - 2.7, -float(level)


def _stage(axes: Axes, centre: Point, stage: Stage) -> None:
    text = f"{stage.channels} × {stage.size_px} × {stage.size_px}\n{stage.layers}"
    _box(axes, centre, text, ATTENTION if stage.attention else CONVOLUTION)


def _box(axes: Axes, centre: Point, text: str, colour: str, width: float = WIDTH) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (centre[0] - width / 2, centre[1] - HEIGHT / 2),
            width,
            HEIGHT,
            boxstyle="round,pad=0.02,rounding_size=0.06",
            facecolor=colour,
            edgecolor=style.INK,
            linewidth=0.6,
        )
    )
    axes.text(*centre, text, ha="center", va="center", fontsize=6, linespacing=1.35)


def _arrow(axes: Axes, start: Point, end: Point, skip: bool = False) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=6,
            shrinkA=0,
            shrinkB=0,
            color=style.MUTED if skip else style.INK,
            linewidth=0.7,
            linestyle="--" if skip else "-",
        )
    )


def _ends(axes: Axes, stages: UnetStages, size: int) -> None:
    """Draw the input to the left of the first stage and the output to the right of the last."""
    x, y = _centre(0)
    edge = WIDTH / 2 + 0.04
    for sign, text, layer in ((1, "noisy image", stages.stem), (-1, "network output", stages.head)):
        outer = sign * (x - 2.15)
        axes.text(outer, y, f"{text}\n1 × {size} × {size}", ha="center", va="center", fontsize=6)
        outside, inside = (outer + sign * 0.62, y), (sign * (x - edge), y)
        _arrow(axes, *((outside, inside) if sign > 0 else (inside, outside)))
        axes.text(
            sign * (x - 1.1), y + 0.1, layer, ha="center", va="bottom", fontsize=5.5,
            color=style.MUTED,
        )  # fmt: skip


def _condition(axes: Axes, condition: ConditionConfig, embedding_dim: int) -> None:
    text = (
        f"noise level and {condition.title}:\n"
        f"an embedding of {embedding_dim} numbers, an input of every stage"
    )
    _box(axes, (0.0, 0.95), text, CONDITION, 3.9)
    for sign in (-1, 1):
        _arrow(axes, (sign * 1.99, 0.8), (sign * 2.5, 0.35))


def _legend(axes: Axes) -> None:
    axes.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=style.INK, linewidth=0.5, label=label)
            for colour, label in (
                (CONVOLUTION, "convolutions"),
                (ATTENTION, "with self-attention"),
            )
        ],
        loc="lower right",
        title="channels × height × width",
        title_fontsize=6.5,
        alignment="left",
    )
