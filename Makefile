# Leukobook. Needs Python 3.11 to 3.13 and make; everything else comes into .venv from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
# A file of tests at a time on every core; more than four need more memory than many machines have. In the order of their
# names, so that the book, which takes longest, does not come last. Each with one thread: more would compete for the cores.
PYTEST := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
LEUKOBOOK := $(BIN)/python -m helpers
# Absolute, because notebooks run in folders of their own; make's own abspath knows neither ~ nor spaces.
ABSOLUTE = $(shell $(PYTHON) -c 'import os, sys; print(os.path.abspath(os.path.expanduser(sys.argv[1])))' "$(1)")
ifdef LEUKOBOOK_DATA
override LEUKOBOOK_DATA := $(call ABSOLUTE,$(LEUKOBOOK_DATA))
export LEUKOBOOK_DATA
endif
ifdef LEUKOBOOK_WEIGHTS
override LEUKOBOOK_WEIGHTS := $(call ABSOLUTE,$(LEUKOBOOK_WEIGHTS))
export LEUKOBOOK_WEIGHTS
endif

.PHONY: help env book slides pdf full results test check lowest lab data notebooks lock clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'

env: .venv/ready  ## create .venv from requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make env PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

book: env  ## execute every notebook with the quick profile and render the book
	$(LEUKOBOOK) book quick

slides: env  ## slides of the chapters, from their cells tagged slide: one file each, with its pictures inside
	$(LEUKOBOOK) slides quick

pdf: env  ## each chapter of the book as a PDF to print, in build/quick/pdf; needs Chromium or Chrome
	$(LEUKOBOOK) pdf quick

full: env  ## the same book from a full run on a real dataset: make full DATASET=wbc1
	@test -n "$(DATASET)" || { echo "Which dataset? For instance: make full DATASET=wbc1"; exit 2; }
	$(LEUKOBOOK) book full-$(DATASET)

results: env  ## every number of the results page again, in some hours; what has not changed is not run again
	$(LEUKOBOOK) publish
	$(BIN)/python benchmarks/realism.py difficulty
	$(BIN)/python benchmarks/realism.py segmentation
	$(BIN)/python benchmarks/partitions.py
	$(BIN)/python benchmarks/partition_networks.py build/partition-networks
	$(BIN)/python benchmarks/counting.py accuracy build/counting
	$(BIN)/python benchmarks/bccd_differential.py build/counting

test: env  ## everything that must hold
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(PYTEST) tests
	@# The tests of the book have compared every chapter, run from nothing, with its outputs. Nbval, which readers use, does
	@# so for three quick chapters, and for the first that reads back what was trained.
	mkdir -p notebooks/outputs && cp -r build/quick/work/04-segment/outputs/. notebooks/outputs
	$(PYTEST) --nbval --nbval-current-env notebooks/0[0-2]-*.ipynb notebooks/04-segment.ipynb

check: env  ## the quick part of the tests, for while you work
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(PYTEST) -q -m "not slow" tests

# Python 3.11, the lowest too. TensorFlow's own requirements decide the versions of what this package does not name.
lowest: env  ## the quick tests with the lowest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python 3.11 build/lowest
	$(BIN)/uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct --editable '.[tensorflow,book,test]'
	$(subst $(BIN),build/lowest/bin,$(PYTEST)) -q -m "not slow" tests

lab: env  ## open the notebooks in JupyterLab
	@# From the root, so that links from a notebook to book/ work.
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb

data: env  ## fetch and check a dataset: make data NAME=wbc1
	@test -n "$(NAME)" || { echo "Which dataset? For instance: make data NAME=wbc1"; $(LEUKOBOOK) data list; exit 2; }
	$(LEUKOBOOK) data get $(NAME)

notebooks: env  ## execute the notebooks and write their outputs back, normalised
	$(BIN)/ruff format --quiet notebooks
	$(LEUKOBOOK) notebooks

lock: env  ## remake requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --quiet -o requirements.lock

clean:  ## remove everything that was built, .venv included
	rm -rf build .venv notebooks/outputs .pytest_cache .ruff_cache *.egg-info
