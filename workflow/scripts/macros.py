"""Write the LaTeX macros of the paper: its numbers and statements."""

# Its product is numbers.tex, but a script called numbers.py would shadow the module of the standard
# library that NumPy imports.
import argparse
from collections.abc import Sequence
from pathlib import Path

from heliosynth.jobs.entry_point import one_line_errors
from heliosynth.paper.macros import write_macros
from heliosynth.results.run import Run


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder of the run")
    parser.add_argument("--output", required=True, help="LaTeX file to write")
    args = parser.parse_args(argv)
    write_macros(Run(args.results), args.output)


if __name__ == "__main__":
    main()
