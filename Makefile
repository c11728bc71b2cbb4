# The commands that people type. `make run` and `make test` work on a fresh clone; the rest builds on them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SOURCES := Services Shared ScenarioRunner Tests Package.swift
BUILD_FLAGS := --explicit-target-dependency-import-check error
RUNNER := .build/release/scenario-runner
OPTIONS ?=
# Several hundred tests that talk to real processes at the same moment would starve one another on two cores.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 4

.PHONY: help run demo doctor test test-browser bench bench-compare soak locust-venv lint format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: release ## Start the lab: three services, their network, and the page at http://localhost:8000
	@scripts/locust-venv.sh || true
	@exec $(RUNNER) lab $(OPTIONS)

demo: release ## Break it once: a lab of its own, 80 % packet loss, a table, a journal; all down again
	@code=0; $(RUNNER) run packet-loss-80-percent --baseline 10s --duration 30s --recovery 20s $(OPTIONS) || code=$$?; \
	case $$code in 0|2) ;; *) exit $$code ;; esac

doctor: release ## Say what this machine can and cannot do
	@$(RUNNER) doctor

test: ## Check the format, build everything, run all tests
	scripts/prerequisites.sh lab
	scripts/locust-venv.sh || true
	$(MAKE) --no-print-directory lint
	swift build --build-tests $(BUILD_FLAGS)
	swift test --skip-build --skip EndToEndTests
	swift test --skip-build --no-parallel --filter EndToEndTests
	$(MAKE) --no-print-directory test-browser

test-browser: ## What is shown in a browser, looked at in a real one; needs a build
	scripts/prerequisites.sh browser
	Tests/Browser/run.sh $(BROWSER_TESTS)

bench: bench-compare ## All measurements of the project's own speed and quality

bench-compare: release ## 20 pairs of equal runs and 20 with 20 ms more: who is told apart
	Tests/Benchmarks/compare.sh

soak: release ## 100,000 payments under every failure at once, for half an hour or more; SOAK_SEED=n repeats one
	swift build --build-tests $(BUILD_FLAGS)
	SOAK_PAYMENTS=$${SOAK_PAYMENTS:-100000} SOAK_EXECUTABLES=.build/release swift test --skip-build --filter SoakTests

locust-venv: ## Install Locust into .lab/venv, as `make run` does where it can
	@scripts/locust-venv.sh

lint: ## Check the format only
	swift format lint --strict -r $(SOURCES)

format: ## Format the sources in place
	swift format -i -r $(SOURCES)

clean: ## Remove what was built and what the lab wrote
	rm -rf .build .lab

.PHONY: release
release:
	@scripts/prerequisites.sh lab
	@swift build -c release $(BUILD_FLAGS)
