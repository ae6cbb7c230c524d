# Deckwatch: everything a newcomer types. `make` alone lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

FIND_MICROPYTHON := $(BIN)/python tools/micropython.py

BOARDS := $(notdir $(patsubst %/board.json,%,$(wildcard boards/*/board.json)))

.DEFAULT_GOAL := help
.PHONY: help setup interpreters lint test soak branches mutants demo demo-phone bench sizes test-qemu flash firmware clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(READY) interpreters  ## make .venv with packlab and all tools, and find or fetch MicroPython

$(READY): pyproject.toml tools/environment.py
	@$(PYTHON) tools/environment.py $(VENV)
	@touch $@

interpreters: $(READY)  ## find or fetch MicroPython, 64 and 32 bit (without the second some tests are skipped)
	@path=$$($(FIND_MICROPYTHON) --bits 64) && echo "MicroPython 64 bit: $$path"
	@path=$$($(FIND_MICROPYTHON) --bits 32 || echo "none, see above; what needs it is skipped") && echo "MicroPython 32 bit: $$path"

lint: $(READY)  ## style, types, spelling, the module index and the import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check host tests tools
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file tools/mypy-firmware.ini
	@$(BIN)/codespell
	@$(BIN)/python tools/make_index.py --check
	@$(BIN)/python tools/make_plain.py --check
	@$(BIN)/python tools/make_phone.py --check
	@$(BIN)/python tools/make_package.py --check
	@$(BIN)/pytest -q tests/test_import_rules.py

test: interpreters lint  ## everything that is checked; under 10 minutes
	@$(BIN)/pytest -n auto

soak: interpreters branches mutants  ## the long tests, all branches, and every mutant
	@$(BIN)/pytest -n auto -m soak

# What covers them; the rest of the tests would only take longer to say the same.
PARTS   := meters guardrails protocols
PROVERS := alerts balance cells charge detect frozen_data guardrails heat identify judge link load ocv \
	parked probes reports session share single_faults stuck trip \
	$(addprefix protocol_,ant daly jbd jk ninebot vesc xiaomi)

branches: $(READY)  ## fails unless tests take every branch of meters, guardrails and protocols
	@$(BIN)/pytest -q -n auto $(PARTS:%=--cov=firmware/deckwatch/%) --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100 $(PROVERS:%=tests/test_%.py)

mutants: $(READY)  ## breaks meters and judge in every place: fails if tests notice fewer than 90 %
	@$(BIN)/python tools/mutants.py --least 90

test-qemu: interpreters  ## the core on bare RISC-V and ARM processors under QEMU (optional packages: tools/qemu.py)
	@$(BIN)/pytest -n 0 -m qemu -rs
	@$(BIN)/python tools/qemu.py

demo: interpreters  ## replay a real scooter line and a made ride through the firmware
	@$(BIN)/packlab demo

demo-phone: interpreters  ## open the phone page in Chromium, with a virtual dongle in reach
	@$(BIN)/packlab phone --virtual

bench: interpreters  ## measure the core and show the budgets beside the figures
	@$(BIN)/python tools/bench.py

sizes: $(READY)  ## bytes of every firmware module, compiled
	@$(BIN)/python tools/sizes.py

flash: $(READY)  ## put the firmware onto a dongle: make flash BOARD=ESP32_C3_MINI PORT=/dev/ttyACM0
	@test -n "$(BOARD)" -a -n "$(PORT)" || { echo "type: make flash BOARD=... PORT=...; boards: $(BOARDS)"; exit 2; }
	@$(BIN)/python -c "import esptool" 2>/dev/null || $(BIN)/python -m pip install -q -e ".[flash]"
	@$(BIN)/packlab flash --board $(BOARD) --port $(PORT) $(FLASH)

firmware: $(READY)  ## build a whole image where ESP-IDF is: make firmware BOARD=ESP32_C3_MINI
	@test -n "$(BOARD)" || { echo "type: make firmware BOARD=...; boards: $(BOARDS)"; exit 2; }
	@$(BIN)/python tools/firmware.py $(BOARD)

clean:  ## remove what was made here; the interpreters in the user's cache stay
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
