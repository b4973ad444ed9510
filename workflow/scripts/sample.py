"""Generate the images of one model, or a shard of them."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of a trained model")
    parser.add_argument("--dataset", required=True, help="dataset.h5, for the class mix")
    parser.add_argument(
        "--settings", required=True, help="section `sampling` of the model config, as JSON"
    )
    parser.add_argument("--seed", required=True, type=int, help="seed of the run")
    parser.add_argument("--shard", type=int, default=0, help="index of the shard, from 0")
    parser.add_argument("--output", required=True, help="HDF5 file to write")
    parser.add_argument("--threads", type=int, help="CPU threads")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    import torch

    from heliosynth.jobs.cpu import configure
    from heliosynth.sampling.generate import generate_samples, read_sampling

    configure(args.threads or torch.get_num_threads())
    generate_samples(
        folder=args.model,
        dataset=args.dataset,
        config=read_sampling(args.settings),
        seed=args.seed,
        output=args.output,
        shard=args.shard,
    )


if __name__ == "__main__":
    main()
