# Every target sets up what it needs. `make paper` runs the pipeline, `make test` the tests.
SHELL := /bin/bash
PYTHON ?= python3
CORES ?= all
VENV := .venv
READY := $(VENV)/ready
# The shell's variable: the path itself may contain what a shell interprets.
RUN := PATH="$$PWD/$(VENV)/bin:$$PATH"
SNAKEMAKE := $(RUN) python -m heliosynth.workflow --cores $(CORES)
PIP := $(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: paper figures verify test test-robustness test-slurm lint bench docs setup programs clean

paper: setup
	@$(SNAKEMAKE)

figures: setup
	@$(SNAKEMAKE) figures

verify: setup
	@$(SNAKEMAKE) verify

test: setup
	@$(RUN) OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --dist loadgroup

# Killed jobs, full disks, damaged files: longer than `make test`.
test-robustness: setup
	@$(RUN) OMP_NUM_THREADS=1 python -m pytest -m robustness --numprocesses auto --dist loadgroup

test-slurm: setup
	@$(RUN) bash tests/slurm/run.sh

lint: setup
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) mypy
	@$(RUN) snakemake --lint

bench: setup
	@bash envs/quiet.sh pip $(VENV)/bench.log $(PIP) --requirement benchmarks/requirements.txt
	@$(RUN) python -m benchmarks

# docs/troubleshooting.md, from the messages of the code.
docs: setup
	@$(RUN) python -m docs.generate

setup: programs $(READY)

programs:
	@bash envs/programs.sh

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=...")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the Python packages of requirements.txt in $(VENV), which takes minutes; log: $(VENV)/setup.log"
	@bash envs/quiet.sh pip $(VENV)/setup.log $(PIP) --requirement requirements.txt --editable .
	@touch $@

clean:
	rm -rf results resources .snakemake
