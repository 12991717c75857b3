# Builds the examples in C and the programs of this folder with the native compiler, from the same sources, for the tests that compare the two:
# build/native/NAME, with LIBBPF, a directory that has libbpf.a and its headers in include/. The objects and libbpf's headers for them are those of the components, which have to be there.

BPFTOOL ?= build/bpftool
COMPONENTS := build/c-objects build/tests/c-objects
OUT := build/native
OBJECTS := build/native-objects

EXAMPLES := $(foreach folder,$(wildcard examples/*/c),$(patsubst $(folder)/%.c,%,$(wildcard $(folder)/$(patsubst examples/%/c,%,$(folder)).c)))
PROGRAMS := usdt tc globals
CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror

.PHONY: native
native: $(addprefix $(OUT)/,$(EXAMPLES) $(PROGRAMS) uprobe-target usdt-target)

# The skeleton as it is without the option for guests.
vpath %.bpf.o $(COMPONENTS)
$(OBJECTS)/%.skel.h: %.bpf.o $(BPFTOOL)
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< >$@.new
	@mv $@.new $@

# $(call program,NAME,SOURCE,FLAGS)
define program
$(OUT)/$(1): $(2) $(OBJECTS)/$(1)/$(1).skel.h $(LIBBPF)/libbpf.a
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(3) -I$(OBJECTS)/$(1) -I$(LIBBPF)/include -MMD -MP -MF $(OBJECTS)/$(1)/$(1).d $(2) -o $$@ $(LIBBPF)/libbpf.a -lelf -lz
-include $(OBJECTS)/$(1)/$(1).d
endef
$(foreach name,$(EXAMPLES),$(eval $(call program,$(name),examples/$(name)/c/$(name).c,-Iexamples/common/c -Iexamples/$(name)/c -Iexamples/$(name)/src/bpf)))
$(foreach name,$(PROGRAMS),$(eval $(call program,$(name),tests/c/$(name).c,-Itests/c)))

$(OUT)/uprobe-target: examples/uprobe/c/target.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $< -o $@

$(OUT)/usdt-target: tests/c/usdt_target.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $< -o $@
