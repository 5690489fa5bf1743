# Everything lives in .venv; a step runs again only when what it is made from has changed.
#   make tui         the explorer: of this machine where that is permitted, else of the bundled capture; ARGS="-r FILE ..."
#   make test        lint and tests        make test-long   fuzzing, soak, big files
#   make lint        ruff, mypy, imports   make bench       ratios to sysdig and csysdig

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED := $(shell grep -rl --include='*.py' 'cython\.compiled' engine) $(shell find engine -name '*.pxd')
PACKAGES := python3 python3-venv python3-dev gcc libc6-dev netbase

.PHONY: tui test test-long lint bench venv build system
.DELETE_ON_ERROR:

tui: build
	@$(BIN)/tui $(or $(ARGS),$$($(BIN)/tui doctor >/dev/null 2>&1 || echo -r tui/demo.scap.gz))

# Tests of the terminal and of the live machine mostly wait: two at a time take little more than half as long.
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: build $(VENV)/.test
	$(BIN)/python -m pytest -m long

lint: build $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: build $(VENV)/.bench
	$(BIN)/python -m benchmarks.run

venv: $(VENV)/.run
build: $(VENV)/.built

$(VENV)/.built: $(VENV)/.run setup.py $(COMPILED)
	$(BIN)/python setup.py -q build_ext --inplace
	@touch $@

$(VENV)/.run: pyproject.toml setup.py
	@$(MAKE) --no-print-directory system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group build
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --group test --group lint
	@touch $@

$(VENV)/.bench: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

# What pip cannot bring: venv, a compiler, Python's headers, names of services; and BCC, which only live capture needs.
system:
	@missing=; \
	if ! { $(PYTHON) -c 'import ensurepip, os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null \
	    && command -v cc >/dev/null && [ -e /etc/services ]; }; then missing="$(PACKAGES)"; fi; \
	if ! command -v apt-get >/dev/null; then \
	    if [ -n "$$missing" ]; then \
	        echo "syscope needs Python 3.11 or newer with venv and headers, a C compiler and /etc/services" >&2; exit 1; fi; \
	elif [ "$$(id -u)" -eq 0 ]; then \
	    /usr/bin/python3 -c 'import bcc; bcc.BPF' 2>/dev/null || missing="$$missing python3-bpfcc"; \
	    if [ -n "$$missing" ]; then \
	        apt-get update -qq && \
	        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi; \
	elif [ -n "$$missing" ]; then \
	    echo "Some system packages are missing. Run this, then make again:" >&2; \
	    echo "    sudo apt-get install -y $$missing" >&2; exit 1; \
	fi
