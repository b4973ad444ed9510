"""Fetch the weights of CLIP from the model hub."""

import argparse
from collections.abc import Sequence

from heliosynth.evaluation.clip_weights import fetch_clip_weights
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="safetensors file to write")
    args = parser.parse_args(argv)
    fetch_clip_weights(args.output)


if __name__ == "__main__":
    main()
