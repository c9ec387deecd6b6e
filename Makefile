PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
INSTALL := $(RUN)/python -m pip install --quiet --disable-pip-version-check
UV_INSTALL := $(RUN)/uv pip install --quiet --system-certs --compile-bytecode --require-hashes
AUDIT := $(VENV)/audit/bin
LOCK := $(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras

# The tests start hundreds of processes; without bytecode each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help serve test test-all check bench torture fuzz soak mutants sbom licenses audit lock contract clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.serve  ## Serve the record on HOST:PORT (127.0.0.1:8000)
	@$(RUN)/cpc-record serve

test: $(VENV)/.test  ## Run the quick tests (PYTEST="tests/query -x")
	@$(RUN)/python -m pytest -n auto --dist worksteal -m "not long" $(PYTEST)

test-all: $(VENV)/.test  ## Run all tests, with coverage (see CONTRIBUTING.md for the programs they need)
	@$(RUN)/python -m pytest -n auto --dist loadscope --cov --cov-report=term $(PYTEST)

check: $(VENV)/.test  ## Lint; check formatting, types and import layers
	@$(RUN)/ruff check
	@$(RUN)/ruff format --check
	@$(RUN)/mypy
	@$(RUN)/lint-imports

bench: $(VENV)/.serve  ## Run the benchmarks (BENCH="--seconds 1 --rounds 1")
	@$(RUN)/python -m benchmarks $(BENCH)

torture: $(VENV)/.test  ## Test with faults, floods and attacks (TORTURE="--seed 7 --only kills")
	@$(RUN)/python -m tests.torture $(TORTURE)

fuzz: $(VENV)/.test  ## Fuzz HTTP and the parameters (FUZZ="--minutes 5")
	@$(RUN)/python -m tests.torture.schema
	@$(RUN)/python -m tests.torture.fuzz $(FUZZ)

soak: $(VENV)/.test  ## Run half an hour of load with release changes and kills (SOAK="--minutes 30")
	@$(RUN)/python -m tests.torture.soak $(SOAK)

mutants: $(VENV)/.test  ## Run mutation tests (see tests/MUTANTS.md)
	@$(RUN)/mutmut run --max-children 1
	@$(RUN)/mutmut results

sbom: $(VENV)/.audit  ## Write a software bill of materials as CycloneDX (sbom.json)
	@$(AUDIT)/python -W ignore -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml \
	    --output-reproducible --output-file sbom.json
	@echo sbom.json

licenses: $(VENV)/.audit $(VENV)/.serve  ## List the licenses of the dependencies
	@$(AUDIT)/pip-licenses --python $(RUN)/python --from all --format markdown \
	    --packages $$(grep -oE '^[A-Za-z0-9._-]+' requirements.txt)

audit: $(VENV)/.audit  ## Look up known vulnerabilities of the dependencies
	@bash .ci/audit $(AUDIT)/pip-audit requirements.txt

lock: $(VENV)/.test  ## Update the hash-locked requirements
	@$(LOCK) pyproject.toml --group build -o requirements.txt
	@$(LOCK) pyproject.toml --group build --extra telemetry -c requirements.txt -o requirements-telemetry.txt
	@$(LOCK) pyproject.toml --group build --extra archive -c requirements.txt -o requirements-archive.txt
	@$(LOCK) pyproject.toml --group build --extra parquet -c requirements.txt -o requirements-parquet.txt
	@$(LOCK) pyproject.toml --group build --extra publish -c requirements.txt -o requirements-publish.txt
	@$(LOCK) pyproject.toml --group build --group dev --all-extras -c requirements-telemetry.txt -c requirements-archive.txt -c requirements-parquet.txt -c requirements-publish.txt -o requirements-dev.txt
	@$(LOCK) --group audit -o requirements-audit.txt
	@$(LOCK) --group install -c requirements-dev.txt -o requirements-install.txt

contract: $(VENV)/.serve  ## Regenerate data/seed.schema.json, tests/openapi.json and CITATION.cff
	@$(RUN)/cpc-record schema > data/seed.schema.json
	@$(RUN)/python -m tests.support.citation_file > CITATION.cff
	@$(RUN)/python -m tests.support.contract

clean:  ## Remove generated files
	rm -rf $(VENV) mutants sbom.json data/archive.sqlite data/.archive*

$(VENV)/bin/python:
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the server's dependencies into $(VENV) (requirements.txt)"
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# uv takes seconds for many packages. If it fails, pip is tried, which may have other settings.
$(VENV)/bin/uv: requirements-install.txt | $(VENV)/bin/python
	@$(INSTALL) --require-hashes -r $<
	@touch $@

$(VENV)/.test: requirements-dev.txt pyproject.toml | $(VENV)/bin/uv
	@echo "Installing the development dependencies into $(VENV) (requirements-dev.txt)"
	@$(UV_INSTALL) --python $(RUN)/python -r $< || $(INSTALL) --require-hashes -r $<
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.serve

$(VENV)/.audit: requirements-audit.txt | $(VENV)/bin/uv
	@echo "Installing the audit tools into $(VENV)/audit (requirements-audit.txt)"
	@$(PYTHON) -m venv $(VENV)/audit
	@$(UV_INSTALL) --python $(AUDIT)/python -r $< || \
	    $(AUDIT)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
