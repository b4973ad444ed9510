"""Encode the images of a dataset, or those that a model generated."""

import argparse
from collections.abc import Sequence

from heliosynth.config.evaluation import ENCODERS
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", nargs="+", required=True, help="dataset.h5 and samples/<row>.h5"
    )
    parser.add_argument(
        "--encoder", required=True, help=f"name of the encoder: {' or '.join(ENCODERS)}"
    )
    parser.add_argument(
        "--weights", help="file of weights; default: those of the encoder's package"
    )
    parser.add_argument(
        "--output", nargs="+", required=True, help="HDF5 files to write, one per file of images"
    )
    args = parser.parse_args(argv)
    if len(args.images) != len(args.output):
        parser.error("--output needs one file per file of --images")

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.evaluation.encoders import load_encoder
    from heliosynth.evaluation.features import EncodedBy, read_image_groups, write_features

    encoder = load_encoder(args.encoder, args.weights)
    encoded_by = EncodedBy(
        encoder=encoder.name,
        description=encoder.description,
        weights_sha256=encoder.weights_sha256,
        size_px=encoder.size_px,
    )
    for path, output in zip(args.images, args.output, strict=True):
        groups = read_image_groups(path)
        features = {name: encoder.features(images) for name, images in groups.items()}
        write_features(output, features, encoded_by)


if __name__ == "__main__":
    main()
