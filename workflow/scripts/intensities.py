"""Read a year's chosen frames, each chunk once, and average them to the target size."""

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np

from heliosynth.catalogue import labels, schemas
from heliosynth.frames.averaging import Year, write_year
from heliosynth.io import tables
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources import sdoml
from heliosynth.sources.manifest import record
from heliosynth.workflow.fingerprint import fingerprint


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", required=True, help="labels.csv")
    parser.add_argument("--store", required=True, help="SDOMLv2 store, path or URL")
    parser.add_argument("--year", type=int, required=True)
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument("--size", type=int, required=True, help="width to average to, pixels")
    parser.add_argument("--output", required=True, help="intensities, HDF5")
    args = parser.parse_args(argv)

    table = tables.read(args.labels, schemas.LABELS)
    chosen = table[table["selected"] & (table["year"] == args.year)].sort_values("store_row")
    rows, time = chosen["store_row"].to_numpy(np.int64), labels.seconds(chosen["time"])
    code = fingerprint(__file__)
    wanted = Year(args.store, args.year, args.channel, args.size, rows, time, code)
    array = sdoml.open_channel(args.store, args.year, args.channel)
    write_year(args.output, wanted, array.read, partial(record, args.output))


if __name__ == "__main__":
    main()
