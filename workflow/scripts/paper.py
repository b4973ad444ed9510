"""Compile the paper from the products of a run."""

import argparse
from collections.abc import Sequence

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.paper.compile import compile_paper


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paper", required=True, help="folder of main.tex and refs.bib")
    parser.add_argument("--results", required=True, help="folder of the run")
    parser.add_argument("--output", required=True, help="PDF file to write")
    args = parser.parse_args(argv)
    compile_paper(args.paper, args.results, args.output)


if __name__ == "__main__":
    main()
