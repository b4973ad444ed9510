"""List the frames of a year of an AIA store, with their times and quality."""

import argparse
import logging
from collections.abc import Sequence

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.sdoml import read_year


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="SDOMLv2 store, path or URL")
    parser.add_argument("--year", required=True, type=int, help="year of the frames")
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument("--output", required=True, help="CSV file to write")
    parser.add_argument("--report", help="JSON file to write: what was read and what left out")
    args = parser.parse_args(argv)
    header = read_year(args.store, args.year, args.channel)
    header.report.log(logging.getLogger("frames"), f"frames of {args.year}")
    tables.write(args.output, header.table, schemas.FRAMES)
    if args.report:
        write_json(args.report, header.to_json())


if __name__ == "__main__":
    main()
