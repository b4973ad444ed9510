"""Write a table from the products of a run."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.config.presentation import PresentationConfig
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.paper.tables import write_table
from heliosynth.results.run import Run


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the table")
    parser.add_argument("--results", required=True, type=Path, help="folder of the run")
    parser.add_argument("--tex", required=True, help="LaTeX file to write")
    parser.add_argument("--csv", required=True, help="CSV file to write")
    parser.add_argument(
        "--presentation", required=True, help="settings of figures and tables, as JSON"
    )
    args = parser.parse_args(argv)
    run = Run(
        args.results,
        presentation_config=PresentationConfig.model_validate_json(args.presentation),
    )
    write_table(args.name, run, tex=args.tex, csv_path=args.csv)


if __name__ == "__main__":
    main()
