"""Read HEK flare lists into one table."""

import argparse
import logging
from collections.abc import Sequence

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.archive import list_flares
from heliosynth.sources.hek import read_flares, summarize
from heliosynth.sources.reading import ReadingReport


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", required=True, nargs="+", help="HEK files, JSON or CSV, or folders of them"
    )
    parser.add_argument("--output", required=True, help="CSV file to write")
    parser.add_argument("--report", help="JSON file to write: what was read and what left out")
    args = parser.parse_args(argv)

    report, files = ReadingReport(), []
    for path in args.files:
        listing = list_flares(path)
        report.merge(listing.report())
        files += listing.files
    flares = read_flares(files, report)
    report.log(logging.getLogger("flares"), "flares")
    tables.write(args.output, flares, schemas.FLARES)
    if args.report:
        write_json(args.report, summarize(flares, report))


if __name__ == "__main__":
    main()
