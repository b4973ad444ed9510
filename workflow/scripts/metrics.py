"""Measure a model's images, or the real test split, against the training split."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--name", required=True, help="name of the model, or `real` for the test split"
    )
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--samples", help="samples/<model>.h5; not for `real`")
    parser.add_argument(
        "--features",
        nargs="+",
        required=True,
        help="features of real images, one HDF5 file per encoder",
    )
    parser.add_argument(
        "--generated-features",
        nargs="*",
        default=[],
        help="features of generated images, likewise; not for `real`",
    )
    parser.add_argument("--population", type=int, help="number of images to measure; default: all")
    parser.add_argument("--classifier", required=True, help="trained classifier, safetensors")
    parser.add_argument("--settings", required=True, help="config section `evaluation`, as JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="JSON file to write")
    args = parser.parse_args(argv)
    if (args.name == "real") != (args.samples is None):
        parser.error("a model needs --samples, and `real` takes none")

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.config.evaluation import EvaluationConfig
    from heliosynth.evaluation.measure import measure
    from heliosynth.io.files import write_json

    metrics = measure(
        dataset=args.dataset,
        features=args.features,
        classifier=args.classifier,
        settings=EvaluationConfig.model_validate_json(args.settings),
        seed=args.seed,
        samples=args.samples,
        generated_features=args.generated_features,
        population=args.population,
    )
    write_json(args.output, {"name": args.name, **metrics})


if __name__ == "__main__":
    main()
