"""What generated images are good for."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from heliosynth.figures import style
from heliosynth.results.run import Run

ARMS = (
    ("real_only", "true images only", "#7F96B8"),
    ("with_generated", "with generated images", style.ACCENT),
)


def application_accuracy(products: Run) -> Figure:
    """Draw the accuracy of each class, trained with and without generated images."""
    summary = products.json("application/summary.json")
    filled = summary["generated"]
    names = list(summary[ARMS[0][0]])
    figure = style.canvas(style.COLUMN_IN, 2.5)
    axes = figure.subplots()
    for side, (arm, title, colour) in zip((-1, 1), ARMS, strict=True):
        for at, name in enumerate(names):
            found = summary[arm][name]
            if found is None:
                axes.text(at, 0.02, "not\ntested", ha="center", fontsize=6, color=style.MUTED)
                continue
            axes.bar(
                at + 0.2 * side, found["value"], 0.38, yerr=found["std"], color=colour, capsize=2,
                edgecolor=style.INK, linewidth=0.4, error_kw={"linewidth": 0.8},
                label=title if name == names[-1] else None,
            )  # fmt: skip
    tested = [summary[ARMS[0][0]][name] for name in names]
    counts = [found["n"] if found else "–" for found in tested]
    axes.set_xticks(
        np.arange(len(names)),
        [
            f"{'all' if name == 'overall' else name}{'*' if name in filled else ''}\n{n}"
            for name, n in zip(names, counts, strict=True)
        ],
    )
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, 1.2)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("GOES class and n of the test images\n(* filled with generated images)")
    axes.set_ylabel("accuracy (share of test images)")
    axes.legend(loc="upper left", ncols=2)
    return figure
