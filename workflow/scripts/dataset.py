"""Scale intensities to [−1, 1] and write the labelled images of each split."""

import argparse
from collections.abc import Sequence

from heliosynth.catalogue.index import SCHEMA
from heliosynth.dataset.build import build_dataset
from heliosynth.io import tables
from heliosynth.io.files import read_json_product
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True, help="index.csv")
    parser.add_argument("--summary", required=True, help="summary.json")
    parser.add_argument(
        "--intensities", nargs="+", required=True, help="averaged frames, one HDF5 file per year"
    )
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument(
        "--observations", required=True, help="description of the images, for captions"
    )
    parser.add_argument("--output", required=True, help="dataset.h5 to write")
    args = parser.parse_args(argv)
    build_dataset(
        args.output,
        index=tables.read(args.index, SCHEMA),
        summary=read_json_product(args.summary),
        intensities=args.intensities,
        channel=args.channel,
        observations=args.observations,
    )


if __name__ == "__main__":
    main()
