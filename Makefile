# Every target sets up what it needs. `make paper` runs the main job, `make test` the tests.
SHELL := /bin/bash
PYTHON ?= python3
CORES ?= all
VENV := .venv
READY := $(VENV)/ready
SNAKEMAKE = PATH="$(CURDIR)/$(VENV)/bin:$$PATH" snakemake --cores $(CORES)
RUN = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: paper test test-slurm figures verify bench lint setup programs clean

paper: setup
	@$(SNAKEMAKE)

figures: setup
	@$(SNAKEMAKE) figures

verify: setup
	@$(SNAKEMAKE) verify

test: setup
	@$(RUN) OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --dist loadgroup

test-slurm: setup
	@$(RUN) bash tests/slurm/run.sh

lint: setup
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) mypy
	@$(RUN) snakemake --lint

bench: setup
	@$(RUN) python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt --constraint constraints.txt
	@$(RUN) python -m benchmarks

setup: programs $(READY)

programs:
	@bash envs/programs.sh

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=...")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --constraint constraints.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf results resources .snakemake
