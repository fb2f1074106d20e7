# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports generate generated bench soak clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Loom needs Python 3.11 or newer"; echo "  why: $$($(BIN)/python --version)"; \
		  echo "  fix: rm -rf $(VENV) && make demo PYTHON=python3.11"; exit 2; }
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Go from a table to a verdict and a report, with a leak on the way.
	@$(BIN)/loom demo

test: $(READY) ## Run all tests.
	@$(BIN)/python -m pytest -n $(WORKERS)

check: format lint types imports generated ## The gate: everything CI checks.
	@$(MAKE) --no-print-directory test

format: $(READY)
	@$(BIN)/ruff format --check --quiet src tests benchmarks || { echo "fix: $(BIN)/ruff format src tests benchmarks"; exit 1; }

lint: $(READY)
	@$(BIN)/ruff check --quiet src tests benchmarks
	@$(BIN)/loom --quiet process check --strict processes/builtin packages

types: $(READY)
	@$(BIN)/mypy --no-error-summary

imports: $(READY)
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

generate: $(READY) ## Write the generated files: schema, reference pages, catalogue.
	@$(BIN)/python -m loom.cli.generate

generated: $(READY)
	@$(BIN)/python -m loom.cli.generate --check

bench: $(READY) ## Measure the claims, each against its peer.
	@for script in benchmarks/p*.py; do $(BIN)/python $$script || exit 1; done

soak: $(READY) ## Run the long counts of the statistical and fuzz tests.
	@LOOM_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS)

clean: ## Remove what was installed and cached.
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
