"""Check that no raw input changed since it was fetched or read."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.sources.manifest import verify


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--manifests", required=True, nargs="+", help="manifests of raw inputs, JSON"
    )
    args = parser.parse_args(argv)
    print(f"{verify(args.manifests)} raw files are unchanged")


if __name__ == "__main__":
    main()
