# Builds the guests in C of the conformance suite: build/conformance/c/FOLDER.component.wasm from cases/FOLDER/guest.c.

conformance-cases := tests/conformance/cases
WASM_BPF_APPS := $(or $(FOLDERS),$(patsubst $(conformance-cases)/%/guest.c,%,$(wildcard $(conformance-cases)/*/guest.c)))
WASM_BPF_OUT := build/conformance/c
WASM_BPF_BUILD := build/conformance/c-objects
WASM_BPF_SHARED := build/c-objects

# A function that case.toml does not list has no declaration, which is an error; one that is listed and not there does not link.
define guest
$(1)_SOURCES := $(conformance-cases)/$(1)/guest.c tests/conformance/guests/c/conformance.c
$(1)_BPF := $(wildcard $(conformance-cases)/$(1)/case.bpf.c)
$(1)_BPF_CFLAGS := -Itests/conformance/include
$(1)_CFLAGS := -std=gnu2x -Wextra -Wmissing-prototypes -Werror -Itests/conformance/guests/c -Itests/conformance/include -Iguest-sdk-c/src -Iguest-sdk-c/generated
endef
$(foreach app,$(WASM_BPF_APPS),$(eval $(call guest,$(app))))

include guest-sdk-c/wasm-bpf.mk

# What the guest includes of its case.toml.
define cases
$(WASM_BPF_BUILD)/$(1)/cases.h: $(conformance-cases)/$(1)/case.toml
	@mkdir -p $$(@D)
	@awk -F'"' ' \
		/^\[\[case\]\]/ { inside = 1 } \
		inside && /^name *=/ { name = $$$$2; gsub("-", "_", name); functions = functions "void case_" name "(void);\n"; list = list " CASE(\"" $$$$2 "\", case_" name ")"; inside = 0 } \
		END { printf "// Made of case.toml.\n%s#define CASES%s\n", functions, list }' $$< >$$@.new
	@mv $$@.new $$@
$($(1)-objects): $(WASM_BPF_BUILD)/$(1)/cases.h
endef
$(foreach app,$(WASM_BPF_APPS),$(eval $(call cases,$(app))))
