"""Join labels and quality, reject bad frames, and split by blocks of time."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from heliosynth.catalogue import index, schemas
from heliosynth.config.dataset import DatasetConfig
from heliosynth.frames import quality
from heliosynth.frames.store import read_measured
from heliosynth.io import tables
from heliosynth.io.files import read_json_product, write_json
from heliosynth.jobs.entry_point import one_line_errors


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", required=True, help="labels.csv")
    parser.add_argument(
        "--intensities", nargs="+", required=True, help="averaged frames, one HDF5 file per year"
    )
    parser.add_argument("--cross-check", required=True, help="cross_check.json")
    parser.add_argument(
        "--inputs", nargs="*", default=[], help="reports of the readers of raw inputs, JSON"
    )
    parser.add_argument("--settings", required=True, help="config section `dataset`, as JSON")
    parser.add_argument("--output", required=True, help="index.csv to write")
    parser.add_argument("--summary", required=True, help="summary.json to write")
    args = parser.parse_args(argv)

    years = [read_measured(path) for path in args.intensities]
    table, summary = index.build_index(
        labels=tables.read(args.labels, schemas.LABELS),
        store_rows={year.year: year.store_row for year in years},
        measures={year.year: year.measures for year in years},
        settings=DatasetConfig.model_validate_json(args.settings),
        rejections=partial(quality.rejections, channel=years[0].channel),
    )
    tables.write(args.output, table, index.SCHEMA)
    summary["cross_check"] = read_json_product(args.cross_check)
    summary["inputs"] = {Path(path).stem: read_json_product(path) for path in args.inputs}
    write_json(args.summary, summary)


if __name__ == "__main__":
    main()
