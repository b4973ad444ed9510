"""Snakemake, with one line in place of a traceback if it is interrupted while it starts.

``python -m heliosynth.workflow`` takes the options of ``snakemake``.
"""

from heliosynth.workflow.terminal import report_interrupts

if __name__ == "__main__":
    report_interrupts()
    # Takes seconds, in which a user may find out that another option was meant.
    from snakemake.cli import main

    main()
