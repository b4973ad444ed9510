"""Measure real images, controls and models against the training split."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument(
        "--features",
        nargs="+",
        required=True,
        help="features of real images, one HDF5 file per encoder",
    )
    parser.add_argument(
        "--samples", nargs="*", default=[], help="samples/<row>.h5 of models and controls"
    )
    parser.add_argument(
        "--generated-features",
        nargs="*",
        default=[],
        help="features/<encoder>/<row>.h5 of the same rows, for every encoder",
    )
    parser.add_argument("--population", type=int, help="number of images to measure; default: all")
    parser.add_argument("--classifier", required=True, help="trained classifier, safetensors")
    parser.add_argument("--settings", required=True, help="config section `evaluation`, as JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument(
        "--output",
        nargs="+",
        required=True,
        help="JSON files to write: real.json for the test split, <row>.json for the others",
    )
    args = parser.parse_args(argv)
    samples = {Path(path).stem: path for path in args.samples}
    outputs = {Path(path).stem: path for path in args.output}
    if outputs.keys() != {"real", *samples}:
        parser.error("--output needs real.json, and the name of every file of --samples")

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.config.evaluation import CONTROLS, REAL, EvaluationConfig
    from heliosynth.evaluation.measure import Measurement
    from heliosynth.io.files import write_json

    measurement = Measurement.read(
        dataset=args.dataset,
        features=args.features,
        classifier=args.classifier,
        settings=EvaluationConfig.model_validate_json(args.settings),
        seed=args.seed,
        population=args.population,
    )
    write_json(outputs[REAL], {"name": REAL, **measurement.of_test_split()})
    for name, path in samples.items():
        features = [file for file in args.generated_features if Path(file).stem == name]
        metrics = measurement.of_samples(path, features, is_control=name in CONTROLS)
        write_json(outputs[name], {"name": name, **metrics})


if __name__ == "__main__":
    main()
