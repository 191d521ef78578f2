# `make` alone prints what there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help serve demo test check lint format bench migration lock clean

help: ## Print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

serve: .venv/serve ## Serve all contracts (HOST, PORT and DATABASE_URL say where and from what)
	@$(BIN)/python -W ignore app.py

demo: .venv/serve ## Fill a new account with a month of life, so that /docs has something to show
	@$(BIN)/python -W ignore demo.py

test: .venv/test ## Run the tests, on SQLite and on a real PostgreSQL
	@$(BIN)/python -m pytest

lint: .venv/test ## Check style, types, security and the contracts' YAML
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/bandit -q -r -c pyproject.toml .
	@$(BIN)/yamllint --strict openapi
	@for contract in openapi/*.yaml; do $(BIN)/openapi-spec-validator --errors all $$contract || exit 1; done

check: lint test ## All that CI runs

format: .venv/test ## Bring the code into the common style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: .venv/test ## Measure this server beside a FastAPI one, on PostgreSQL
	@$(BIN)/python -W ignore -m benchmarks.run

migration: .venv/test ## Write a migration for what changed in the models: make migration M="what it does"
	@$(BIN)/python -m db.migrations.draft "$(M)"

lock: .venv/test ## Pin the newest allowed versions of all dependencies
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) --extra test pyproject.toml -o requirements-test.lock

COMPILE := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean: ## Remove the virtual environment; var/ keeps its data
	@rm -rf .venv

# The lock files are complete, so nothing is resolved anew: what is installed is what they name.
.venv/serve: requirements.lock | .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

.venv/test: requirements-test.lock | .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-test.lock
	@touch .venv/serve $@

.venv/bin/python:
	@$(PYTHON) -m venv .venv
