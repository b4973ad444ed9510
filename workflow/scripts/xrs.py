"""Read GOES files into one XRS light curve."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.archive import xrs_files
from heliosynth.sources.goes import read_xrs, write_series


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", required=True, nargs="+", help="GOES files, CSV or netCDF, or folders of them"
    )
    parser.add_argument(
        "--csv-scale",
        required=True,
        choices=["true", "operational"],
        help="flux scale of CSV files",
    )
    parser.add_argument("--output", required=True, help="HDF5 file to write")
    args = parser.parse_args(argv)
    files = [file for path in args.files for file in xrs_files(path)]
    series = read_xrs(files, csv_scale=args.csv_scale)
    write_series(args.output, series)


if __name__ == "__main__":
    main()
