"""Measure how the activity of a model's images follows the requested X-ray flux."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the model")
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--grid", required=True, help="samples/flux_response/<model>.h5")
    parser.add_argument("--samples", required=True, help="samples/<model>.h5")
    parser.add_argument("--repeats", type=int, required=True, help="number of bootstrap resamples")
    parser.add_argument(
        "--block-days", type=float, required=True, help="length of the blocks of real frames"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output-json", required=True, help="JSON file to write")
    parser.add_argument("--output-csv", required=True, help="CSV file to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.evaluation.flux_response import FLUX_RESPONSE, measure_flux_response
    from heliosynth.io import tables
    from heliosynth.io.files import write_json

    report, table = measure_flux_response(
        dataset=args.dataset,
        grid=args.grid,
        samples=args.samples,
        repeats=args.repeats,
        block_days=args.block_days,
        seed=args.seed,
    )
    tables.write(args.output_csv, table, FLUX_RESPONSE)
    write_json(args.output_json, {"name": args.name, **report})


if __name__ == "__main__":
    main()
