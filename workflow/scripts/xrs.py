"""Make one XRS light curve of GOES files."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.archive import xrs_files
from heliosynth.sources.goes import read_xrs, write_series


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", required=True, nargs="+", help="CSV, netCDF, or their folders")
    parser.add_argument("--csv-scale", required=True, choices=["true", "operational"])
    parser.add_argument("--output", required=True, help="HDF5 light curve")
    args = parser.parse_args(argv)
    files = [file for place in args.files for file in xrs_files(place)]
    write_series(args.output, read_xrs(files, args.csv_scale))


if __name__ == "__main__":
    main()
