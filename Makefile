# `make` alone prints what there is.
# The first that runs and is supported; a name alone may be one of pyenv's, with nothing behind it.
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3.14 python3; do $$one $(IS_SUPPORTED) 2>&1 && echo $$one && break; done)
IS_SUPPORTED := -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help serve demo admin test coverage test-sdk test-browser test-tracing test-deploy check lint audit lint-deploy lint-node format sdk fuzz walks attack crash cluster races migration-trial diff-contracts bench bench-workers contract migration lock clean

help: ## Print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

serve: .venv/serve ## Serve all contracts (HOST, PORT and DATABASE_URL say where and from what)
	@$(BIN)/python -W ignore app.py

demo: .venv/serve ## Fill a new account with a month of sample data and print how to log in
	@$(BIN)/python -W ignore demo.py

admin: .venv/serve ## Run a command: make admin ARGS="account list" (without ARGS it lists them)
	@FLASK_SKIP_DOTENV=1 $(BIN)/python -W ignore -m flask --app app $(or $(ARGS),--help)

test: .venv/test ## Run the tests, on SQLite and on a real PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal

coverage: .venv/test ## Run the tests with coverage, and list the lines that no test reaches
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --ignore=tests/fuzz --ignore=tests/sdk --ignore=tests/process

test-sdk: .venv/sdk tools/node_modules/.package-lock.json ## Test the generated clients that need Node 20.19 and Java 11
	@$(BIN)/python -m pytest -m sdk

test-browser: .venv/test tools/node_modules/.package-lock.json ## Test the pages in Chromium (needs Node 20.19); SCREENSHOTS=<folder> keeps pictures
	@$(BIN)/python -m pytest -m browser

test-tracing: .venv/tracing ## Test traces against a collector that takes them, hangs, or is away
	@.venv/tracing/bin/python -W ignore -m tests.trials.tracing

test-deploy: .venv/test .venv/deploy ## Try out Caddy and nginx before two servers (nginx is Debian's, or skipped)
	@$(BIN)/python -m pytest -m deploy -rs

lint: .venv/test ## Check style, types, security and the contracts' YAML
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/bandit -q -r -c pyproject.toml .
	@$(BIN)/yamllint --strict openapi
	@$(BIN)/openapi-spec-validator openapi/*.yaml

audit: .venv/audit ## Look up known vulnerabilities of all that the lock files name (needs the internet)
	@for lock in $(LOCKS); do echo "$$lock:"; \
		.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$lock || failed=1; \
	done; exit $${failed:-0}

LOCKS := requirements.lock requirements-test.lock requirements-sdk.lock requirements-tracing.lock requirements-audit.lock requirements-deploy.lock

lint-deploy: .venv/test .venv/deploy ## Check what is in deploy/ with validators, and name those that are not installed
	@$(BIN)/python -m tools.deployment .venv/deploy/bin

lint-node: tools/node_modules/.package-lock.json ## Check the contracts with Redocly and Spectral (needs Node 20.19)
	@REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
		tools/node_modules/.bin/redocly lint --config tools/redocly.yaml openapi/*.yaml
	@tools/node_modules/.bin/spectral lint --ruleset tools/spectral.yaml --fail-severity hint openapi/*.yaml

check: lint test ## All that CI runs with Python alone

format: .venv/test ## Format the code, and fix what ruff can fix
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

sdk: .venv/test tools/node_modules/.package-lock.json ## Generate Python and TypeScript clients into sdk/ (needs Node 20.19)
	@$(BIN)/python -m tools.sdk

fuzz: .venv/test ## Fuzz every contract for long: make fuzz OPTIONS="--database postgresql --max-time 600" (or --help)
	@$(BIN)/python -W ignore -m tests.fuzz.long_run $(OPTIONS)

walks: .venv/test ## Walk always other ways through all contracts beside a plain model, for about an hour
	@$(BIN)/python -m pytest -n 2 --hypothesis-profile=long tests/walks

attack: .venv/test ## Hold a server against 1,000 hostile connections: make attack OPTIONS="--database postgresql" (or --help)
	@$(BIN)/python -W ignore -m tests.trials.attack $(OPTIONS)

crash: .venv/test ## Kill the server and PostgreSQL while clients write: make crash OPTIONS="--sqlite 20" (or --help)
	@$(BIN)/python -W ignore -m tests.trials.crash $(OPTIONS)

cluster: .venv/test ## Kill and replace parts of a PostgreSQL cluster while clients write (needs Debian packages, which it names; OPTIONS=--help)
	@$(BIN)/python -W ignore -m tests.trials.cluster $(OPTIONS)

races: .venv/test ## Send 500 requests that want the same thing at the same time, on both databases (OPTIONS=--help)
	@$(BIN)/python -W ignore -m tests.trials.races $(OPTIONS)

migration-trial: .venv/test ## Change the schema over a million tasks in use, and see who waits: make migration-trial OPTIONS="--tasks 100000"
	@$(BIN)/python -W ignore -m tests.trials.migrations $(OPTIONS)

diff-contracts: .venv/test ## List what has changed in the contracts since a revision, breaking changes first: make diff-contracts BASE=<revision>
	@$(BIN)/python -m tools.contract_changes $(or $(BASE),HEAD)

bench: .venv/test ## Measure this server beside a FastAPI one, or beside another checkout of it: make bench AGAINST=<folder>
	@$(BIN)/python -W ignore -m benchmarks.run $(if $(AGAINST),--against "$(AGAINST)") $(OPTIONS)

bench-workers: .venv/test ## Measure one worker beside two: make bench-workers OPTIONS="--workers 4" (or --help)
	@$(BIN)/python -W ignore -m benchmarks.workers $(OPTIONS)

contract: .venv/test ## Write the skeleton of a new contract: make contract NAME=pulse BASE=/pulse/v1 ERROR=problem
	@$(BIN)/python -W ignore -m tools.contract "$(NAME)" "$(BASE)" "$(ERROR)"

migration: .venv/test ## Write a migration for what changed in the models: make migration M="what it does"
	@$(BIN)/python -m db.migrations.draft "$$M"

lock: .venv/test ## Pin the newest allowed versions of all dependencies
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) --extra test pyproject.toml -o requirements-test.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) --extra test --extra sdk pyproject.toml -o requirements-sdk.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) --extra tracing pyproject.toml -o requirements-tracing.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) requirements-audit.in -o requirements-audit.lock
	@$(BIN)/uv pip compile -q --upgrade $(COMPILE) requirements-deploy.in -o requirements-deploy.lock

COMPILE := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean: ## Remove what was installed and generated; var/ keeps its data
	@rm -rf .venv tools/node_modules sdk

# Of pip only errors are wanted; its warnings are about the settings of the machine, such as a cache it may not write.
QUIETLY := -qq --disable-pip-version-check

# The lock files are complete, so nothing is resolved anew: what is installed is what they name.
.venv/serve: requirements.lock | .venv/bin/python
	@$(BIN)/python -m pip install $(QUIETLY) --no-deps --require-hashes -r requirements.lock
	@touch $@

.venv/test: requirements-test.lock | .venv/bin/python
	@$(BIN)/python -m pip install $(QUIETLY) --no-deps --require-hashes -r requirements-test.lock
	@touch .venv/serve $@

.venv/sdk: requirements-sdk.lock | .venv/bin/python
	@$(BIN)/python -m pip install $(QUIETLY) --no-deps --require-hashes -r requirements-sdk.lock
	@touch .venv/serve .venv/test $@

# In environments of their own, so that what audits the dependencies, or checks deploy/, is none of them, and the other
# tests run without the packages for traces, as most servers do.
.venv/audit .venv/deploy .venv/tracing: .venv/%: requirements-%.lock | .venv/bin/python
	@rm -rf $@ && $(BIN)/python -m venv $@
	@$@/bin/python -m pip install $(QUIETLY) --no-deps --require-hashes -r $<
	@touch $@

tools/node_modules/.package-lock.json: tools/package-lock.json
	@cd tools && npm ci --loglevel=error

.venv/bin/python:
	@$(or $(PYTHON),false) $(IS_SUPPORTED) 2>&1 || { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed; make PYTHON=<path> says which one to use" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
