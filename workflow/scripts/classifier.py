"""Train the classifier on real images."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument(
        "--settings", required=True, help="config section `evaluation.classifier`, as JSON"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="safetensors file to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.config.evaluation import ClassifierConfig
    from heliosynth.dataset.store import read_description, read_split
    from heliosynth.evaluation.classification import train_classifier, write_classifier

    classifier = train_classifier(
        training=read_split(args.dataset, "train"),
        validation=read_split(args.dataset, "val"),
        classes=read_description(args.dataset).trained_classes,
        settings=ClassifierConfig.model_validate_json(args.settings),
        seed=args.seed,
    )
    write_classifier(args.output, classifier)


if __name__ == "__main__":
    main()
