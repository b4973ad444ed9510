"""Measure physical statistics and curves of generated images and of the test split."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument(
        "--samples", nargs="*", default=[], help="samples/<row>.h5 of models and controls"
    )
    parser.add_argument(
        "--block-days", type=float, required=True, help="length of the blocks of time, days"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="JSON file of the statistics to write")
    parser.add_argument("--output-curves", required=True, help="JSON file of the curves to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.evaluation.physics_report import measure_physics
    from heliosynth.io.files import write_json

    report, curves = measure_physics(
        dataset=args.dataset, samples=args.samples, block_days=args.block_days, seed=args.seed
    )
    write_json(args.output, report)
    write_json(args.output_curves, curves)


if __name__ == "__main__":
    main()
