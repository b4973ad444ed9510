"""Train one model."""

import argparse
from collections.abc import Sequence

import torch

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.jobs.walltime import deadline
from heliosynth.training.distributed import init
from heliosynth.training.train_model import train_model
from heliosynth.training.trained_model import read_model_config
from heliosynth.workflow.fingerprint import fingerprint


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
    row, code = read_model_config(args.settings), fingerprint(__file__)
    places = args.state, args.output, args.embedding_model
    with init(args.threads) as processes:
        together = processes, deadline()
        train_model(args.dataset, args.model, row, args.seed, *places, code, *together)


if __name__ == "__main__":
    main()
