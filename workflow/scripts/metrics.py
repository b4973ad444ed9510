"""Measure a model's images, or held-out real ones, against the training split."""

import argparse
from collections.abc import Sequence

from heliosynth.config.evaluation import EvaluationConfig
from heliosynth.evaluation.measure import measure
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the model, or `real` for held-out images")
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--samples", help="samples/<model>.h5; not for `real`")
    parser.add_argument("--features", nargs="+", required=True, help="of real images, HDF5")
    parser.add_argument("--generated-features", nargs="*", default=[], help="HDF5, not for `real`")
    parser.add_argument("--population", type=int, help="images to measure; default: all there are")
    parser.add_argument("--classifier", required=True, help="the judge, safetensors")
    parser.add_argument("--settings", required=True, help="evaluation, JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="JSON file to write")
    args = parser.parse_args(argv)
    if (args.name == "real") != (args.samples is None):
        parser.error("give --samples for a model, and none for `real`")
    settings = EvaluationConfig.model_validate_json(args.settings)
    generated = args.samples, args.generated_features, args.population
    found = measure(args.dataset, args.features, args.classifier, settings, args.seed, *generated)
    write_json(args.output, {"name": args.name, **found})


if __name__ == "__main__":
    main()
