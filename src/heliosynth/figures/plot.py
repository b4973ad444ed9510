"""From the name of a figure to its files."""

from __future__ import annotations

from pathlib import Path

from heliosynth import registry
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.figures.registry import of_run
from heliosynth.results.run import Run


def plot_figure(name: str, run: Run, pdf: Path | str, png: Path | str) -> None:
    """Plot a figure of a run and write it as PDF and PNG.

    Parameters
    ----------
    name
        As the figures of the run are called, see :func:`heliosynth.figures.registry.of_run`.
    run
        The products.
    pdf, png
        Files to write.

    Raises
    ------
    InputError
        If the run has no such figure, or a product is missing.
    """
    figures = of_run(run.presentation)
    if name not in figures:
        raise InputError(f"{name!r}: unknown figure; choose one of {', '.join(figures)}")
    row = figures[name]
    # Resolved here rather than imported above, so that the fingerprint of a figure holds the
    # module of its own function and no other one.
    plot = registry.resolve(row.reference)
    with style.styled():
        style.save(plot(run) if row.model is None else plot(run, row.model), pdf, png)
