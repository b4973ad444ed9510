"""Join the shards of a model's generated images."""

import argparse
from collections.abc import Sequence

from heliosynth.dataset.store import join_samples
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--shards", required=True, nargs="+", help="HDF5 files of generated images, in order"
    )
    parser.add_argument("--output", required=True, help="HDF5 file to write")
    args = parser.parse_args(argv)
    join_samples(args.shards, args.output)


if __name__ == "__main__":
    main()
