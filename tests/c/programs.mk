# Builds the programs of this folder as components, build/tests/c/NAME.component.wasm, for the tests.

WASM_BPF_APPS := usdt tc globals
WASM_BPF_OUT := build/tests/c
WASM_BPF_BUILD := build/tests/c-objects
WASM_BPF_SHARED := build/c-objects

define program
$(1)_SOURCES := tests/c/$(1).c
$(1)_BPF := tests/c/$(1).bpf.c
$(1)_CFLAGS := -std=gnu11 -Wextra -Werror -Itests/c
endef
$(foreach app,$(WASM_BPF_APPS),$(eval $(call program,$(app))))

include guest-sdk-c/wasm-bpf.mk
