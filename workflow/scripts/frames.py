"""List the frames of a year of an AIA store, with their times and quality."""

import argparse
from collections.abc import Sequence

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.sdoml import read_header


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="SDOMLv2 store, path or URL")
    parser.add_argument("--year", required=True, type=int, help="year of the frames")
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument("--output", required=True, help="CSV file to write")
    args = parser.parse_args(argv)
    header = read_header(args.store, args.year, args.channel)
    tables.write(args.output, header, schemas.FRAMES)


if __name__ == "__main__":
    main()
