"""Map the training images in the ceVAE's latent space to two dimensions."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--cevae", required=True, help="folder of the trained ceVAE")
    parser.add_argument("--seed", type=int, required=True, help="seed of the run")
    parser.add_argument("--output", required=True, help="CSV file to write")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.dataset.store import read_split
    from heliosynth.evaluation.embedding_map import embedding_map, load_cevae, write_map

    images = read_split(args.dataset, "train")
    points, shown = embedding_map(load_cevae(args.cevae), images, args.seed)
    write_map(args.output, points, shown)


if __name__ == "__main__":
    main()
