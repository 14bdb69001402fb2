# SPDX-License-Identifier: MIT
# Every target sets up what it needs first and does nothing twice. `make help` lists them.

PYTHON ?= python3
TEST_ARGS ?=
PLATFORM ?= qemu
ARGS ?=
FUZZ_EXAMPLES ?= 1000000
SOAK_BACKEND ?= 1000
SOAK_FRONTEND ?= 200
SOAK_MODULE ?= 200
SOAK_STARTS ?= 500
FUZZ_TRANSPORT ?= 2000000
HOSTILE_CASES ?= 200000
.DEFAULT_GOAL := help
SETUP = python=$$(host_tools/trapless/setup/bootstrap.sh $(PYTHON)) && PYTHONPATH=host_tools $$python -m trapless.setup

# Everything below runs one after the other; what is slow uses all cores by itself.
.NOTPARALLEL:
.PHONY: help setup run test unit soak polled bench fuzz hostile verify image firmware linux linux-check lint docs reference clean doctor

help: ## list the targets
	@echo "make TARGET   each one sets up what it needs first; a second time it does nothing that is done"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "Variables:"
	@echo "  PLATFORM=xen     run, image, polled: domains of Xen instead of two machines of QEMU"
	@echo "  ARGS='...'       run, bench, image, verify: options of the command behind it (trapless run --help)"
	@echo "  TEST_ARGS='...'  whatever runs tests: arguments of pytest"
	@echo "  FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) FUZZ_TRANSPORT=$(FUZZ_TRANSPORT) HOSTILE_CASES=$(HOSTILE_CASES)"
	@echo "  SOAK_BACKEND=$(SOAK_BACKEND) SOAK_FRONTEND=$(SOAK_FRONTEND) SOAK_MODULE=$(SOAK_MODULE) SOAK_STARTS=$(SOAK_STARTS)"
	@echo "  MICROPYTHON_TOP=/path/to/another/micropython PYTHON=/path/to/python3.11 XDG_CACHE_HOME=/path/to/cache"

setup: ## install packages, Python dependencies, kernel and sources (cached outside the clone)
	@$(SETUP)

run: ## boot the pair; show what Linux sees, then its shell
	@$(SETUP) machines
	@.venv/bin/trapless run --platform $(PLATFORM) $(ARGS)

test: ## lint, unit, MicroPython, conformance, fuzz (small) and end-to-end tests
	@$(SETUP) all
	@.venv/bin/pytest --junit-xml=build/junit.xml $(TEST_ARGS)

unit: ## the tests that need no machine, without lint
	@$(SETUP) interpreter interpreter-sanitized
	@.venv/bin/pytest -m 'not e2e' --ignore=tests/lint --ignore=tests/docs --ignore=tests/e2e $(TEST_ARGS)

soak: ## 1,000 kills of the backend, 200 reboots of the frontend, 200 removals of the module, under load; 500 starts on any memory
	@$(SETUP) machines
	@TRAPLESS_SOAK_BACKEND=$(SOAK_BACKEND) TRAPLESS_SOAK_FRONTEND=$(SOAK_FRONTEND) TRAPLESS_SOAK_MODULE=$(SOAK_MODULE) \
		TRAPLESS_STARTS=$(SOAK_STARTS) .venv/bin/pytest -s tests/e2e/test_recovery.py tests/e2e/test_starts.py $(TEST_ARGS)

polled: ## the end-to-end tests on a link without a doorbell, on which both sides poll
	@$(SETUP) all
	@.venv/bin/pytest tests/e2e --topology polled --platform $(PLATFORM) $(TEST_ARGS)

bench: ## boot the pair on each platform and measure it
	@$(SETUP) machines
	@.venv/bin/trapless bench $(ARGS)

fuzz: ## FUZZ_EXAMPLES random messages, alone and in lives of two frontends; FUZZ_TRANSPORT rings and batches
	@$(SETUP) interpreter interpreter-sanitized
	@export TRAPLESS_FUZZ_SEED=$${TRAPLESS_FUZZ_SEED:-$$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}; \
		echo "TRAPLESS_FUZZ_SEED=$$TRAPLESS_FUZZ_SEED repeats this run"; \
		TRAPLESS_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) TRAPLESS_FUZZ_TRANSPORT=$(FUZZ_TRANSPORT) .venv/bin/pytest tests/fuzz --timeout=3600 $(TEST_ARGS)

verify: ## search the models of the transport with Spin (minutes), print the figures
	@$(SETUP)
	@.venv/bin/python -m trapless.verify $(ARGS)

hostile: ## HOSTILE_CASES wrong things that a backend does to Linux's driver in a virtual machine
	@$(SETUP) machines linux-tests
	@TRAPLESS_HOSTILE_CASES=$(HOSTILE_CASES) .venv/bin/pytest tests/e2e/test_hostile_backend.py -s $(TEST_ARGS)

image: ## build/image/: both machines to boot by hand; Image, ELF and device tree to flash
	@$(SETUP) machines
	@.venv/bin/trapless image --platform $(PLATFORM) $(ARGS)

firmware: ## the backend's image, and MicroPython's unix port for the tests
	@$(SETUP) firmware interpreter interpreter-sanitized

linux: ## the frontend's kernel modules, those of the tests too
	@$(SETUP) linux linux-tests initramfs

linux-check: ## the modules by sparse and checkpatch; end-to-end tests on kernels with KASAN, lockdep, UBSAN, then KCSAN
	@$(SETUP) machines linux-tests kasan kcsan
	@.venv/bin/pytest tests/lint/test_linux_cpython.py
	@.venv/bin/pytest tests/e2e --sanitizer kasan $(TEST_ARGS)
	@.venv/bin/pytest tests/e2e --sanitizer kcsan $(TEST_ARGS)

lint: ## style, types, import layers, shell, kernel style, sparse, bindings
	@$(SETUP) linux
	@.venv/bin/pytest tests/lint $(TEST_ARGS)

docs: ## run what the documents show
	@$(SETUP) all
	@.venv/bin/pytest tests/docs $(TEST_ARGS)

reference: ## write docs/reference/*.md anew, after a change of message tables or conformance tests
	@$(SETUP)
	@.venv/bin/python -m trapless.reference

clean: ## remove what was built in this clone (the cache stays)
	@rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

doctor: ## tell what is missing and how to get it
	@python=$$(host_tools/trapless/setup/bootstrap.sh --look-only $(PYTHON)) && \
		PYTHONPATH=host_tools $$python -m trapless.setup --doctor
