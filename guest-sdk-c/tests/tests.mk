# Builds the tests of the C library, build/tests/library/NAME.component.wasm, for run.sh: each NAME.c, with the BPF objects whose skeletons it includes.

tests := $(or $(TESTS),$(basename $(notdir $(wildcard guest-sdk-c/tests/*.c guest-sdk-c/tests/*.cpp))))
tests := $(filter-out %.bpf,$(tests))

WASM_BPF_APPS := $(tests)
WASM_BPF_OUT := build/tests/library
WASM_BPF_BUILD := build/tests/library-objects
WASM_BPF_SHARED := build/c-objects

# A skeleton is made of the BPF source of its name: several tests may share one.
define test
$(1)_SOURCES := $(wildcard guest-sdk-c/tests/$(1).c guest-sdk-c/tests/$(1).cpp)
$(1)_BPF := $(patsubst %.skel.h,guest-sdk-c/tests/%.bpf.c,$(shell sed -n 's/^.include "\([a-z_0-9]*\.skel\.h\)".*/\1/p' guest-sdk-c/tests/$(1).c guest-sdk-c/tests/$(1).cpp 2>/dev/null))
$(1)_CFLAGS := -Wextra -Werror -Iguest-sdk-c/tests -Iguest-sdk-c/generated $(if $(wildcard guest-sdk-c/tests/$(1).c),-std=gnu11)
endef
$(foreach app,$(tests),$(eval $(call test,$(app))))

include guest-sdk-c/wasm-bpf.mk
