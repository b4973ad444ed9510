"""Simulate an observation, and write raw inputs in the archives' formats."""

import argparse
from collections.abc import Sequence

from heliosynth.config.observations import SimulationConfig
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.simulated import simulate


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="config section `simulation`, as JSON")
    parser.add_argument("--channel", required=True, help="AIA channel; only 171A can be simulated")
    parser.add_argument("--seed", required=True, type=int, help="seed of the run")
    parser.add_argument("--output", required=True, help="folder to write")
    args = parser.parse_args(argv)
    settings = SimulationConfig.model_validate_json(args.settings)
    simulate(settings, channel=args.channel, seed=args.seed, output=args.output)


if __name__ == "__main__":
    main()
