# Every target installs the Debian packages that it lacks (.ci/packages.txt) and says so; the rest is Swift's package
# manager. Two cores and a first build: some minutes. Later builds take seconds.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: fuzz fuzz-disks sanitize build-sanitized help build demo demo-azure demo-azure-listen test test-fast test-emulator test-tls test-rescue test-reference test-azure-clients lint format generate image bench bench-azure bench-disks bench-emulator bench-wire clean

# Swift Testing starts all tests at once unless it is told how many: 600 on two cores wait for each other for longer than
# their deadlines, and take a third longer in all.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= $(shell expr 4 \* $$(nproc))

release := .build/release
# One C++-free, Foundation-complete link for both executables: the agent ships into an image without Swift.
release_flags := -c release --static-swift-stdlib

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: packages-build packages-run packages-test packages-python packages-bench packages-generate
packages-build packages-run packages-test packages-python packages-bench packages-generate: packages-%:
	@.ci/install-packages $*

build: packages-build ## salvor and salvor-agent, optimised, in .build/release
	swift build $(release_flags) --product salvor
	swift build $(release_flags) --product salvor-agent
	swift build $(release_flags) --product make-broken-machine

image: build packages-run ## the rescue image, in the user's cache
	$(release)/salvor image build

# For tests and demos: the agent as it ships, all else as it is built soonest. The HTTP client takes minutes to optimise.
debug := $(CURDIR)/.build/debug
with_agent := SALVOR_AGENT=$(CURDIR)/$(release)/salvor-agent
.PHONY: build-agent build-tools
build-agent: packages-build
	swift build $(release_flags) --product salvor-agent

build-tools: build-agent
	swift build --product salvor
	swift build --product make-broken-machine
	swift build --product make-azure-guest
	swift build --product azure-emulator

demo: build-tools packages-run packages-test ## break a machine by code, rescue it, and show that it boots
	DEMO_BIN=$(debug) $(with_agent) Coordinator/demo/run

demo-azure: build-tools packages-run packages-test ## the same through Azure Resource Manager: azure-emulator with real machines
	DEMO_BIN=$(debug) $(with_agent) Coordinator/azure/demo/run

demo-azure-listen: build-tools packages-run packages-test ## the same with `--listen`, from inside the machines' network
	DEMO_BIN=$(debug) $(with_agent) DEMO_DIALLER=salvor DEMO_GENERATIONS=V2 DEMO_OUTPUT=$(CURDIR)/.build/demo-azure-listen \
		Coordinator/azure/demo/run

test: lint test-fast test-emulator test-clients-and-sanitize test-tls test-rescue test-reference ## all tests: fast ones first, those in a real rescue VM last

# By its product's name: without it SwiftPM also builds every tool of every dependency's plug-ins, protoc among them.
test_product := salvorPackageTests

# Deriving a key takes a core for a second, and what has a deadline would miss it beside that: by themselves.
test-fast: packages-build packages-run packages-test
	swift test --test-product $(test_product) --skip '^RescueTests\.' --skip AzureEmulatorTests --skip RealMachineTests \
		--skip SalvorAzureTests --skip FVETests --skip FVEThirdPartyTests --skip InstanceMetadataTests \
		--skip '^LinkTests\.' --skip ListeningAgentTests
	swift test --test-product $(test_product) --filter 'InstanceMetadataTests|^LinkTests\.|ListeningAgentTests'
	swift test --test-product $(test_product) --filter FVE

# By themselves: they keep both cores busy, and others wait for things that take their time then.
test-emulator: build-agent packages-run packages-test ## the emulated Azure, real machines included, and the provider that is proven on it
	swift test --test-product $(test_product) --filter AzureEmulatorTests
	swift test --test-product $(test_product) --filter SalvorAzureTests
	swift test --test-product $(test_product) --filter RealMachineTests

test-rescue: build-tools packages-run packages-test
	$(with_agent) $(debug)/salvor image build
	$(with_agent) SALVOR_BINARY=$(debug)/salvor swift test --test-product $(test_product) --filter '^RescueTests\.'

test-azure-clients: packages-build packages-run packages-test packages-python ## Microsoft's own clients, from PyPI, against azure-emulator
	swift build --product azure-emulator
	swift build --product make-azure-guest
	Tests/azure-clients/run $(CURDIR)/.build/debug/azure-emulator

test-tls: packages-build packages-test packages-python ## hostile TLS 1.3 conversations with a coordinator's listener
	swift build --product tls-listener
	Tests/tls-conversations/run $(debug)/tls-listener

# The clients wait for most of their time: the sanitizers' builds, minutes of one core, go on beside them. What has
# deadlines runs when both are done.
.PHONY: test-clients-and-sanitize
test-clients-and-sanitize: packages-build packages-run packages-test packages-python
	$(MAKE) --jobs=2 --output-sync=target test-azure-clients build-sanitized
	$(MAKE) sanitize

test-reference: build-tools packages-run packages-test packages-python packages-generate ## a client written from SPEC.md alone, against the agent
	$(with_agent) $(debug)/salvor image build
	$(with_agent) Protocol/reference/run $(debug)/salvor $(CURDIR)/$(release)/salvor-agent $(debug)/make-broken-machine

fuzz-disks: packages-build packages-run packages-test ## thousands of damaged NTFS volumes through the agent, and a folder of a million names: MUTATIONS=3000 SEED=1
	SALVOR_MUTATIONS=$(or $(MUTATIONS),3000) SALVOR_MUTATION_SEED=$(or $(SEED),1) \
		SALVOR_HUGE_FOLDER=1000000 \
		swift test --test-product $(test_product) --filter 'MutatedVolumeTests|HugeFolderTests'

fuzz: packages-build packages-test ## libFuzzer with AddressSanitizer over the wire's decoders and its machine: SECONDS=300 each
	Tests/wire-fuzz/run $(or $(SECONDS),300)

# One test at a time: a sanitizer makes all slow, and some tests are about deadlines.
sanitize: build-sanitized packages-test ## the transport's tests under ThreadSanitizer, then under AddressSanitizer with its search for leaks
	$(sanitized) TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/tsan-suppressions.txt \
		swift test --skip-build --no-parallel $(thread_sanitizer)
	$(sanitized) LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/lsan-suppressions.txt \
		swift test --skip-build --no-parallel $(address_sanitizer)

sanitized := SALVOR_SANITIZE=1
thread_sanitizer := --sanitize=thread --scratch-path .build-tsan
address_sanitizer := --sanitize=address --scratch-path .build-asan
build-sanitized: packages-build
	$(sanitized) swift build --build-tests $(thread_sanitizer)
	$(sanitized) swift build --build-tests $(address_sanitizer)

lint: ## swift format, strictly
	@swift format lint --strict --parallel --recursive Package.swift $(shell find Sources Tests -name '*.swift' -not -path '*/Generated/*')

format: ## write what lint asks for
	swift format --in-place --parallel --recursive Package.swift $(shell find Sources Tests -name '*.swift' -not -path '*/Generated/*')

generate: packages-generate ## Sources/SalvorMessages/Generated from Protocol/salvor/v1
	Protocol/generate.sh

bench-emulator: packages-build packages-bench ## how fast azure-emulator answers, and what it weighs
	swift build $(release_flags) --product azure-emulator
	swift build $(release_flags) --product emulator-bench
	$(release)/emulator-bench --table Coordinator/azure/EMULATOR.md

bench-azure: build-tools packages-run packages-test packages-python ## salvor rescue on Azure beside az vm repair, with the same simulated times
	swift build --product azure-bench
	$(with_agent) $(debug)/azure-bench --az "$$(Tests/python-environment Tests/azure-clients/requirements.txt)/az" --programs $(debug) \
		--table Coordinator/azure/BENCHMARKS.md

bench: image packages-test packages-bench ## salvor rescue beside guestfish and beside the floor
	swift build $(release_flags) --product rescue-bench
	$(release)/rescue-bench --table Coordinator/BENCHMARKS.md

bench-disks: image packages-test packages-bench ## 1, 4 and 16 disks on one rescue VM, and a folder of 100,000 files
	swift build $(release_flags) --product disk-bench
	$(release)/disk-bench --table Agent/BENCHMARKS.md

bench-wire: packages-build packages-test ## Salvor's transport beside gRPC's HTTP/2 and OpenSSL alone: calls, streams, connections
	SALVOR_BENCH_WIRE=1 swift build -c release --scratch-path .build-wire --product wire-bench
	.build-wire/release/wire-bench --table Protocol/BENCHMARKS.md

clean: ## what was built; caches and runs of the user stay
	rm -rf .build .build-*
