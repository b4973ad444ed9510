"""Snakemake, with one line in place of a traceback for a wrong option or an interrupted start.

``python -m heliosynth.workflow`` takes the options of ``snakemake``, and keys with dots behind
``--config``.
"""

import sys

from heliosynth.errors import InputError
from heliosynth.workflow import command_line
from heliosynth.workflow.terminal import report_interrupts

if __name__ == "__main__":
    report_interrupts()
    try:
        sys.argv[1:] = command_line.prepare(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")
    # Takes seconds, in which a user may find out that another option was meant.
    from snakemake.cli import main

    main()
