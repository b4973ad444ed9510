"""Weights of CLIP from the model hub.

Separate from the encoders, so that a change of a network or a setting does not fetch the weights
again. open_clip is imported only when needed: runs with the default encoder work without it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from heliosynth.errors import InputError
from heliosynth.io.files import atomic_file
from heliosynth.sources.manifest import describe, write_manifest

CLIP_ARCHITECTURE = "ViT-B-32"


def fetch_clip_weights(output: Path | str) -> None:
    """Fetch OpenAI's weights of CLIP's ViT-B-32 from the model hub, and write their manifest.

    Raises
    ------
    InputError
        If the hub cannot be reached, or its file has another suffix than ``output``.
    """
    import open_clip

    downloaded, output = weights_from_hub(), Path(output)
    if downloaded.suffix != output.suffix:
        raise InputError(
            f"the hub returned CLIP weights as {downloaded.name}, not as {output.suffix}; copy "
            "the file to another folder and name it in evaluation.clip_weights"
        )
    with atomic_file(output) as unfinished:
        shutil.copyfile(downloaded, unfinished)
    hub = open_clip.get_pretrained_cfg(CLIP_ARCHITECTURE, "openai")["hf_hub"]
    write_manifest(output, [describe(output, f"hf://{hub}{downloaded.name}", output.parent)])


def weights_from_hub() -> Path:
    """Return the file of OpenAI's weights, downloaded unless it is in the cache.

    Raises
    ------
    InputError
        If the hub cannot be reached.
    """
    import open_clip

    source = open_clip.get_pretrained_cfg(CLIP_ARCHITECTURE, "openai")
    try:
        downloaded = open_clip.download_pretrained(source)
    except Exception as error:
        raise InputError(
            f"cannot download CLIP weights from the hub ({first_line(error)}); name a file with "
            f"open_clip {CLIP_ARCHITECTURE} `openai` weights in evaluation.clip_weights, or "
            "remove `clip` from evaluation.encoders"
        ) from error
    return Path(downloaded)


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or its type."""
    return next(iter(str(error).splitlines()), type(error).__name__)
