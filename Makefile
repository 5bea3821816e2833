# Every way to run, check and change Administrate, as one-word targets. Needs Python 3.11+ with venv and pip, and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Where this one is older than 3.11, python3.14 to python3.11 are tried as well.
PYTHON ?= python3
# examples, or empty
DEMO ?= examples
# More words for pytest: make test ARGS="-k dashboard -x"
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

# A stamp that outlived its environment (a removed Python, an emptied folder) counts for nothing.
ifeq ($(shell $(BIN)/python -c 'import pip; print("works")' 2>/dev/null),)
$(shell rm -f $(VENV)/.installed $(VENV)/.installed-dev)
endif

.PHONY: help install run demo test check lint audit sbom bench backtest lock format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/.installed ## make the environment in .venv from the locked dependencies
	@:

run: $(VENV)/.installed ## start Administrate; Ctrl-C stops it
	@exec $(BIN)/python -c "$$FOREGROUND" manage.py run

demo: $(VENV)/.installed ## start it with a simulated ElevenLabs workspace and example companies; DEMO=empty leaves those out
	@exec $(BIN)/python -c "$$FOREGROUND" manage.py run --demo $(DEMO)

test: $(VENV)/.installed-dev ## run every test; installs PostgreSQL, Redis and Chromium where missing and allowed
	@$(BIN)/python -m tests.services.prepare
	@$(BIN)/python -m tests.run $(ARGS)

check: $(VENV)/.installed-dev ## everything that CI asks for: lint beside every test
	@$(BIN)/python -m tests.services.prepare
	@$(BIN)/python -m tests.run --lint $(ARGS)

lint: $(VENV)/.installed-dev ## the part of check that needs no server: style, types, weaknesses, import rules, migrations, settings
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy .
	$(BIN)/python -m bandit --configfile pyproject.toml --recursive --quiet .
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.services.deploy_check

audit: $(VENV)/.installed-dev ## ask for known vulnerabilities of the locked dependencies; says so where nobody can be asked
	@$(BIN)/python -m tests.services.audit

sbom: $(VENV)/.installed-dev ## write administrate.cdx.json, the CycloneDX bill of materials of the locked dependencies
	@$(BIN)/python -m tests.services.sbom administrate.cdx.json

bench: $(VENV)/.installed-dev ## measure speed, rows read and storage beside references (25 minutes; ARGS=--quick: 2)
	@$(BIN)/python -m tests.services.prepare postgresql
	@$(BIN)/python -m benchmarks $(ARGS)

backtest: $(VENV)/.installed-dev ## replay forecasts and the search for unusual spending day by day (2 minutes; ARGS="--series 20")
	@$(BIN)/python -m backtesting $(ARGS)

lock: $(VENV)/.installed-dev ## write both lock files after a change of pyproject.toml; ARGS=--upgrade chooses new versions
	$(UV_COMPILE) --output-file requirements.txt pyproject.toml
	$(UV_COMPILE) --extra dev -c requirements.txt --output-file requirements-dev.txt pyproject.toml

format: $(VENV)/.installed-dev ## bring the code into its style
	$(BIN)/python -m ruff check --fix --exit-zero
	$(BIN)/python -m ruff format

clean: ## remove the environment and every cache; the data in var/ stays
	rm -rf $(VENV) staticfiles test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

UV_COMPILE = $(BIN)/uv pip compile $(ARGS) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --quiet --custom-compile-command "make lock"

# Without its stamp an environment is half-made (somebody pressed Ctrl-C) or somebody else's: it is made anew.
$(VENV)/.installed: requirements.txt
	@if [ ! -f $@ ]; then \
		for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 none; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		if [ "$$python" = none ]; then \
			echo "Administrate needs Python 3.11 or newer, and $(PYTHON) is not: install one, or name it: make PYTHON=/path/to/python3" >&2; \
			exit 1; \
		fi; \
		if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$$python can't make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)." >&2; \
			exit 1; \
		fi; \
		echo "Making the environment in $(VENV) (once, about half a minute) …"; \
		"$$python" -m venv --clear $(VENV) || exit 1; \
	fi; \
	rm -f $@ $(VENV)/.installed-dev; \
	$(PIP_INSTALL) -r requirements.txt && touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Adding the development tools to $(VENV) (once) …"
	@$(PIP_INSTALL) --no-compile -r requirements-dev.txt && touch $@  # what is used of them is compiled when it is

# Ctrl-C reaches everything in the terminal's foreground group, make included, which then ends with an error however
# well the server stopped. So the server takes the foreground for itself, and gives it back at its end.
define FOREGROUND
import atexit, os, runpy, signal, sys
try:
    group_of_make = os.getpgrp()
    if os.tcgetpgrp(0) == group_of_make:
        for stop in (signal.SIGTSTP, signal.SIGTTOU):
            signal.signal(stop, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())
        atexit.register(os.tcsetpgrp, 0, group_of_make)
except OSError:
    pass  # no terminal
sys.argv[:1] = []
runpy.run_path(sys.argv[0], run_name="__main__")
endef
export FOREGROUND
