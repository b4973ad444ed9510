"""Check the labels: against flare list and light curve, and whether they select frames."""

import argparse
import logging
from collections.abc import Sequence

from heliosynth import goes_class
from heliosynth.catalogue import cross_check, cross_check_report, schemas, selection
from heliosynth.config.dataset import CrossCheckConfig
from heliosynth.io import tables
from heliosynth.io.files import write_json
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources import goes


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", required=True, help="labels.csv")
    parser.add_argument("--xrs", required=True, help="XRS light curve, HDF5")
    parser.add_argument("--flares", required=True, help="table of flares, CSV")
    parser.add_argument(
        "--window", type=float, required=True, help="window of the labelling rule, minutes"
    )
    parser.add_argument(
        "--settings", required=True, help="config section `dataset.cross_check`, as JSON"
    )
    parser.add_argument(
        "--classes", nargs="+", default=goes_class.NAMES, help="GOES classes of the study"
    )
    parser.add_argument(
        "--require-all-classes", action="store_true", help="fail if a class has no frame"
    )
    parser.add_argument("--output", required=True, help="cross_check.json to write")
    args = parser.parse_args(argv)

    table = tables.read(args.labels, schemas.LABELS)
    xrs, flares = goes.read_series(args.xrs), tables.read(args.flares, schemas.FLARES)
    counts = cross_check_report.report(
        cross_check.compare(table, xrs, flares, args.window),
        cross_check.spans(table, xrs, flares),
        CrossCheckConfig.model_validate_json(args.settings),
    )
    cross_check_report.log(counts, logging.getLogger(__name__))
    cross_check_report.check_limits(counts)
    selection.check_classes(table, args.classes, require_all=args.require_all_classes)
    write_json(args.output, counts)


if __name__ == "__main__":
    main()
