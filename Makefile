# Everything is set up on first use: `make demo` and `make test` are all that a fresh clone needs. PYTHON=python3.12 names
# another Python, LOCK=oldest the oldest versions of all that pyproject.toml allows.
LOCK   ?= newest
VENV   := .venv
BIN    := $(VENV)/bin
# more than cores: boards and tests wait for each other a good part of the time
JOBS   ?= 4
# every process of the tests would compile all that it imports, and pytest its assertions, anew
unexport PYTHONDONTWRITEBYTECODE
# what CI keeps: --junit-xml=reports/host.xml --root-logdir=reports/logs
REPORTS ?=
# what a .venv is made of
PARTS  := pyproject.toml requirements/$(LOCK).txt scripts/setup

.PHONY: help setup lock native demo test check bench docs clean
.DEFAULT_GOAL := help

STAMPS := $(VENV)/.installed $(VENV)/.installed-run

# a .venv whose Python is gone or has become another one, or is not the one that is asked for
$(shell $(BIN)/python -c 'import fctry' 2>/dev/null || rm -f $(STAMPS))
ifdef PYTHON
export PYTHON
$(shell v="$$($(PYTHON) -V 2>/dev/null)" && [ "$$($(BIN)/python -V 2>/dev/null)" != "$$v" ] && rm -f $(STAMPS))
endif
# one with the other versions is out of date
$(shell [ "$$(cat $(VENV)/.lock 2>/dev/null || echo newest)" = $(LOCK) ] || touch -c -t 197001020000 $(STAMPS))

help:           ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(VENV)/.installed ## .venv with the package, its tests and the linters

$(VENV)/.installed-run: $(PARTS)
	@LOCK=$(LOCK) scripts/setup run

$(VENV)/.installed: $(PARTS)
	@LOCK=$(LOCK) scripts/setup dev

lock: $(VENV)/.installed ## requirements/: the newest versions of all, and the oldest that pyproject.toml allows
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements/newest.txt --upgrade
	sed -nE 's/^ *"([A-Za-z0-9_-]+)(\[.*\])?>=([0-9.]+).*/\1==\3/p' pyproject.toml \
		| $(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements/oldest.txt --upgrade --constraint -

COMPILE := --quiet --universal --python-version 3.10 --all-extras --no-header --no-annotate --no-emit-index-url

native: $(VENV)/.installed ## the firmware as a host program, plain and with NVS encryption: firmware/native/build
	$(MAKE) --no-print-directory -j$(JOBS) -C firmware/native PYTHON=$(CURDIR)/$(BIN)/python all encrypted

demo: $(VENV)/.installed-run ## four devices from spec to proof, on simulated boards
	$(BIN)/fctry demo

test: native    ## everything that needs no hardware
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(REPORTS)

check: $(VENV)/.installed ## style, types, C warnings, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory -C firmware/native check PYTHON=$(CURDIR)/$(BIN)/python

bench: native   ## speed, as ratios against what a user would run instead
	$(BIN)/python -m pytest benchmarks --benchmark-columns=min,median,ops --benchmark-sort=name -s

docs: $(VENV)/.installed ## the documentation as a site, build/site; warnings are errors, links are checked
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:          ## remove what was built, keep .venv
	rm -rf firmware/native/build firmware/build
