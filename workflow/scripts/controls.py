"""Make the images of the controls from training images."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--population", type=int, required=True, help="number of images")
    parser.add_argument(
        "--per-class", type=int, required=True, help="images of each class in the balanced set"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument(
        "--output", nargs="+", required=True, help="samples/<name>.h5 of controls, by their names"
    )
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.dataset.store import read_description, read_split, write_samples
    from heliosynth.evaluation.controls import control_samples

    description, training = read_description(args.dataset), read_split(args.dataset, "train")
    for path in args.output:
        samples = control_samples(
            Path(path).stem,
            training,
            description.trained_classes,
            population=args.population,
            per_class=args.per_class,
            seed=args.seed,
        )
        write_samples(path, samples, description)


if __name__ == "__main__":
    main()
