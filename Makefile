# Fob from a fresh clone; `make help` lists the targets. Needs make and Python 3.11 or newer with its venv module.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
CHECKED := protocol/fob_protocol daemon/fob_daemon device_emulator/fob_device back_office/fob_office \
           log_verifier/fob_log_verify tests tools $(wildcard bench/*.py) examples

# Passed on: make demo ARGS="--headless", make test ARGS="tests/repo -x", make clauses ARGS=--json
ARGS ?=
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup packages demo test soak test-vm check clauses bench fuzz picture clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP)  ## make .venv with the five packages and their tools

$(STAMP): pyproject.toml
	tools/make-venv $(VENV)
	@# Quiet twice: errors, but no warnings about the machine's own pip configuration.
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable '.[dev,uvloop]'
	@touch $@

packages:  ## install the Debian packages that the tests use (prints the command when not root)
	@tools/system-packages tools/debian-packages.txt

demo: setup  ## run the main job on an emulated phone
	@tools/system-packages tools/demo-packages.txt || echo "demo: goes on without them" >&2
	@$(BIN)/fob demo $(ARGS)

# Half of the time a test waits for programs that it has started: four at a time keep two cores busy. Types take one.
test: packages setup  ## run the tests, and the checks beside them
	@tools/together 'make --no-print-directory check' \
		'$(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)'

# Of these `make test` takes a seeded sample.
SOAKED := tests/office/test_validation_replays.py tests/office/test_lost_answers.py tests/office/test_openapi.py \
          tests/office/test_names_at_once.py tests/office/test_distribution.py tests/office/test_load.py \
          tests/office/test_rollout_fleet.py tests/components \
          tests/three_programs tests/meter_log/test_edits.py tests/demo \
          tests/link/test_faults.py tests/protocol/test_answered_once.py

soak: packages setup  ## pass the tests of many repetitions with all of them: replays, lost answers, power cuts, edits, faults, kills
	FOB_REPLAYS=all FOB_LOST=all FOB_POWER_CUTS=all FOB_LOG_EDITS=all FOB_OPENAPI=all FOB_CROWDS=all FOB_TOURS=all FOB_FAULTS=all $(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder -o timeout=0 $(SOAKED) $(ARGS)
	PYTHONPATH=tests $(BIN)/python -m data_centre.soak --kills 10000
	PYTHONPATH=tests $(BIN)/python -m data_centre.real_soak --kills 500
	PYTHONPATH=tests $(BIN)/python -m data_centre.real_soak --kills 400 --database postgresql

# Its image is kept outside the tree, in ~/.cache/fob-vm or FOB_VM_CACHE; `make clean` leaves it.
test-vm: setup  ## run Fob on a real kernel, BlueZ and systemd, in a virtual machine (tests/vm/README.md)
	@tools/system-packages tools/vm-packages.txt
	@PYTHONPATH=tests $(BIN)/python -m vm $(ARGS)

check: setup  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CHECKED)

clauses: setup  ## show which tests prove which clause, and the gaps
	@$(BIN)/python tools/clauses.py $(ARGS)

bench: setup  ## run every bench/bench_*.py
	@tools/run-each $(BIN)/python 'bench/bench_*.py' $(ARGS)

fuzz: setup  ## run the property tests on new cases, then every tests/fuzz/fuzz_*.py for FUZZ_SECONDS (60) each
	FOB_HYPOTHESIS=explore $(BIN)/pytest -m hypothesis -o timeout=0
	@PYTHONPATH=tests tools/run-each $(BIN)/python 'tests/fuzz/fuzz_*.py' -max_total_time=$(FUZZ_SECONDS) $(ARGS)

picture: packages setup  ## make the pictures of README and docs anew, from a real phone's page
	@PYTHONPATH=tests $(BIN)/python -m screen.picture
	@PYTHONPATH=tests $(BIN)/python -m screen.office_picture
	@PYTHONPATH=tests $(BIN)/python -m screen.operator_picture
	@PYTHONPATH=tests $(BIN)/python -m screen.meter_picture

clean:  ## remove .venv, caches and build results
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
