"""Read the selected frames of a year, each chunk once, and average them to the image size."""

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np

from heliosynth.catalogue import labels, schemas
from heliosynth.frames.averaging import FrameRequest, write_year
from heliosynth.io import tables
from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources import sdoml
from heliosynth.sources.manifest import write_entries
from heliosynth.workflow.fingerprint import fingerprint


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", required=True, help="labels.csv")
    parser.add_argument("--store", required=True, help="SDOMLv2 store, path or URL")
    parser.add_argument("--year", type=int, required=True, help="year of the frames")
    parser.add_argument("--channel", required=True, help="AIA channel, such as 171A")
    parser.add_argument(
        "--size", type=int, required=True, help="width of the averaged frames, pixels"
    )
    parser.add_argument("--output", required=True, help="HDF5 file to write")
    args = parser.parse_args(argv)

    table = tables.read(args.labels, schemas.LABELS)
    frames = table[table["selected"] & (table["year"] == args.year)].sort_values("store_row")
    request = FrameRequest(
        store=args.store,
        year=args.year,
        channel=args.channel,
        size_px=args.size,
        store_row=frames["store_row"].to_numpy(np.int64),
        time=labels.seconds(frames["time"]),
        code=fingerprint(__file__),
    )
    array = sdoml.open_channel(args.store, args.year, args.channel)
    write_year(args.output, request, array.read, partial(write_entries, args.output))


if __name__ == "__main__":
    main()
