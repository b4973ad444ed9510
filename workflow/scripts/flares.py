"""Read HEK flare lists into one table."""

import argparse
from collections.abc import Sequence

from heliosynth.catalogue import schemas
from heliosynth.io import tables
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.archive import flare_files
from heliosynth.sources.hek import read_flares


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", required=True, nargs="+", help="HEK files, JSON or CSV, or folders of them"
    )
    parser.add_argument("--output", required=True, help="CSV file to write")
    args = parser.parse_args(argv)
    files = [file for path in args.files for file in flare_files(path)]
    tables.write(args.output, read_flares(files), schemas.FLARES)


if __name__ == "__main__":
    main()
