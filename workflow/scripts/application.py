"""Compare a DeiT classifier trained from scratch with and without generated images."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--samples", required=True, help="samples/<model>.h5")
    parser.add_argument("--settings", required=True, help="config section `application`, as JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--accuracy", required=True, help="CSV file to write")
    parser.add_argument("--summary", required=True, help="JSON file to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.config.evaluation import ApplicationConfig
    from heliosynth.dataset.store import read_description, read_samples, read_split
    from heliosynth.evaluation.application import compare, summarise, write_accuracy
    from heliosynth.io.files import write_json

    settings = ApplicationConfig.model_validate_json(args.settings)
    classes = read_description(args.dataset).trained_classes
    splits = {split: read_split(args.dataset, split) for split in ("train", "test")}
    rows = compare(
        splits=splits,
        samples=read_samples(args.samples),
        classes=classes,
        settings=settings,
        seed=args.seed,
    )
    write_accuracy(args.accuracy, rows)
    write_json(args.summary, summarise(rows, classes, settings.generated_per_class))


if __name__ == "__main__":
    main()
