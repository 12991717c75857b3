# The commands a person types. `make` lists them.

# One step after the other: cargo uses all the cores by itself, and `make run` must keep standard input for the tool.
.NOTPARALLEL:
SHELL := /bin/sh
.SHELLFLAGS := -ec

EXAMPLE ?= bootstrap
# The language of the example, where it is there in both.
GUEST ?= $(if $(wildcard examples/$(EXAMPLE)/Cargo.toml),rust,c)
ARGS ?=
RUNFLAGS ?=
TESTFLAGS ?=
CASES ?=
FAULTS ?=
KERNELS ?=
BPFTOOL_KERNELS ?= 6.12 6.1

BUILD := build
ENV := $(BUILD)/toolchain.env
# Cargo's own setting is respected. Guests have a directory of their own, since another compiler may build them.
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
GUEST_TARGET_DIR := $(abspath $(or $(GUEST_TARGET_DIR),$(BUILD)/guest-target))
export CARGO_TARGET_DIR := $(TARGET_DIR)
# Where the tests find what they run.
export WASM_BPF := $(TARGET_DIR)/debug/wasm-bpf
export WASM_BPF_TEST_GUESTS := $(abspath $(BUILD)/tests)
export WASM_BPF_EXAMPLES := $(abspath $(BUILD)/rust)
export WASM_BPF_C_EXAMPLES := $(abspath $(BUILD)/c)
export WASM_BPF_C_PROGRAMS := $(abspath $(BUILD)/tests/c)
export WASM_BPF_NATIVE := $(abspath $(BUILD)/native)

HOST := target/release/wasm-bpf
CONFORMANCE := $(TARGET_DIR)/debug/conformance
# Another host is tried by the same components.
HOST_COMMAND ?= $(WASM_BPF) run {grants} {limits} {dirs} {component} {args}
CHOSEN := $(patsubst %,--cases '%',$(CASES))

# Examples and test guests are components. The rest of the workspace is native: the host, the libraries, the tests.
NATIVE_EXAMPLES := embed
# What the others share is no example.
EXAMPLES := $(filter-out $(NATIVE_EXAMPLES) common,$(patsubst examples/%/Cargo.toml,%,$(wildcard examples/*/Cargo.toml)))
C_EXAMPLES := $(strip $(foreach folder,$(patsubst examples/%/c,%,$(wildcard examples/*/c)),$(if $(wildcard examples/$(folder)/c/$(folder).c),$(folder))))
TEST_GUESTS := $(patsubst tests/guests/src/bin/%.rs,%,$(wildcard tests/guests/src/bin/*.rs)) \
	$(patsubst tests/guests/src/bin/%/main.rs,%,$(wildcard tests/guests/src/bin/*/main.rs))
CONFORMANCE_GUESTS := $(patsubst tests/conformance/cases/%/guest.rs,%,$(wildcard tests/conformance/cases/*/guest.rs))
NATIVE := --workspace $(addprefix --exclude ,$(EXAMPLES) bench-guest test-guests conformance-guests)
# CI must build what Cargo.lock says; at the desk cargo may update it after an edit of Cargo.toml.
LOCKED := $(if $(CI),--locked)

say = @printf '==> %s\n' '$(1)' >&2

# $(call build-guests,PACKAGES,BINARIES,DIRECTORY): compiles guests and puts their components into a directory.
# Flags that someone set for native code (a CPU, a linker) do not fit here. Objects that were compiled against another
# std than today's do not link, and cargo cannot tell, so they are thrown away when the std has changed.
define build-guests
	@. ./$(ENV); \
	if [ -n "$$GUEST_RUSTC" ]; then export RUSTC="$$GUEST_RUSTC"; fi; \
	unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS; \
	export CARGO_TARGET_DIR='$(GUEST_TARGET_DIR)'; \
	if [ "$$(cat "$$CARGO_TARGET_DIR/std-id" 2>/dev/null)" != "$$GUEST_STD_ID" ]; then \
		rm -rf "$$CARGO_TARGET_DIR"; mkdir -p "$$CARGO_TARGET_DIR"; \
		printf '%s\n' "$$GUEST_STD_ID" >"$$CARGO_TARGET_DIR/std-id"; \
	fi; \
	cargo build $(LOCKED) --profile guest --target wasm32-wasip2 $(addprefix -p ,$(1)); \
	mkdir -p $(3); \
	for name in $(2); do \
		from="$$CARGO_TARGET_DIR/wasm32-wasip2/guest/$$name.wasm"; to="$(3)/$$name.component.wasm"; \
		cmp -s "$$from" "$$to" || cp "$$from" "$$to"; \
	done
endef

.PHONY: help
help: ## print this list
	@echo 'usage: make TARGET [VARIABLE=VALUE]...'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '  %-12s %s\n' "$$target" "$$text"; done
	@echo "examples: $(EXAMPLES)"
	@echo "in C: $(C_EXAMPLES)"

.PHONY: run
run: can-run host example ## build and run an example until Ctrl-C (EXAMPLE=name, GUEST=c, ARGS='its arguments', RUNFLAGS='for wasm-bpf run')
	$(call say,running $(EXAMPLE); Ctrl-C stops it)
	@if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	exec $$sudo $(HOST) run $(RUNFLAGS) $(BUILD)/$(GUEST)/$(EXAMPLE).component.wasm $(ARGS)

# Said first, not after the minutes of a build.
.PHONY: can-run
can-run: has-example
	@if [ "$$(id -u)" != 0 ]; then \
		if command -v sudo >/dev/null && [ -t 0 ]; then \
			echo 'eBPF needs root: sudo will be used to run the example (only for that)' >&2; \
		else \
			echo 'eBPF needs root: run this as root' >&2; exit 1; \
		fi; \
	fi

.PHONY: has-example
has-example:
	@case '$(GUEST)' in \
	rust) examples='$(EXAMPLES)' ;; \
	c) examples='$(C_EXAMPLES)' ;; \
	*) echo 'GUEST is "$(GUEST)"; it can be rust or c' >&2; exit 1 ;; \
	esac; \
	case " $$examples " in \
	*' $(EXAMPLE) '*) ;; \
	*) printf 'there is no example "%s" in %s; there are: %s\n' '$(EXAMPLE)' '$(GUEST)' "$$examples" >&2; exit 1 ;; \
	esac

.PHONY: test
test: examples c-examples native-c test-guests conformance-guests bench-guest ## run all tests (TESTFLAGS='for cargo nextest run, or cargo test')
	$(call say,building the host and the tests)
	@[ "$$(id -u)" = 0 ] || echo 'tests that load eBPF programs need root and will fail: run this as root' >&2
	@. ./$(ENV); cargo build $(LOCKED) $(NATIVE) --bins --tests
	$(call say,running the tests)
	@. ./$(ENV); \
	if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run $(LOCKED) $(NATIVE) --bins --tests $(TESTFLAGS); \
	else \
		cargo test $(LOCKED) $(NATIVE) --bins --tests $(TESTFLAGS) -- --test-threads=1; \
	fi
	$(call say,running the tests of the C library)
	@guest-sdk-c/tests/run.sh
	$(call say,running the examples in the documentation)
	@. ./$(ENV); cargo test $(LOCKED) $(NATIVE) --doc
	$(call say,checking what the conformance suite covers)
	@$(CONFORMANCE) check --components $(BUILD)/conformance
	$(call say,running the conformance suite on this kernel)
	@$(CONFORMANCE) run --host '$(HOST_COMMAND)' --components $(BUILD)/conformance

.PHONY: conformance
conformance: conformance-guests ## try the host, or HOST_COMMAND=..., on this kernel (CASES='map* objects/load')
	$(call say,building the host and the runner)
	@. ./$(ENV); cargo build $(LOCKED) -p wasm-bpf-host -p wasm-bpf-conformance --bins
	$(call say,running the conformance suite on this kernel)
	@$(CONFORMANCE) run --host '$(HOST_COMMAND)' --components $(BUILD)/conformance $(CHOSEN)

.PHONY: test-kernels
test-kernels: conformance-guests host ## run the conformance suite on this kernel and on others in virtual machines (KERNELS='6.1 running', CASES='map*')
	$(call say,building the runner)
	@. ./$(ENV); cargo build $(LOCKED) -p wasm-bpf-host -p wasm-bpf-conformance --bins
	@CONFORMANCE='$(CONFORMANCE)' COMPONENTS='$(BUILD)/conformance' HOST='$(HOST)' \
		tests/conformance/on-kernels.sh $(BUILD)/kernels '$(KERNELS)' $(CHOSEN)

.PHONY: test-kernel-examples
test-kernel-examples: examples c-examples host ## run the examples that few machines allow, in a virtual machine (KERNELS='6.12')
	@HOST='$(HOST)' EXAMPLES='$(BUILD)/rust' C_EXAMPLES='$(BUILD)/c' tests/kernels/examples.sh $(or $(KERNELS),6.12)

.PHONY: test-custom-btf
test-custom-btf: conformance-guests host ## see that a kernel without BTF is served with --btf, in a virtual machine (KERNELS='5.10')
	@HOST='$(HOST)' COMPONENT='$(BUILD)/conformance/rust/btf.component.wasm' tests/kernels/custom-btf.sh $(or $(KERNELS),5.10)

.PHONY: faults
faults: conformance-guests ## apply deliberate faults to the host; the conformance suite has to catch each (FAULTS='names')
	$(call say,building the host and the runner)
	@. ./$(ENV); cargo build $(LOCKED) -p wasm-bpf-host -p wasm-bpf-conformance --bins
	@. ./$(ENV); CONFORMANCE='$(CONFORMANCE)' COMPONENTS='$(BUILD)/conformance' tests/faults/run.sh $(FAULTS)

.PHONY: coverage
coverage: setup ## write docs/coverage.md, with what the last `make test-kernels` found, and docs/c-compat.md
	@. ./$(ENV); cargo build --quiet $(LOCKED) -p wasm-bpf-host -p wasm-bpf-conformance --bins
	@$(CONFORMANCE) coverage $(wildcard $(BUILD)/kernels/*.json)
	@$(CONFORMANCE) c-compat

.PHONY: check
check: setup ## check formatting, lints, documentation and vendored files
	$(call say,formatting)
	@cargo fmt --all -- --check
	$(call say,vendored WIT)
	@scripts/vendor-wit.sh --check
	$(call say,the C bindings)
	@cargo run --quiet $(LOCKED) -p wasm-bpf-generate-c -- --check
	$(call say,scripts)
	@if command -v shellcheck >/dev/null; then shellcheck -x scripts/*.sh bpftool-patches/*.sh tests/*/*.sh .ci/run; else echo 'not checked: no shellcheck here' >&2; fi
	$(call say,deliberate faults apply)
	@for patch in tests/faults/*.patch; do git apply --check "$$patch"; done
	$(call say,lints)
	@. ./$(ENV); cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(call say,the tables of coverage)
	@. ./$(ENV); cargo build --quiet $(LOCKED) -p wasm-bpf-host -p wasm-bpf-conformance --bins
	@$(CONFORMANCE) coverage --check
	@$(CONFORMANCE) c-compat --check
	$(call say,documentation)
	@. ./$(ENV); RUSTDOCFLAGS='-D warnings' cargo doc $(LOCKED) --workspace --no-deps
	$(call say,licences and sources of dependencies)
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; else echo 'not checked: no cargo-deny here' >&2; fi

.PHONY: host
host: setup ## build the host: target/release/wasm-bpf
	$(call say,building the host)
	@. ./$(ENV); cargo build $(LOCKED) --release -p wasm-bpf-host
	@built='$(TARGET_DIR)/release/wasm-bpf'; \
	if [ '$(TARGET_DIR)' != '$(CURDIR)/target' ] && ! cmp -s "$$built" $(HOST); then \
		mkdir -p $(dir $(HOST)); cp "$$built" $(HOST).new; mv $(HOST).new $(HOST); \
	fi

.PHONY: bpftool
bpftool: ## build bpftool with the patches for C guests: build/bpftool (BPFTOOL_SRC='a tree of its source')
	@bpftool-patches/build.sh $(BUILD)/bpftool

.PHONY: check-bpftool
check-bpftool: setup ## check the skeletons that patched bpftools make, of the kernels BPFTOOL_KERNELS='6.12 6.1'
	@. ./$(ENV); export GUEST_WASI_LIBC; \
	for kernel in $(BPFTOOL_KERNELS); do \
		bpftool-patches/build.sh $(BUILD)/bpftool-$$kernel $$kernel; \
		tests/skeleton/check.sh $(BUILD)/bpftool-$$kernel; \
	done

.PHONY: c-tools
c-tools: setup bpftool ## build what C guests are built with: build/bpftool and build/wasm-bpf-c
	@. ./$(ENV); cargo build --quiet $(LOCKED) -p wasm-bpf-c
	@cmp -s '$(TARGET_DIR)/debug/wasm-bpf-c' $(BUILD)/wasm-bpf-c || \
		{ cp '$(TARGET_DIR)/debug/wasm-bpf-c' $(BUILD)/wasm-bpf-c.new; mv $(BUILD)/wasm-bpf-c.new $(BUILD)/wasm-bpf-c; }

.PHONY: examples
examples: setup ## build all examples: build/rust/NAME.component.wasm
ifneq ($(EXAMPLES),)
	$(call say,building the examples)
	$(call build-guests,$(EXAMPLES),$(EXAMPLES),$(BUILD)/rust)
endif

.PHONY: c-examples
c-examples: c-tools ## build the examples in C: build/c/NAME.component.wasm
	$(call say,building the examples in C)
	@$(MAKE) --no-print-directory -s -f examples/c.mk

.PHONY: c-programs
c-programs: c-tools
	$(call say,building the programs in C for the tests)
	@$(MAKE) --no-print-directory -s -f tests/c/programs.mk

# The libbpf that the host has is the one that natives are compared with.
.PHONY: native-c
native-c: c-examples c-programs
	$(call say,building the same programs natively)
	@. ./$(ENV); libbpf=$$(cargo build --quiet $(LOCKED) -p wasm-bpf-c --message-format=json | \
		sed -n 's/.*"build-script-executed".*#libbpf-sys@.*"out_dir":"\([^"]*\)".*/\1/p'); \
	$(MAKE) --no-print-directory -s -f tests/c/native.mk LIBBPF="$$libbpf"

.PHONY: example
ifeq ($(GUEST),c)
example: has-example c-tools
	$(call say,building the example $(EXAMPLE))
	@$(MAKE) --no-print-directory -s -f examples/c.mk APPS=$(EXAMPLE)
else
example: has-example setup
	$(call say,building the example $(EXAMPLE))
	$(call build-guests,$(EXAMPLE),$(EXAMPLE),$(BUILD)/rust)
endif

.PHONY: test-guests
test-guests: setup ## build the guests that tests run: build/tests/NAME.component.wasm
	$(call say,building the guests for the tests)
	$(call build-guests,test-guests,$(TEST_GUESTS),$(BUILD)/tests)

.PHONY: conformance-guests
conformance-guests: c-tools ## build the components of the conformance suite: build/conformance/{rust,c}/FOLDER.component.wasm
	$(call say,building the components of the conformance suite)
	$(call build-guests,conformance-guests,$(CONFORMANCE_GUESTS),$(BUILD)/conformance/rust)
	@$(MAKE) --no-print-directory -s -f tests/conformance/c-guests.mk

.PHONY: bench-guest
bench-guest: setup
	$(call say,building the guest that is measured)
	$(call build-guests,bench-guest,bench_guest,$(BUILD)/bench)

# The host as it is shipped: numbers of another build say nothing.
.PHONY: bench
bench: bench-guest ## measure guests against native libbpf (ARGS=--quick, ARGS='lookup ring', ARGS=--help)
	$(call say,building the benchmark)
	@. ./$(ENV); cargo build $(LOCKED) --release -p wasm-bpf-bench
	$(call say,measuring)
	@if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	exec $$sudo '$(TARGET_DIR)/release/bench' $(ARGS)

.PHONY: generate
generate: ## write the C bindings anew from wit/: guest-sdk-c/generated
	@cargo run --quiet $(LOCKED) -p wasm-bpf-generate-c

.PHONY: wit-deps
wit-deps: ## renew wit/deps from the wasmtime-wasi crate in use
	@scripts/vendor-wit.sh

.PHONY: setup
setup: ## install or name what is missing (GUEST_STD=rustup: let rustup bring the std for guests)
	@scripts/setup.sh $(ENV)

.PHONY: clean
clean: ## remove everything that was built here
	rm -rf $(BUILD) target
	@[ '$(TARGET_DIR)' = '$(CURDIR)/target' ] || echo 'left alone, since it may serve other projects too: $(TARGET_DIR)' >&2
