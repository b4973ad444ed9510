"""Write the resolved configuration of a run."""

import argparse
import json
from collections.abc import Sequence

from heliosynth.config.schema import RunConfig
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", required=True, help="resolved configuration, as JSON")
    parser.add_argument("--output", required=True, help="JSON file to write")
    args = parser.parse_args(argv)
    configuration = RunConfig.model_validate_json(args.configuration)
    write_json(args.output, json.loads(configuration.model_dump_json()))


if __name__ == "__main__":
    main()
