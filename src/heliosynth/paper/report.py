"""The report of a run: a zip of the paper, its figures and tables, and the products behind them."""

from __future__ import annotations

import html
import json
import zipfile
from pathlib import Path

from heliosynth.figures.registry import of_run
from heliosynth.io.files import atomic_file
from heliosynth.io.provenance import versions
from heliosynth.results.run import Run

PATTERNS = (
    "paper.pdf",
    "config.json",
    "dataset/summary.json",
    "models/*/*.json",
    "models/*/history.csv",
    "metrics/*.json",
    "metrics/*.csv",
    "metrics/flux_response/*",
    "application/*",
    "figures/*",
    "tables/*",
    "benchmarks/*.tsv",
)
"""Files in the report: all products but images, features and weights."""

LINKED = ("tables/*.csv", "metrics/summary.*", "metrics/flux_response/*", "application/*")
"""Files that the page links to."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_report(results: Path | str, output: Path | str) -> None:
    """Write the products of a run, with an ``index.html`` that shows them, as a zip.

    Parameters
    ----------
    results
        The folder of a run.
    output
        The zip file; the same products give the same bytes.
    """
    folder = Path(results)
    files = sorted({path for pattern in PATTERNS for path in folder.glob(pattern)})
    with atomic_file(output) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        _add(archive, "index.html", _page(folder).encode())
        for path in files:
            _add(archive, str(path.relative_to(folder)), path.read_bytes())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _page(folder: Path) -> str:
    run = Run(folder)
    title = html.escape(f"heliosynth, run {run.configuration.run}")
    figures = "\n".join(
        f'<figure><img src="figures/{name}.png" alt="{name}"><figcaption>'
        f"<b>{name}</b> ({figure.category}): {html.escape(figure.caption)}</figcaption></figure>"
        for name, figure in of_run(run.presentation).items()
        if (folder / "figures" / f"{name}.png").exists()
    )
    links = "\n".join(
        f'<li><a href="{path.relative_to(folder)}">{path.relative_to(folder)}</a></li>'
        for pattern in LINKED
        for path in sorted(folder.glob(pattern))
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}
img{{max-width:100%}}figure{{margin:2em 0}}</style>
<h1>{title}</h1>
<p>Observations: {html.escape(run.configuration.observations)}.
<a href="paper.pdf">The paper</a>, <a href="config.json">the configuration</a>.</p>
<ul>{links}</ul>
{figures}
<h2>Versions</h2><pre>{html.escape(json.dumps(versions(), indent=1))}</pre>
</html>
"""
