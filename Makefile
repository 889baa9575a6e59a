# Everything is set up on first use: `make demo` and `make test` are all that a fresh clone needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= 2
# what CI keeps: --junit-xml=reports/host.xml --root-logdir=reports/logs
REPORTS ?=

.PHONY: help setup native demo test check bench clean
.DEFAULT_GOAL := help

help:           ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(STAMP) ## .venv with the package installed editable

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

native: $(STAMP) ## the firmware as a host program, plain and with NVS encryption: firmware/native/build
	$(MAKE) --no-print-directory -j$(JOBS) -C firmware/native PYTHON=$(CURDIR)/$(BIN)/python all encrypted

demo: native    ## two devices from spec to proof, on simulated boards
	$(BIN)/fctry demo

test: native    ## everything that needs no hardware
	$(BIN)/python -m pytest -n $(JOBS) $(REPORTS)

check: $(STAMP) ## style, types, C warnings, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory -C firmware/native check PYTHON=$(CURDIR)/$(BIN)/python

bench: native   ## speed, as ratios against what a user would run instead
	$(BIN)/python -m pytest benchmarks --benchmark-columns=min,median,ops --benchmark-sort=name -s

clean:          ## remove what was built, keep .venv
	rm -rf firmware/native/build firmware/build
