# The ways into millrace; `make help` lists them. Everything is built by CMake under build/<preset>.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := unit
MAKEFLAGS += --no-print-directory
PYTHON := /usr/bin/python3
SECONDS_PER_TARGET ?= 60
SEEDS ?= 10000000
FROM ?= 1

# Configuring prints a page each time; it is shown only when it fails.
define build
	@mkdir -p build
	@cmake --preset $(1) >build/$(1).log 2>&1 || { cat build/$(1).log; exit 1; }
	@cmake --build build/$(1) --target $(2)
endef

.NOTPARALLEL:
.PHONY: help unit check test test-asan tsan test-chaos lint tidy format run demo-cluster bench fuzz sim cover build deps clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

unit: deps ## the default: unit tests with address and undefined-behaviour sanitizers
	$(call build,asan,unit_tests)
	@build/asan/tests/unit_tests --gtest_brief=1

check: deps lint ## format, lint and unit tests: before each commit
	@git ls-files '*.hpp' '*.cpp' | xargs -r clang-format --dry-run -Werror
	@$(MAKE) unit

test: deps lint build ## everything, from nothing; ctest's summary comes last
	@ctest --test-dir build/release --output-on-failure --parallel 2

test-asan: deps ## everything under address and undefined-behaviour sanitizers
	$(call build,asan,all)
	@ctest --test-dir build/asan --output-on-failure

test-chaos: deps ## faults one after the other under load, on loopback; prints the tables of docs/reliability.md (under ten minutes)
	$(call build,release,millrace)
	@timeout --foreground --signal=INT 600 $(PYTHON) tests/chaos/run.py

tsan: deps ## unit and io tests under the thread sanitizer (clang)
	$(call build,tsan,all)
	@ctest --test-dir build/tsan --output-on-failure

lint: ## layers, includes, co_await statements, banned calls
	@$(PYTHON) tools/lint/lint.py
	@$(PYTHON) tools/lint/lint_test.py -q

tidy: deps ## clang-tidy over all sources (slow)
	$(call build,debug,core)
	@git ls-files 'src/*.cpp' | xargs -r -P 2 -n 4 clang-tidy -p build/debug --quiet

format: ## clang-format over all sources
	@git ls-files '*.hpp' '*.cpp' | xargs -r clang-format -i

run: deps build ## serve the demo shop on 127.0.0.1:8080 (or DATABASE_URL=…) until Ctrl-C
	@exec $(PYTHON) tools/run

demo-cluster: deps build ## HAProxy and three replicas as local processes until Ctrl-C
	@exec $(PYTHON) tools/demo-cluster

bench: deps build ## CPU time per request beside nginx and pgbench; prints a table (about three minutes)
	@$(PYTHON) tests/bench/run.py

fuzz: deps ## each fuzz target for SECONDS_PER_TARGET (60) under sanitizers (clang)
	$(call build,fuzz,fuzz_targets)
	@for target in build/fuzz/tests/fuzz/*_fuzz; do \
	    name=$$(basename $$target); echo "== $$name"; mkdir -p build/fuzz/found/$$name; \
	    $$target -max_total_time=$(SECONDS_PER_TARGET) -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
	        -artifact_prefix=build/fuzz/found/$$name- build/fuzz/found/$$name $$(ls -d tests/fuzz/corpus/$$name 2>/dev/null); \
	done

sim: deps ## SEEDS (10,000,000) of the cache's simulation from FROM (1) on, in two processes; goes on where it was stopped
	$(call build,release,sim)
	@mkdir -p build/sim; half=$$(($(SEEDS) / 2)); pids=; \
	for part in 0 1; do \
	    nice -n 19 build/release/tests/sim --no-faults --from $$(($(FROM) + part * half)) --seeds $$half \
	        --progress build/sim/$(FROM)-$(SEEDS)-$$part & pids="$$pids $$!"; \
	done; \
	failed=0; for pid in $$pids; do wait $$pid || failed=1; done; exit $$failed

cover: deps ## line coverage of the unit tests over src/core (clang); the page is build/cover/report/index.html
	@tools/cover

build: deps
	$(call build,release,all)

deps: ## install what is missing, from Debian's packages
	@tools/deps

clean: ## builds and the demo's data (a running `make run` must end first)
	@rm -rf build .run
