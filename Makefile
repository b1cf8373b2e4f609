# Everything a newcomer needs is `make run` and `make test`; each works alone on a fresh clone.
# local/python is Python in the project's environment; it installs what is missing.
.DEFAULT_GOAL := help
.PHONY: help run start stop token docs chain-check prepare test clocks contract faults bench deploy destroy smoke lint openapi licences audit types validate lock clean

PYTHON := local/python
ROLE ?= user

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: ## Start everything, launch one token, serve until Ctrl-C; KEEP=1 goes on where the last run with it ended
	@SLIPWAY_KEEP="$(KEEP)" $(PYTHON) -m local.launch run --with-parent

start: ## The same, but leave it running in the background
	@SLIPWAY_KEEP="$(KEEP)" $(PYTHON) -m local.launch start

stop: ## End what `make start` or `make run` started
	@$(PYTHON) -m local.launch stop

token: ## Sign in and print an access token: ROLE=user|admin|operator
	@$(PYTHON) -m local.launch token --role $(ROLE)

prepare: ## Install and build, without starting anything
	@$(PYTHON) -m local.launch prepare

test: prepare ## Run every test, with coverage of the library
	@$(PYTHON) -m local.chromium
	@$(PYTHON) -m local.every_test

clocks: prepare ## Run unit and functional tests a day, a month and a year ahead, and at half speed
	@$(PYTHON) -m local.clocks

chain-check: ## Ask each RPC address of each chain what it is, and whether the deployers can work
	@$(PYTHON) -m local.chain_check

contract: prepare ## Check against a real MLflow server, Akash's judge of SDLs, and geth, which is built when Go is there
	@$(PYTHON) -c "from local.uv import sync; sync('mlflow')"
	@MLFLOW_PYTHON="$(CURDIR)/.local/venv/mlflow/bin/python" $(PYTHON) -m local.every_test contract

faults: prepare ## The long form of the fault tests: every fault alone, hundreds of jobs with random ones, and one table
	@SLIPWAY_FAULTS_JSON=$${SLIPWAY_FAULTS_JSON:-bench/faults.json} $(PYTHON) -m pytest tests/faults -s -q

bench: prepare ## Measure everything, and print one table with every promise; 20 minutes on a quiet machine
	@$(PYTHON) -m bench

deploy: ## Deploy deploy/<name>.toml to AWS: ENV=name; PLAN=yes says what would change, ALLOW=… what may be replaced
	@$(PYTHON) -m deploy $(if $(filter yes,$(PLAN)),plan,deploy) "$(ENV)" --allow "$(ALLOW)"

destroy: ## Say what stays of an installation on AWS, ENV=name; with CONFIRM=name delete the rest
	@$(PYTHON) -m deploy destroy "$(ENV)" --confirm "$(CONFIRM)"

restore: ## Bring back what a table lost: ENV=name TABLE=JobsTable AT=2026-11-29T12:00:00Z, OVERWRITE=yes for what changed, LEAVE= kinds to leave out
	@$(PYTHON) -m deploy restore "$(ENV)" --table "$(TABLE)" --at "$(AT)" --leave "$(LEAVE)" $(if $(filter yes,$(OVERWRITE)),--overwrite)

smoke: ## Check any installation from outside: API=https://… ; DOMAIN=… CHAIN=… where it has other ones, SPEND=yes to launch
	@$(PYTHON) -m deploy.smoke "$(API)" --domain "$(DOMAIN)" $(if $(CHAIN),--chain $(CHAIN)) --spend $(if $(filter yes,$(SPEND)),yes,no)

openapi: ## Write docs/openapi.json from the functions' routes and models, and what all clients have from that
	@$(PYTHON) -m local.openapi
	@$(PYTHON) -m local.clients
	@$(PYTHON) -m local.web

docs: ## Build the guide from these documents, and serve it until Ctrl-C
	@$(PYTHON) -m local.guide

licences: ## Write docs/licences.md and docs/sbom.cdx.json (CycloneDX) from what the shipped packages say of themselves
	@$(PYTHON) -m local.licences

audit: ## Ask the databases of known vulnerabilities about the locked packages; STRICT=yes fails where one can't be asked
	@$(PYTHON) -m local.audit $(if $(filter yes,$(STRICT)),--strict)

lint: ## Check style
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: ## Check types
	@$(PYTHON) -m mypy

validate: prepare ## Check template.yaml and the state machines
	@$(PYTHON) -m local.validate

lock: ## Lock the packages again after pyproject.toml has changed
	@$(PYTHON) -m local.lock

clean: ## End the local stack and delete everything that was installed or built
	@if [ -e .venv ]; then $(PYTHON) -m local.launch stop; fi
	rm -rf .aws-sam .local .venv node_modules web/node_modules web/dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
