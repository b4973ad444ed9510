# The pipeline: raw observations → dataset → models → images → metrics → figures → paper.
#
#   snakemake --cores 2                                     the default run, a simulated observatory
#   snakemake --cores 2 --configfile config/archive.yaml    a local archive
#   snakemake --profile profiles/slurm                      on a cluster
import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The scripts run in this environment, with the package of this checkout, and as long as this runs.
# What libraries keep for themselves stays in the folder of the project.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    PYTHONPATH=str(Path(workflow.basedir) / "src"),
    XDG_CACHE_HOME=str(Path("resources/.cache").resolve()),
    MPLCONFIGDIR=str(Path("resources/.cache/matplotlib").resolve()),
    SUNPY_CONFIGDIR=str(Path(workflow.basedir) / "workflow" / "sunpy"),
)

from heliosynth.config.loading import resolve
from heliosynth.errors import InputError
from heliosynth.workflow.preflight import check_folders
from heliosynth.jobs.watchdog import PARENT_VARIABLE
from heliosynth.jobs.watchdog import process_identity
from heliosynth.workflow.plan import Plan
from heliosynth.workflow.plan import doubled

os.environ[PARENT_VARIABLE] = process_identity()


configfile: "config.yaml"


try:
    PLAN = Plan(resolve(config))
except InputError as error:
    sys.exit(f"error: {error}")

CONFIG = PLAN.configuration
RESULTS = PLAN.results
RESOURCES = PLAN.resources


onstart:
    try:
        check_folders(RESULTS, RESOURCES)
    except InputError as error:
        sys.exit(f"error: {error}")


wildcard_constraints:
    year=r"\d{4}",
    model="|".join(PLAN.models),
    encoder="|".join(PLAN.encoders),
    figure="|".join(PLAN.figures),
    table="|".join(PLAN.tables),
    shard=r"\d+",


report: "workflow/report/workflow.rst"


include: "workflow/rules/retrieve.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/application.smk"
include: "workflow/rules/paper.smk"


rule all:
    default_target: True
    input:
        rules.paper.output.pdf,
        rules.pack_report.output.report,
        rules.configuration.output.json,
        [
            f"{RESULTS}/figures/{name}.{suffix}"
            for name in PLAN.figures
            for suffix in ("pdf", "png")
        ],


rule figures:
    input:
        [
            f"{RESULTS}/figures/{name}.{suffix}"
            for name in PLAN.figures
            for suffix in ("pdf", "png")
        ],
