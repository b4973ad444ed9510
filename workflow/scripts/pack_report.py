"""Write the report of a run: a zip of its paper, figures, tables and metrics."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.paper.report import write_report


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, help="folder of the run, results/<run>")
    parser.add_argument("--output", required=True, help="zip file to write")
    args = parser.parse_args(argv)
    write_report(args.results, args.output)


if __name__ == "__main__":
    main()
