"""Train the judge of generated images on real ones."""

import argparse
from collections.abc import Sequence

from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.dataset.store import read_description, read_split
from heliosynth.evaluation.classification import train_classifier, write_classifier
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--settings", required=True, help="evaluation.classifier, JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="safetensors file to write")
    args = parser.parse_args(argv)
    judge = train_classifier(
        read_split(args.dataset, "train"),
        read_split(args.dataset, "val"),
        read_description(args.dataset).trained_classes,
        ClassifierConfig.model_validate_json(args.settings),
        args.seed,
    )
    write_classifier(args.output, judge)


if __name__ == "__main__":
    main()
