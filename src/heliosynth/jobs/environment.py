"""Environment of jobs, isolated from the settings in the user's shell and home folder.

A job sees the variables of :data:`INHERITED`, those of its libraries and locale set to fixed
values, and a home folder of the project without anyone's settings. Snakemake starts jobs so, by
:func:`shell_prefix`; a script that is started by hand restarts itself so.
"""

from __future__ import annotations

import os
import re
import shlex
import site
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

import pydantic

PROJECT = Path(__file__).resolve().parents[3]
"""The folder of the Snakefile."""
INHERIT_VARIABLE = "HELIOSYNTH_INHERIT"
"""Set to 1, a script that is started by hand keeps the environment it was started in."""
RESTARTED_VARIABLE = "HELIOSYNTH_RESTARTED"

INHERITED = re.compile(
    r"PATH|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_\w+|PWD|OLDPWD|SHLVL|_|__CF\w+|TERM|SHELL|USER|LOGNAME"
    r"|TMPDIR|TMP|TEMP|TEMPDIR|XDG_RUNTIME_DIR|VIRTUAL_ENV|PYTHONNOUSERSITE|HELIOSYNTH_\w+"
    # The workflow and its machine: Snakemake, schedulers, containers, modules, GPUs, processes.
    r"|(?:SNAKEMAKE|SLURM|SLURMD|SBATCH|SACCT|SQUEUE|SRUN|PBS|LSB|LSF|SGE|OAR|FLUX)_\w+"
    r"|(?:CONDA|MAMBA|APPTAINER|SINGULARITY|LMOD|MODULE|MODULES)_\w+"
    r"|LOADEDMODULES|_LMFILES_|MODULEPATH|MODULESHOME|MANPATH"
    r"|(?:CUDA|NCCL|GLOO|ROCR|HIP|UCX|FI|OMPI|PMI|PMIX|TORCHELASTIC|TORCH_NCCL|TORCH_DISTRIBUTED)"
    r"_\w+|NVIDIA_VISIBLE_DEVICES|NVIDIA_DRIVER_CAPABILITIES|PYTORCH_(?:CUDA_)?ALLOC_CONF"
    r"|RANK|LOCAL_RANK|GROUP_RANK|ROLE_\w+|WORLD_SIZE|LOCAL_WORLD_SIZE|MASTER_ADDR|MASTER_PORT"
    # The network: proxies, certificates, credentials.
    r"|(?:https?|ftp|all|no)_proxy|(?:HTTPS?|FTP|ALL|NO)_PROXY|SSL_CERT_FILE|SSL_CERT_DIR"
    r"|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(?:AWS|GOOGLE|FSSPEC)_\w+|HF_TOKEN|HF_ENDPOINT|KRB5CCNAME"
    # Tests.
    r"|PYTEST_\w+|COVERAGE_\w+|COV_CORE_\w+"
)
"""Names of variables that jobs see as the user set them."""
THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What Snakemake sets to the threads of a rule; 1 in a job that is started by hand."""
LOCALE = "C.UTF-8"
SHELL_SETTINGS = re.compile(
    r"BASH_ENV|ENV|SHELLOPTS|BASHOPTS|CDPATH|GLOBIGNORE|IFS|POSIXLY_CORRECT"
    # Read-only, functions, and others that a shell cannot unset.
    r"|E?UID|PPID|BASH_VERSINFO|.*\W.*|\d.*",
    re.ASCII | re.DOTALL,
)
"""Names of variables that change what a shell does, or that it cannot unset."""


def job_environment(inherited: Mapping[str, str], project: Path = PROJECT) -> dict[str, str]:
    """Return the environment of a job that was started in another one."""
    kept = {name: value for name, value in inherited.items() if INHERITED.fullmatch(name)}
    threads = {name: inherited.get(name, "1") for name in THREADS}
    return {**kept, **threads, **_fixed(project)}


def shell_prefix(inherited: Mapping[str, str], project: Path = PROJECT) -> str:
    """Return what the shell of a job runs first, as Snakemake's ``shell.prefix`` takes it.

    Snakemake itself, conda and the commands of a scheduler see the user's environment; Snakemake
    sets the variables of :data:`THREADS` for each job.
    """
    fixed = _fixed(project)
    names = {name for name in inherited if not SHELL_SETTINGS.fullmatch(name)}
    unset = sorted(names - job_environment(inherited, project).keys())
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in fixed.items())
    prefix = f"set -euo pipefail; unset {' '.join(unset)}; export {exports}; "
    return prefix.replace("{", "{{").replace("}", "}}")


def prepare_shells(environment: MutableMapping[str, str]) -> None:
    """Remove what the shell of a job would heed before the prefix; set its locale."""
    for name in [name for name in environment if SHELL_SETTINGS.fullmatch(name)]:
        del environment[name]
    environment["LC_ALL"] = LOCALE


def make_home(project: Path = PROJECT) -> None:
    """Create the home folder of jobs; libraries expect one."""
    Path(_fixed(project)["HOME"]).mkdir(parents=True, exist_ok=True)


def restart_in_job_environment() -> None:
    """Restart this script in the environment of a job, unless it was started in it."""
    inherited = _at_start()
    environment = job_environment(inherited)
    if inherited.get(INHERIT_VARIABLE) == "1" or inherited == environment:
        return
    if RESTARTED_VARIABLE not in environment:
        make_home()
        environment[RESTARTED_VARIABLE] = "1"
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def _at_start() -> dict[str, str]:
    """Return the environment of this process before its libraries changed it."""
    try:
        content = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)
    pairs = (os.fsdecode(entry).partition("=") for entry in content.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def _fixed(project: Path) -> dict[str, str]:
    """Return the variables that are set, and to what."""
    cache = project / "resources" / ".cache"
    home = cache / "home"
    return {
        "PYTHONPATH": str(project / "src"),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        # Users without a virtual environment may have installed the packages there.
        **({} if _is_in_user_site(pydantic.__file__) else {"PYTHONNOUSERSITE": "1"}),
        "LC_ALL": LOCALE,
        "TZ": "UTC",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_CACHE_HOME": str(cache),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "SUNPY_CONFIGDIR": str(project / "workflow" / "sunpy"),
    }


def _is_in_user_site(file: str) -> bool:
    folder = site.getusersitepackages()
    return bool(folder) and Path(file).is_relative_to(folder)
