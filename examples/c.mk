# Builds the examples in C: build/c/NAME.component.wasm from examples/NAME/c/NAME.c, for `make c-examples`.
#
# The BPF side is that of the example in Rust, where there is one; a tool that is only here brings its own.

WASM_BPF_APPS := $(or $(APPS),$(foreach source,$(wildcard examples/*/c),$(patsubst examples/%/c/,%,$(dir $(wildcard $(source)/$(patsubst examples/%/c,%,$(source)).c)))))
WASM_BPF_OUT := build/c
WASM_BPF_BUILD := build/c-objects

# Those that print numbers with fractions. The others do without the code for them, and would end at such a format: so it is looked for.
with-fractions := $(foreach app,$(WASM_BPF_APPS),$(shell grep -q '%[-+ #0-9.*]*[aefgAEFG]' examples/$(app)/c/$(app).c && echo $(app)))

define example
$(1)_SOURCES := examples/$(1)/c/$(1).c
$(1)_BPF := $$(or $$(wildcard examples/$(1)/c/$(1).bpf.c),examples/$(1)/src/bpf/$(1).bpf.c)
$(1)_CFLAGS := -std=gnu11 -Wextra -Werror -Iexamples/common/c -Iexamples/$(1)/c -Iexamples/$(1)/src/bpf
$(1)_LDFLAGS := $$(if $$(filter $(1),$(with-fractions)),,-lc-printscan-no-floating-point)
endef
$(foreach app,$(WASM_BPF_APPS),$(eval $(call example,$(app))))

include guest-sdk-c/wasm-bpf.mk
