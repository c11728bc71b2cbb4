# The commands that people type. `make run` and `make test` work on a fresh clone; the rest builds on them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SOURCES := Services Shared ScenarioRunner Tests Package.swift
BUILD_FLAGS := --explicit-target-dependency-import-check error
# The tests know PostgreSQL, what `make run` builds needs none. Each has its own configuration (debug and release): a build
# of one of them with other traits would begin from the start.
BUILD_TESTS := swift build --build-tests $(BUILD_FLAGS) --traits Postgres
RUN_TESTS := swift test --skip-build --traits Postgres
# What keeps its books in a store.
STORE_TESTS := GatewayTests|InventoryTests|NotificationTests|PaymentTests
RUNNER := .build/release/scenario-runner
OPTIONS ?=
# Several hundred tests that talk to real processes at the same moment would starve one another on two cores.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 4

.PHONY: help run demo doctor test test-postgres soak kill-sweep fidelity bench bench-halt locust-venv bench-load metastable test-browser bench-compare bench-stores bench-memory
.PHONY: page-soak screenshots lint format clean manifests image-test

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: release ## Start the lab: three services, their network, and the page at http://localhost:8000
	@scripts/locust-venv.sh || true
	@exec $(RUNNER) lab $(OPTIONS)

demo: release ## Break it once: a lab of its own, 80 % packet loss, a table, a journal, a report; all down again
	@code=0; $(RUNNER) run packet-loss-80-percent --baseline 10s --duration 30s --recovery 20s $(OPTIONS) || code=$$?; \
	case $$code in 0|2) ;; *) exit $$code ;; esac

doctor: release ## Say what this machine can and cannot do
	@$(RUNNER) doctor

test: ## Check the format, build everything, run all tests
	scripts/prerequisites.sh test
	scripts/locust-venv.sh || true
	$(MAKE) --no-print-directory lint
	$(BUILD_TESTS)
	sync # What the compiler wrote would reach the disk in the midst of the tests, and every durable commit would wait.
	$(RUN_TESTS) --skip EndToEndTests
	TEST_DATABASE=postgres $(RUN_TESTS) --filter '$(STORE_TESTS)'
	$(RUN_TESTS) --no-parallel --filter EndToEndTests
	$(MAKE) --no-print-directory test-browser

test-postgres: test-build ## What touches PostgreSQL: the stores, the services on it, a lab whose database crashes
	$(RUN_TESTS) --filter 'SharedTests.(Postgres|Sto)'
	TEST_DATABASE=postgres $(RUN_TESTS) --filter '$(STORE_TESTS)'
	$(RUN_TESTS) --no-parallel --filter EndToEndTests.PostgresCrashTests

test-browser: ## The page against a real lab, and reports, in a real browser; needs a build; BROWSER_TESTS="-k name"
	scripts/prerequisites.sh browser
	Tests/Browser/run.sh $(BROWSER_TESTS)

metastable: test-build ## A fault that ends and a system that stays down for its own retries; then the same with a retry budget
	METASTABLE=long $(RUN_TESTS) --filter RetryStormTests

soak: release test-build ## 100,000 payments under every failure at once, for half an hour or more; SOAK_SEED=n repeats one
	SOAK_PAYMENTS=$${SOAK_PAYMENTS:-100000} SOAK_EXECUTABLES=.build/release $(RUN_TESTS) --filter SoakTests

kill-sweep: test-build ## kill -9 at every step of every fault, some 500 labs; KILL_SWEEP=delay,cpu takes only these faults
	KILL_SWEEP=$${KILL_SWEEP:-all} $(RUN_TESTS) --filter EndToEndTests.KillSweepTests

locust-venv: ## Install Locust into .lab/venv, as `make run` does where it can
	@scripts/locust-venv.sh

fidelity: release test-build ## Compare the lab with the kernel: loss, correlated loss, delay, bandwidth; a table, and 0 if all agrees
	FIDELITY=long FIDELITY_EXECUTABLES=$(CURDIR)/.build/release $(RUN_TESTS) --filter FidelityTests

bench: bench-halt bench-load bench-compare bench-stores bench-memory ## Measure what a test cannot promise: each part is a target of its own

# From the press of halt to the last fault gone; HALT_SEED=n repeats one.
bench-halt: release test-build
	HALT_PRESSES=$${HALT_PRESSES:-200} HALT_EXECUTABLES=.build/release $(RUN_TESTS) --filter HaltBenchTests

# Durable inserts a second into SQLite and into PostgreSQL.
bench-stores: test-build
	STORE_BENCH_SECONDS=$${STORE_BENCH_SECONDS:-10} $(RUN_TESTS) --filter StoreBenchTests

# What the largest run that is admitted costs the runner.
bench-memory: test-build
	RUN_MEMORY=1 $(RUN_TESTS) --filter RunMemoryTests

# BENCH_EXECUTABLES names another folder of the executables.
bench-load: release
	scripts/prerequisites.sh bench
	scripts/locust-venv.sh
	Tests/Benchmarks/Load/bench.py

# 20 pairs of equal runs and 20 with 20 ms more, for half an hour: which of them `compare` tells apart.
bench-compare: release
	Tests/Benchmarks/compare.sh

image-test: ## Build the image, run all of it in containers, pay, fail, count the money; starts an engine where none is
	docker/image-test.sh

manifests: ## Put k8s/deployment.yaml together from k8s/base
	scripts/manifests.sh

lint: ## Check the format only
	swift format lint --strict -r $(SOURCES)

format: ## Format the sources in place
	swift format -i -r $(SOURCES)

# The page left open under load for PAGE_SOAK_MINUTES: it must not grow. Needs a build.
page-soak:
	scripts/prerequisites.sh browser
	PAGE_SOAK_MINUTES=$${PAGE_SOAK_MINUTES:-30} Tests/Browser/run.sh -k test_growth

screenshots: ## Pictures of every view into docs/images, in light and dark, wide and narrow; needs a build
	scripts/prerequisites.sh browser
	SCREENSHOTS=docs/images Tests/Browser/run.sh -k test_screenshots

clean: ## Remove what was built and what the lab wrote
	rm -rf .build .lab

.PHONY: release test-build
test-build:
	@scripts/prerequisites.sh test
	@$(BUILD_TESTS)

release:
	@scripts/prerequisites.sh lab
	@swift build -c release $(BUILD_FLAGS)
