"""Train one model."""

import argparse
import sys
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="dataset.h5")
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--settings", required=True, help="model config, as JSON")
    parser.add_argument("--seed", required=True, type=int, help="seed of the run")
    parser.add_argument(
        "--embedding-model", help="folder of the trained ceVAE whose embedding is in the condition"
    )
    parser.add_argument(
        "--checkpoints", required=True, help="folder of checkpoints, to write and to resume from"
    )
    parser.add_argument("--output", required=True, help="folder of the trained model to write")
    parser.add_argument("--threads", type=int, help="CPU threads of all processes together")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        help="number of processes (one per GPU) that share each batch",
    )
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    from heliosynth.jobs.launch import is_rank, run_ranks

    if args.processes > 1 and not is_rank():
        sys.exit(run_ranks([__file__, *(sys.argv[1:] if argv is None else argv)], args.processes))

    import torch

    from heliosynth.jobs.walltime import deadline
    from heliosynth.training.distributed import init
    from heliosynth.training.train_model import train_model
    from heliosynth.training.trained_model import read_model_config
    from heliosynth.workflow.fingerprint import fingerprint

    with init(args.threads or torch.get_num_threads()) as distributed:
        train_model(
            dataset=args.dataset,
            name=args.model,
            config=read_model_config(args.settings),
            seed=args.seed,
            checkpoints=args.checkpoints,
            output=args.output,
            embedding_model=args.embedding_model,
            code=fingerprint(__file__),
            distributed=distributed,
            deadline=deadline(),
        )


if __name__ == "__main__":
    main()
