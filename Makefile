# Two commands do everything: `make run` shows ticks moving, `make test` sets up and passes the tests.
SHELL := /bin/bash
SWIFT_HOME := $(HOME)/.local/share/feedhost/swift
export PATH := $(PATH):$(SWIFT_HOME)/usr/bin

BROKERS := simulator binance zerodha angel flattrade
FLAGS := --explicit-target-dependency-import-check error
VENV := .build/venv
PLUGINS_DEBUG := .build/plugins.d
FIXTURES := .build/fixtures

.PHONY: run build install test test-unit test-integration bench bench-micro bench-broker bench-wrong-keys bench-credentials bench-public setup lint format sanitize clean help

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

run: build ## Builds, then shows the simulator's ticks; Ctrl-C ends it
	.build/release/feedhost demo

build: setup ## The release binary (.build/release/feedhost) and the bundled adapters (plugins.d/)
	swift build -c release $(FLAGS)
	@$(call install_adapters,release,plugins.d)
	@# A host looks for its bundled adapters beside its own binary last, wherever it is started.
	@ln -sfn ../../../plugins.d .build/release/plugins.d

install: build ## Installs into PREFIX (/usr/local), stripped, with the Swift runtime inside; symbols lie in .debug beside
	swift build -c release $(FLAGS) --product feedhost --static-swift-stdlib --scratch-path $(STATIC_BUILD)
	install -d $(DESTDIR)$(PREFIX)/bin/.debug $(DESTDIR)$(PREFIX)/lib/feedhost/plugins.d $(DESTDIR)$(PREFIX)/share/doc/feedhost
	@$(call install_stripped,$(STATIC_BUILD)/release/feedhost,$(DESTDIR)$(PREFIX)/bin)
	@$(call install_stripped,.build/release/feedhost-simulate,$(DESTDIR)$(PREFIX)/bin)
	@$(call install_adapters,release,$(DESTDIR)$(PREFIX)/lib/feedhost/plugins.d)
	install -m 644 README.md LICENSE SECURITY.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/feedhost

PREFIX ?= /usr/local
DESTDIR ?=
STATIC_BUILD := .build-static

ifdef ONE
test: setup build-debug fixtures $(VENV)/.ready ## One test: make test ONE=PoolTests, ONE=test_limits.py, ONE=test_version
	@case '$(ONE)' in \
		*.py*) $(INTEGRATION) 'Tests/Integration/$(ONE)' ;; \
		test_*) $(INTEGRATION) Tests/Integration -k '$(ONE)' ;; \
		*) swift test $(FLAGS) --skip-build --filter '$(ONE)' ;; \
	esac
else
test: setup test-unit test-integration ## All tests, from nothing; ONE=NAME runs one
endif

test-unit: build-debug fixtures ## The Swift tests
	$(MAKE) --no-print-directory -C Tests/Fixtures/ABI check drive OUT=$(CURDIR)/$(FIXTURES)/examples
	@# Five runs: rooms with clocks and sockets do not share the machine with fuzzing and with 10,000 random sessions or pools.
	swift test $(FLAGS) --skip-build --filter 'TransportTests|SessionsTests' --skip 'AnswerTimeTests|PoolHistoryTests'
	swift test $(FLAGS) --skip-build --no-parallel --filter 'StreamProxyTests|MarketBusTests|AnswerTimeTests' --skip PermissionSequenceTests
	swift test $(FLAGS) --skip-build --filter 'BrokerSimulatorTests'
	swift test $(FLAGS) --skip-build --skip '$(TIMED)|BrokerSimulatorTests'
	swift test $(FLAGS) --skip-build --filter 'PermissionSequenceTests|PoolHistoryTests'
TIMED := TransportTests|SessionsTests|StreamProxyTests|MarketBusTests

INTEGRATION := FEEDHOST_BIN=$(CURDIR)/.build/debug/feedhost FEEDHOST_PLUGINS=$(CURDIR)/$(PLUGINS_DEBUG) \
	FEEDHOST_SIMULATE_BIN=$(CURDIR)/.build/debug/feedhost-simulate \
	FEEDHOST_FIXTURES=$(CURDIR)/$(FIXTURES) $(VENV)/bin/python -m pytest -q

test-integration: build-debug fixtures $(VENV)/.ready ## Real sockets, real clients
	$(INTEGRATION) -n 2 --dist loadfile Tests/Integration

bench-micro: setup ## Times the steps of the hot path one by one; fails when one allocates
	swift build -c release $(FLAGS) --product feedhost-bench-micro
	! .build/release/feedhost-bench-micro --quick --prove >/dev/null
	.build/release/feedhost-bench-micro $(ONLY)

bench: build ## Fan-out beside uWebSockets and NATS, about 30 minutes; rewrites docs/performance.md
	python3 Tests/Benchmarks/Fanout/run.py --install $(BENCH)

bench-broker: build $(VENV)/.ready ## 3,000 symbols in Depth at 20,000 packets a second through a simulated Zerodha: nothing lost, nothing stale
	$(VENV)/bin/python Tests/Benchmarks/broker.py

.PHONY: build-debug fixtures
build-debug:
	swift build $(FLAGS) --build-tests
	swift build $(FLAGS)
	@$(call install_adapters,debug,$(PLUGINS_DEBUG))

fixtures:
	@mkdir -p $(FIXTURES)
	$(MAKE) --no-print-directory -C Plugins/Examples all OUT=$(CURDIR)/$(FIXTURES)/examples
	$(MAKE) --no-print-directory -C Tests/Fixtures/ABI decode OUT=$(CURDIR)/$(FIXTURES)/examples
	$(MAKE) --no-print-directory -C Tests/Fixtures/BadPlugins OUT=$(CURDIR)/$(FIXTURES)/plugins

# Version 2 of OpenAlgo's client lies beside version 1, and says that it wants Python 3.12 but does not need it.
$(VENV)/.ready: Tests/Integration/requirements.txt Tests/Integration/requirements-beside.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q --disable-pip-version-check -r $<
	$(VENV)/bin/pip install -q --disable-pip-version-check --no-deps --ignore-requires-python --upgrade \
		--target $(VENV)/openalgo2 -r Tests/Integration/requirements-beside.txt
	@touch $@

bench-wrong-keys: build $(VENV)/.ready ## 100 wrong keys a second for a minute: who has a key must not notice; BENCH="--provider openalgo --spread"
	$(VENV)/bin/python Tests/Benchmarks/wrong_keys.py $(BENCH)

bench-public: build $(VENV)/.ready ## 10,000 subscriptions at once on the public socket: when they count, and how late ticks get meanwhile
	$(VENV)/bin/python Tests/Benchmarks/public_subscriptions.py

bench-credentials: build $(VENV)/.ready ## Credentials that change 1,000 times under a client: the session comes back, memory does not grow
	$(VENV)/bin/python Tests/Benchmarks/credential_cycles.py $(BENCH)

setup: ## Installs what is missing: a Swift toolchain, libraries
	@.ci/setup

lint: ## The formatter's opinion, whether rooms and folders go in circles, and whether docs/threads.md knows every lock
	swift format lint --strict --recursive Sources Plugins Tests Package.swift
	Tests/Architecture/rooms.py
	Tests/Architecture/threads.py

format: ## Formats the Swift sources
	swift format --in-place --recursive Sources Plugins Tests Package.swift

sanitize: sanitize-address sanitize-thread ## The tests of what has C, threads or shared buffers, under the address and the thread sanitizer

SANITIZED := MarketData MarketBus Accounts Instruments AdapterKit BundledAdapter ZerodhaAdapter AngelAdapter FlattradeAdapter Transport Sessions
THREADED := MarketBus Accounts Transport Sessions
ASAN_BUILD := .build-asan
TSAN_BUILD := .build-tsan
TESTS := debug/feedhostPackageTests.xctest --testing-library swift-testing
CLANG = $(dir $(realpath $(shell command -v swift)))clang

.PHONY: sanitize-address sanitize-thread
sanitize-address: setup fixtures
	swift build --build-tests --sanitize=address --scratch-path $(ASAN_BUILD)
	@# Leaks are off: Swift's runtime keeps what it has made. A plugin that crashes in its probe is to die of the signal.
	export FEEDHOST_FIXTURES=$(CURDIR)/$(FIXTURES) \
	ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:suppressions=$(CURDIR)/Tests/Fixtures/address-sanitizer.supp; \
	set -e; for room in $(SANITIZED); do $(ASAN_BUILD)/$(TESTS) --filter "^$${room}Tests[.]"; done; \
	$(ASAN_BUILD)/$(TESTS) --no-parallel --filter StreamProxyTests --skip PermissionSequenceTests

sanitize-thread: setup fixtures
	swift build --build-tests --sanitize=thread --scratch-path $(TSAN_BUILD) -Xlinker --export-dynamic
	$(CLANG) -Wall -O1 -shared -fPIC Tests/Fixtures/thread-sanitizer-mutex.c -o $(TSAN_BUILD)/mutex.so -ldl
	@# The probe is a process with one thread, and the sanitizer forbids its child to exit inside dlopen.
	export FEEDHOST_FIXTURES=$(CURDIR)/$(FIXTURES) LD_PRELOAD=$(CURDIR)/$(TSAN_BUILD)/mutex.so; \
	set -e; for room in $(THREADED); do $(TSAN_BUILD)/$(TESTS) --filter "^$${room}Tests[.]" --skip PluginProbeTests; done; \
	$(TSAN_BUILD)/$(TESTS) --no-parallel --filter StreamProxyTests --skip PermissionSequenceTests

clean: ## Removes what was built
	rm -rf .build .build-* plugins.d/*.so

# By temporary file and rename: a host that runs keeps the file it has mapped.
define install_adapters
set -e; mkdir -p $(2); for broker in $(BROKERS); do \
	install -m 755 .build/$(1)/lib$$broker.so $(2)/.$$broker.so.new; \
	mv -f $(2)/.$$broker.so.new $(2)/$$broker.so; \
	echo "$(2)/$$broker.so"; \
done
endef

# By rename too; what debuggers need lies in .debug, where they look for it.
define install_stripped
set -e; name=$$(basename $(1)); \
	objcopy --only-keep-debug $(1) $(2)/.debug/$$name.debug; chmod 644 $(2)/.debug/$$name.debug; \
	objcopy --strip-all --add-gnu-debuglink=$(2)/.debug/$$name.debug $(1) $(2)/.$$name.new; chmod 755 $(2)/.$$name.new; \
	mv -f $(2)/.$$name.new $(2)/$$name; echo "$(2)/$$name"
endef
