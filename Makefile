PYTHON ?= python3
LAB ?= raid1
DISTRO ?= debian-12
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# A process for each processor, but no more than there is memory for machines.
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup up lint fmt test test-packages test-labs test-machines test-unit test-cloud test-distro test-vagrant docs bench bench-labs bench-proofs
.PHONY: clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install what is missing: system packages, and a virtual environment with lpiclab in .venv

$(STAMP): pyproject.toml requirements.lock tools/system-packages
	./tools/system-packages
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q lpiclab
	@touch $@

up: setup ## Start a lab: make up LAB=raid1
	@$(BIN)/lpiclab up $(LAB)

lint: setup ## Check style, types and the labs' files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lpiclab lint --distro debian-13
	$(BIN)/lpiclab lint --distro debian-12

fmt: setup ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

test-packages: setup
	./tools/system-packages busybox-static

test: test-packages ## Run all tests, on real machines: every lab solved, three of them wrongly too
	$(BIN)/pytest $(SIDE_BY_SIDE)

test-labs: test-packages ## Prove every lab's contract, with all of its forks
	LPICLAB_PROVE_ALL=1 $(BIN)/pytest $(SIDE_BY_SIDE) tests/labs

test-machines: test-packages ## Run the tests of machines, networks and crashes, on real machines
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/vm

test-unit: test-packages ## Run the tests that need no machine
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit tests/contract tests/labs/test_format.py -m "not vm"

test-cloud: test-packages ## Make an image of a published disk, served from loopback, and run a lab on it
	$(BIN)/pytest tests/cloud

test-distro: test-packages ## Prove the labs on another distribution: make test-distro DISTRO=almalinux-9
	$(BIN)/lpiclab lint --distro $(DISTRO)
	$(BIN)/lpiclab image build $(DISTRO)
	LPICLAB_DISTRO=$(DISTRO) $(BIN)/pytest tests/vm/test_distro.py
	LPICLAB_PROVE_ALL=1 LPICLAB_DISTRO=$(DISTRO) $(BIN)/pytest $(SIDE_BY_SIDE) tests/labs/test_contract.py

test-vagrant: setup ## Run the labs that prove the provider vagrant, with libvirt in namespaces of its own (root)
	./tools/system-packages vagrant vagrant-libvirt libvirt-daemon-system libvirt-clients
	$(BIN)/pytest tests/vagrant

docs: setup ## Write what is generated of the documents: docs/proof.md
	$(BIN)/python tools/proof-page

bench: setup ## Measure, and write bench/RESULTS.md
	$(BIN)/python bench/measure.py --build

bench-labs: setup ## Measure what grading each lab takes, and write bench/LABS.md
	$(BIN)/python bench/labs.py

bench-proofs: setup ## Measure what proving each lab takes, and write bench/PROOFS.md
	$(BIN)/python bench/proofs.py

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
