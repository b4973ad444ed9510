"""Train one model."""

import argparse
from collections.abc import Sequence

import torch

from heliosynth.errors import one_line_errors
from heliosynth.fingerprint import fingerprint
from heliosynth.training.experiment import train_model
from heliosynth.training.processes import joined
from heliosynth.training.product import read_row
from heliosynth.walltime import deadline


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--model", required=True, help="name of the row")
    parser.add_argument("--settings", required=True, help="the row, as JSON")
    parser.add_argument("--seed", required=True, type=int, help="seed of the run")
    parser.add_argument("--embedding-model", help="folder of the ceVAE in the condition")
    parser.add_argument("--state", required=True, help="folder to resume a training from")
    parser.add_argument("--output", required=True, help="models/<model>")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    args = parser.parse_args(argv)
    row, code = read_row(args.settings), fingerprint(__file__)
    places = args.state, args.output, args.embedding_model
    with joined(args.threads) as processes:
        together = processes, deadline()
        train_model(args.dataset, args.model, row, args.seed, *places, code, *together)


if __name__ == "__main__":
    main()
