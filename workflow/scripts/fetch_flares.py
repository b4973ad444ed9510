"""Fetch a year of flares from HEK."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.fetch import fetch_flares


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--year", required=True, type=int, help="year to fetch")
    parser.add_argument("--output", required=True, help="JSON file to write, in the format of HEK")
    args = parser.parse_args(argv)
    fetch_flares(year=args.year, output=args.output)


if __name__ == "__main__":
    main()
