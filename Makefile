PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
INSTALL := $(RUN)/python -m pip install --quiet --disable-pip-version-check
LOCK := $(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras pyproject.toml

.PHONY: help serve test check bench lock contract clean

help:  ## List what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.serve  ## Serve the record on HOST:PORT (127.0.0.1:8000)
	@$(RUN)/cpc-record serve

test: $(VENV)/.test  ## Run the tests
	@$(RUN)/python -m pytest --cov --cov-report=term $(PYTEST)

check: $(VENV)/.test  ## Lint, check formatting and types
	@$(RUN)/ruff check
	@$(RUN)/ruff format --check
	@$(RUN)/mypy

bench: $(VENV)/.serve  ## Measure against the peers and the limits (BENCH="--seconds 1 --rounds 1")
	@$(RUN)/python -m benchmarks $(BENCH)

lock: $(VENV)/.test  ## Renew the hash-locked requirements
	@$(LOCK) --group build -o requirements.txt
	@$(LOCK) --group build --extra telemetry -c requirements.txt -o requirements-telemetry.txt
	@$(LOCK) --group build --group dev --extra telemetry -c requirements-telemetry.txt -o requirements-dev.txt

contract: $(VENV)/.serve  ## Write the seed's schema and the API's contract anew
	@$(RUN)/cpc-record schema > data/seed.schema.json
	@$(RUN)/python -m tests.contract

clean:  ## Remove what was made
	rm -rf $(VENV) data/archive.sqlite data/.archive-*

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.serve
