"""An environment, a home and a working folder whose settings must not reach a product."""

import os
from pathlib import Path

MATPLOTLIBRC = """
timezone: Asia/Kolkata
date.epoch: 2000-01-01T00:00:00
backend: TkAgg
font.size: 31
font.family: serif
figure.dpi: 20
savefig.dpi: 33
savefig.facecolor: red
savefig.transparent: True
pdf.compression: 0
pdf.fonttype: 3
text.usetex: True
axes.formatter.use_locale: True
axes.prop_cycle: cycler('color', ['c', 'm'])
image.cmap: jet
svg.hashsalt: other
"""
FILES = {
    ".config/matplotlib/matplotlibrc": MATPLOTLIBRC,
    ".matplotlib/matplotlibrc": MATPLOTLIBRC,
    ".astropy/config/astropy.cfg": "[config.paths]\nunits = broken\n",
    ".config/astropy/astropy.cfg": "remote_timeout = -1\n",
    ".config/sunpy/sunpyrc": "[general]\nworking_dir = /nowhere\n",
    ".config/zarr/zarr.yaml": "array: {order: F, write_empty_chunks: true}\n",
    ".latexmkrc": "die 'latexmkrc was read';",
    "texmf/tex/latex/local/booktabs.sty": "\\errmessage{the user's booktabs was read}\n",
    "python/sitecustomize.py": "raise SystemExit('sitecustomize was read')\n",
    "python/numpy.py": "raise SystemExit('the numpy of PYTHONPATH was read')\n",
    "start.py": "raise SystemExit('PYTHONSTARTUP was read')\n",
    "bash_env": "echo BASH_ENV was read >&2; python() { false; }\n",
}
"""Settings in the home folder."""


def write_home(home: Path) -> Path:
    """Write a home folder full of settings."""
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return home


def hostile_environment(home: Path, *, python: bool = True) -> dict[str, str]:
    """Return the environment of a user with such a home.

    Parameters
    ----------
    home
        A folder of :func:`write_home`.
    python
        With variables that would stop Python before its first line.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "HELIOSYNTH_INHERIT"}
    variables = {
        "HOME": str(home),
        "MATPLOTLIBRC": str(home / ".matplotlib/matplotlibrc"),
        "MPLBACKEND": "TkAgg",
        "MPLCONFIGDIR": str(home / ".config/matplotlib"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TZ": "Asia/Kolkata",
        "LC_ALL": "de_DE.ISO-8859-1",
        "LANG": "de_DE.ISO-8859-1",
        "LANGUAGE": "de",
        "COLUMNS": "23",
        "PYTHONOPTIMIZE": "2",
        "PYTHONHASHSEED": "7",
        "PYTHONWARNINGS": "error",
        "PYTHONSTARTUP": str(home / "start.py"),
        "PYTHONUSERBASE": str(home / "python"),
        "PYTHONIOENCODING": "latin-1",
        "SOURCE_DATE_EPOCH": "1234567890",
        "TEXMFHOME": str(home / "texmf"),
        "TEXINPUTS": str(home / "texmf/tex/latex/local"),
        "BASH_ENV": str(home / "bash_env"),
        "BASH_FUNC_python%%": "() { false; }",
        "UID": "1",
        "NVIDIA_TF32_OVERRIDE": "1",
        "NPY_DISABLE_CPU_FEATURES": "AVX2",
        "ZARR_ARRAY__ORDER": "F",
        "a.b": "no identifier",
    }
    if python:
        variables["PYTHONPATH"] = str(home / "python")
    return {**inherited, **variables}
