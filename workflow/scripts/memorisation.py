"""Measure the share of near copies of training images in every set of generated images."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument(
        "--samples", nargs="*", default=[], type=Path, help="samples/<name>.h5 of each set"
    )
    parser.add_argument(
        "--block-days", type=float, required=True, help="length of the blocks of time, days"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output-json", required=True, help="JSON file to write")
    parser.add_argument("--output-csv", required=True, help="CSV file to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.evaluation.memorisation_report import MATCHES, measure_memorisation
    from heliosynth.io import tables
    from heliosynth.io.files import write_json

    report, table = measure_memorisation(
        dataset=args.dataset,
        samples={path.stem: path for path in args.samples},
        block_days=args.block_days,
        seed=args.seed,
    )
    tables.write(args.output_csv, table, MATCHES)
    write_json(args.output_json, report)


if __name__ == "__main__":
    main()
