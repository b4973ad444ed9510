"""Calibrate AIA level-1 FITS files into a store in SDOMLv2's layout."""

import argparse
import logging
from collections.abc import Sequence

from heliosynth.config.observations import Level1Config
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.level1 import Tables, write_store
from heliosynth.workflow.fingerprint import fingerprint


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", required=True, help="folder of level-1 FITS files")
    parser.add_argument("--settings", required=True, help="config section `level1`, as JSON")
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument("--workers", type=int, default=1, help="files calibrated in parallel")
    parser.add_argument("--output", required=True, help="Zarr store to write")
    parser.add_argument(
        "--years", type=int, nargs="*", default=[], help="years that are read from the store"
    )
    parser.add_argument("--report", help="JSON file to write: what was read and what left out")
    args = parser.parse_args(argv)
    settings = Level1Config.model_validate_json(args.settings)
    report = write_store(
        folder=args.files,
        channel=args.channel,
        tables=Tables(degradation=settings.degradation, pointing=settings.pointing),
        output=args.output,
        workers=args.workers,
        code=fingerprint(__file__),
        years=args.years,
    )
    report.log(logging.getLogger("calibrate"), "level-1 files")
    if args.report:
        write_json(args.report, report.to_json())


if __name__ == "__main__":
    main()
