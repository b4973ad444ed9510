"""Label every frame with a GOES class and a flux, and select the frames to use."""

import argparse
from collections.abc import Sequence

from pydantic import TypeAdapter

from heliosynth import goes_class
from heliosynth.catalogue import labels, schemas
from heliosynth.io import tables
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources import goes


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--frames", nargs="+", required=True, help="frames_<year>.csv of every year"
    )
    parser.add_argument("--xrs", required=True, help="XRS light curve, HDF5")
    parser.add_argument("--flares", required=True, help="table of flares, CSV")
    parser.add_argument(
        "--settings", required=True, help="config section `dataset.labels`, as JSON"
    )
    parser.add_argument(
        "--classes", nargs="+", default=goes_class.NAMES, help="GOES classes to select"
    )
    parser.add_argument("--output", required=True, help="labels.csv to write")
    args = parser.parse_args(argv)

    rule = TypeAdapter[labels.LabelRule](labels.LabelRule).validate_json(args.settings)
    frames, xrs = labels.read_frames(args.frames), goes.read_series(args.xrs)
    goes.require_cover(xrs, frames["time"].min(), frames["time"].max())
    flares = tables.read(args.flares, schemas.FLARES)
    table = labels.label_frames(
        frames=frames, xrs=xrs, flares=flares, rule=rule, classes=args.classes
    )
    tables.write(args.output, table, schemas.LABELS, sources=[args.xrs, args.flares])


if __name__ == "__main__":
    main()
