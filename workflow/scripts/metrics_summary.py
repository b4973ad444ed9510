"""Summarise the metrics of all models and of real images in one table."""

import argparse
from collections.abc import Sequence

from heliosynth.evaluation.summary import summarise, write_csv
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--metrics",
        nargs="+",
        required=True,
        help="metrics/<name>.json of all models and of `real`",
    )
    parser.add_argument("--output-json", required=True, help="JSON file to write")
    parser.add_argument("--output-csv", required=True, help="CSV file to write")
    args = parser.parse_args(argv)
    summary = summarise(args.metrics)
    write_csv(args.output_csv, summary)
    write_json(args.output_json, summary)


if __name__ == "__main__":
    main()
