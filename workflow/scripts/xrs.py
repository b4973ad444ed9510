"""Read GOES files into one XRS light curve."""

import argparse
import logging
from collections.abc import Sequence

from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.archive import list_xrs
from heliosynth.sources.goes import read_xrs, summarize, write_series
from heliosynth.sources.reading import ReadingReport


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
    parser.add_argument("--report", help="JSON file to write: what was read and what left out")
    args = parser.parse_args(argv)

    report, files = ReadingReport(), []
    for path in args.files:
        listing = list_xrs(path)
        report.merge(listing.report())
        files += listing.files
    series = read_xrs(files, csv_scale=args.csv_scale, report=report)
    report.log(logging.getLogger("xrs"), "XRS samples")
    write_series(args.output, series)
    if args.report:
        write_json(args.report, summarize(series, report))


if __name__ == "__main__":
    main()
