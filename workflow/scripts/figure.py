"""Plot a figure from the products of a run."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the figure")
    parser.add_argument("--results", required=True, type=Path, help="folder of the run")
    parser.add_argument("--pdf", required=True, help="PDF file to write")
    parser.add_argument("--png", required=True, help="PNG file to write")
    parser.add_argument(
        "--simulated", type=Path, help="folder of simulated raw inputs, for figures of them"
    )
    parser.add_argument(
        "--archive", type=Path, help="folder of real raw inputs, for figures of them"
    )
    parser.add_argument(
        "--presentation", required=True, help="settings of figures and tables, as JSON"
    )
    args = parser.parse_args(argv)

    # Imported here, as matplotlib reads the user's matplotlibrc before the script restarts itself
    # in the environment of a job.
    from heliosynth.config.presentation import PresentationConfig
    from heliosynth.figures.plot import plot_figure
    from heliosynth.results.run import Run

    run = Run(
        args.results,
        simulated=args.simulated,
        archive=args.archive,
        presentation_config=PresentationConfig.model_validate_json(args.presentation),
    )
    plot_figure(args.name, run, pdf=args.pdf, png=args.png)


if __name__ == "__main__":
    main()
