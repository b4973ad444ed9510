"""Generate images on a grid of X-ray fluxes with a model that is conditioned on the flux."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of a trained model")
    parser.add_argument("--dataset", required=True, help="dataset.h5, for channel and scaling")
    parser.add_argument(
        "--sampling", required=True, help="section `sampling` of the model config, as JSON"
    )
    parser.add_argument("--fluxes", required=True, type=int, help="number of fluxes of the grid")
    parser.add_argument("--images", required=True, type=int, help="number of images per flux")
    parser.add_argument("--seed", required=True, type=int, help="seed of the run")
    parser.add_argument("--output", required=True, help="HDF5 file to write")
    parser.add_argument("--threads", type=int, help="CPU threads")
    args = parser.parse_args(argv)

    # Imported here, so that an interrupt in the seconds that this takes is reported in one line.
    import torch

    from heliosynth.config.models import SamplingConfig
    from heliosynth.jobs.cpu import configure
    from heliosynth.sampling.generate import generate_flux_response

    configure(args.threads or torch.get_num_threads())
    generate_flux_response(
        folder=args.model,
        dataset=args.dataset,
        config=SamplingConfig.model_validate_json(args.sampling),
        fluxes=args.fluxes,
        images=args.images,
        seed=args.seed,
        output=args.output,
    )


if __name__ == "__main__":
    main()
