# The pipeline: raw observations → dataset → models → images → metrics → figures → paper.
#
# The default run, a simulated observatory; a local archive of real frames; the study on a cluster:
#   snakemake --cores 2
#   snakemake --cores 2 --configfile config/archive.yaml --config archive=PATH
#   snakemake --profile profiles/slurm --configfile config/paper.yaml
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.0")

# Rules and scripts import the package of this checkout, whatever is installed.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from heliosynth.config.evaluation import CONTROLS
from heliosynth.config.layers import read_layers
from heliosynth.config.loading import resolve
from heliosynth.errors import InputError
from heliosynth.jobs import entry_point, environment, watchdog
from heliosynth.workflow import command_line, source_cache, terminal
from heliosynth.workflow.plan import Plan, memory_per_attempt
from heliosynth.workflow.preflight import check_folders, check_project

terminal.install(
    logger,
    workflow,
    products=lambda: {
        "paper": f"{RESULTS}/paper.pdf",
        "report": f"{RESULTS}/report.zip",
    },
    show_traceback=os.environ.get(entry_point.TRACEBACK_VARIABLE) == "1",
)

# The files are read again, strictly: Snakemake itself keeps the last of two equal keys.
SETTINGS = workflow.config_settings
IS_REPLACED = SETTINGS.replace_workflow_config and SETTINGS.overwrite_config
try:
    check_project(workflow.basedir)
    if workflow.is_main_process:
        source_cache.refresh(
            workflow.sourcecache.runtime_cache_path, workflow.main_snakefile
        )
        command_line.check(sys.argv[1:])
    LAYERS = read_layers(
        [
            *([] if IS_REPLACED else ["config.yaml"]),
            *workflow.overwrite_configfiles,
        ],
        SETTINGS.config,
    )
    PLAN = Plan(resolve(LAYERS.content, LAYERS.origins))
except InputError as error:
    sys.exit(f"error: {error}")


configfile: "config.yaml"


CONFIG = PLAN.configuration
RESULTS = PLAN.results
RESOURCES = PLAN.resources

# Jobs use this Python, write tracebacks to their logs, and exit when this process does; nothing of
# the user's settings reaches them.
environment.prepare_shells(os.environ)
os.environ.update(
    {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        entry_point.TRACEBACK_VARIABLE: "1",
        watchdog.PARENT_VARIABLE: watchdog.process_identity(),
    }
)
shell.prefix(environment.shell_prefix(os.environ))


onstart:
    try:
        check_folders(RESULTS, RESOURCES)
        environment.make_home()
    except InputError as error:
        sys.exit(f"error: {error}")


wildcard_constraints:
    year=r"\d{4}",
    model="|".join(CONFIG.models),
    encoder="|".join(CONFIG.evaluation.encoders),
    figure="|".join(PLAN.figures),
    table="|".join(PLAN.tables),
    shard=r"\d+",


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
