"""Write every number of the paper's prose as a LaTeX macro."""

# Not named after its product: Python would take numbers.py, in the folder of the running
# script, for the standard library's module that NumPy imports.
import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.errors import one_line_errors
from heliosynth.numbers import write_numbers
from heliosynth.products import Products


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder of the run")
    parser.add_argument("--output", required=True, help="LaTeX file to write")
    args = parser.parse_args(argv)
    write_numbers(Products(args.results), args.output)


if __name__ == "__main__":
    main()
