"""Measure the likeness of frames against the time between them."""

import argparse
from collections.abc import Sequence
from functools import partial

from heliosynth.catalogue.index import SCHEMA
from heliosynth.dataset import likeness
from heliosynth.dataset.build import files_by_year, read_scaled
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True, help="index.csv")
    parser.add_argument(
        "--intensities", nargs="+", required=True, help="averaged frames, one HDF5 file per year"
    )
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument("--output", required=True, help="likeness.json to write")
    args = parser.parse_args(argv)

    index = tables.read(args.index, SCHEMA)
    files = files_by_year(args.intensities, args.channel)
    readers = {year: partial(read_scaled, path, args.channel) for year, path in files.items()}
    write_json(args.output, likeness.measure_likeness(index, likeness.reader(index, readers)))


if __name__ == "__main__":
    main()
