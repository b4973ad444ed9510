"""Fetch a year of GOES XRS files of one satellite."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.fetch import fetch_xrs


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--year", required=True, type=int, help="year to fetch")
    parser.add_argument(
        "--satellites",
        required=True,
        nargs="+",
        type=int,
        help="GOES numbers, in order of preference",
    )
    parser.add_argument("--output", required=True, help="folder of netCDF files to write")
    args = parser.parse_args(argv)
    fetch_xrs(year=args.year, satellites=args.satellites, output=args.output)


if __name__ == "__main__":
    main()
