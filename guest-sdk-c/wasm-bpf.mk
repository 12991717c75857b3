# Builds eBPF tools written in C or C++ for libbpf into WebAssembly components, with GNU make. A program's Makefile has
#
#   WASM_BPF_APPS := foo
#   include PATH/guest-sdk-c/wasm-bpf.mk
#
# foo.bpf.c is compiled to the object foo.bpf.o, of which the skeleton foo.skel.h is made; foo.c (or foo.cpp, foo.cc) includes it, and
# becomes foo.component.wasm. docs/c-guests.md tells the whole story. What may be set before the include:
#
#   foo_SOURCES         the C and C++ sources, if they are more or others than foo.c
#   foo_BPF             the BPF sources, if they are more or others than foo.bpf.c: each X.bpf.c gives an X.skel.h; may be empty
#   foo_CFLAGS          for the C and C++ sources of foo
#   foo_BPF_CFLAGS      for its BPF sources
#   foo_LDFLAGS         for its link, in the words of wasm-ld
#   foo_IGNORE_STRUCTS  names of structs that are alike in nothing but the name; all others are compared
#   CPPFLAGS, CFLAGS, CXXFLAGS, WASM_BPF_BPF_CFLAGS, WASM_BPF_LDFLAGS    the same for all
#   WASM_BPF_OUT        the directory of the components (this one)
#   WASM_BPF_BUILD      the directory of everything else (build)
#   WASM_BPF_SHARED     the directory of what is the same for all programs, the library and headers (the same); several builds can share it
#   WASM_BPF_VMLINUX    BTF of a kernel, as /sys/kernel/btf/vmlinux: vmlinux.h is made of it. Else the sources bring their vmlinux.h.
#   WASI_SDK_PATH       a wasi-sdk to compile with; else what `make setup` found: clang, and the wasi-libc that belongs to it
#   CLANG               the compiler for BPF
#   BPFTOOL, WASM_BPF_C the tools, if they are not those that `make c-tools` built
#
# Targets: wasm-bpf for $(WASM_BPF_COMPONENTS), wasm-bpf-shared for the library and headers alone, wasm-bpf-clean. V=1 shows the commands.

ifndef wasm-bpf-sdk

wasm-bpf-sdk := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
wasm-bpf-repo := $(patsubst %/,%,$(dir $(wasm-bpf-sdk)))

WASM_BPF_OUT ?= .
WASM_BPF_BUILD ?= build
WASM_BPF_SHARED ?= $(WASM_BPF_BUILD)
BPFTOOL ?= $(wasm-bpf-repo)/build/bpftool
WASM_BPF_C ?= $(wasm-bpf-repo)/build/wasm-bpf-c
WASM_BPF_TOOLCHAIN ?= $(wasm-bpf-repo)/build/toolchain.env

# Components in the current directory have no "./" before their names: that is how people type them.
wasm-bpf-component = $(patsubst ./%,%,$(WASM_BPF_OUT)/$(1).component.wasm)
WASM_BPF_COMPONENTS = $(foreach app,$(WASM_BPF_APPS),$(call wasm-bpf-component,$(app)))

# The first rule, and so what a plain `make` does in a Makefile that has none before the include.
.PHONY: wasm-bpf
wasm-bpf: $(WASM_BPF_COMPONENTS)

# ---- Tools ---------------------------------------------------------------------------------------------------------

# A variable of the file that scripts/setup.sh writes. Empty if there is no such file: what is missing is told when it is needed.
wasm-bpf-found = $(shell [ ! -e '$(WASM_BPF_TOOLCHAIN)' ] || { . '$(WASM_BPF_TOOLCHAIN)'; printf '%s' "$$$(1)"; })

ifeq ($(origin CLANG),undefined)
CLANG := $(or $(call wasm-bpf-found,CLANG),$(shell for name in clang clang-22 clang-21 clang-20 clang-19; do command -v $$name && break; done))
endif
wasm-bpf-ar := $(or $(wildcard $(patsubst %/,%,$(dir $(realpath $(shell command -v $(CLANG)))))/llvm-ar),llvm-ar)

wasm-bpf-comma := ,
ifneq ($(WASI_SDK_PATH),)
wasm-bpf-cc := $(WASI_SDK_PATH)/bin/clang
wasm-bpf-cxx := $(WASI_SDK_PATH)/bin/clang++
wasm-bpf-ar := $(WASI_SDK_PATH)/bin/llvm-ar
wasm-bpf-target := --target=wasm32-wasip2
wasm-bpf-sysroot := $(WASI_SDK_PATH)/share/wasi-sysroot
# $(call wasm-bpf-link,LINKER'S FLAGS,OBJECTS,OUTPUT)
wasm-bpf-link = $(if $(filter %.cpp.o %.cc.o %.cxx.o,$(2)),$(wasm-bpf-cxx) -fno-exceptions,$(wasm-bpf-cc)) $(wasm-bpf-target) \
	$(addprefix -Xlinker ,$(1)) $(2) -o $(3)
else
wasm-bpf-cc := $(CLANG)
wasm-bpf-cxx := $(CLANG) --driver-mode=g++ -nostdinc++
wasm-bpf-sysroot := $(call wasm-bpf-found,GUEST_WASI_LIBC)
wasm-bpf-target := --target=wasm32-wasip2 --sysroot=$(wasm-bpf-sysroot) -isystem $(wasm-bpf-sysroot)/include/wasm32-wasip2
wasm-bpf-component-ld := $(call wasm-bpf-found,GUEST_COMPONENT_LD)
wasm-bpf-link = LD_LIBRARY_PATH='$(call wasm-bpf-found,GUEST_LD_LIBRARY_PATH)' $(wasm-bpf-component-ld) -m wasm32 \
	--wasm-ld-path '$(call wasm-bpf-found,GUEST_WASM_LD)' --wasi-adapter none --undefined=wb_run $(1) $(wasm-bpf-sysroot)/lib/wasm32-wasip2/crt1-command.o $(2) \
	$(wasm-bpf-sdk)/generated/command_component_type.o -L$(wasm-bpf-sysroot)/lib/wasm32-wasip2 -lc '$(call wasm-bpf-found,GUEST_BUILTINS)' -o $(3)
endif

# $(call wasm-bpf-run,WHAT,FILE): goes before a command, which V=1 shows in full.
wasm-bpf-run = $(if $(filter-out 0,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

# Said when something is built, not when the file is read: `make clean` needs no tools.
wasm-bpf-say = printf 'wasm-bpf.mk: %s\n' "$(1)" >&2; exit 1

.PHONY: wasm-bpf-compilers wasm-bpf-bpf-tools
wasm-bpf-compilers:
ifneq ($(WASI_SDK_PATH),)
	@[ -x '$(wasm-bpf-cc)' ] || { $(call wasm-bpf-say,WASI_SDK_PATH is '$(WASI_SDK_PATH)'$(wasm-bpf-comma) which has no bin/clang; name the directory of a wasi-sdk); }
	@[ -d '$(wasm-bpf-sysroot)/include/wasm32-wasip2' ] || { $(call wasm-bpf-say,the wasi-sdk in '$(WASI_SDK_PATH)' has no wasm32-wasip2; wasi-sdk 24 or newer is needed); }
else
	@command -v '$(wasm-bpf-cc)' >/dev/null || { $(call wasm-bpf-say,no clang was found; run make -C $(wasm-bpf-repo) setup or name one with CLANG=); }
	@[ -n '$(wasm-bpf-sysroot)' ] && [ -n '$(wasm-bpf-component-ld)' ] || \
		{ $(call wasm-bpf-say,no wasi-libc and linker for C guests were found; set WASI_SDK_PATH to a wasi-sdk or on Debian run: GUEST_STD=debian make -C $(wasm-bpf-repo) setup); }
endif

wasm-bpf-bpf-tools:
	@command -v '$(CLANG)' >/dev/null || { $(call wasm-bpf-say,no clang for BPF was found; run make -C $(wasm-bpf-repo) setup or name one with CLANG=); }
	@[ -x '$(WASM_BPF_C)' ] || { $(call wasm-bpf-say,there is no $(WASM_BPF_C); run make -C $(wasm-bpf-repo) c-tools or name the tool with WASM_BPF_C=); }
	@[ -x '$(BPFTOOL)' ] || { $(call wasm-bpf-say,there is no $(BPFTOOL); run make -C $(wasm-bpf-repo) c-tools or name a bpftool with bpftool-patches in it with BPFTOOL=); }

# ---- Flags ---------------------------------------------------------------------------------------------------------

# The kernel's headers, without those of the system's C library beside them. A guest has its own.
wasm-bpf-kernel := $(WASM_BPF_SHARED)/kernel-headers
wasm-bpf-arch := $(shell uname -m)
wasm-bpf-asm := $(patsubst %/types.h,%,$(firstword $(wildcard /usr/include/asm/types.h /usr/include/$(wasm-bpf-arch)-linux-gnu*/asm/types.h \
	/usr/include/*-linux-gnu*/asm/types.h)))

# The library's headers come first: they are the ones that a program means with <bpf/libbpf.h>, and stand before libc's.
wasm-bpf-include := -I$(wasm-bpf-sdk)/include -idirafter $(wasm-bpf-kernel)
# What every host of components understands, and wasi-libc does not ask for.
# Where a number of 64 bits is printed as a long, which has 32 here, all that follows in the line would be wrong.
wasm-bpf-flags := $(wasm-bpf-target) -mbulk-memory -msign-ext -mnontrapping-fptoint -Oz -g -Wall -Werror=format -ffunction-sections -fdata-sections
wasm-bpf-wrap := $(addprefix --wrap=,$(if $(wildcard $(wasm-bpf-sdk)/wrap.txt),$(shell sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\).*/\1/p' $(wasm-bpf-sdk)/wrap.txt)))

# One object serves all architectures but where it reads registers, whose names the headers ask for.
wasm-bpf-target-arch := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(patsubst riscv%,riscv,$(patsubst loongarch%,loongarch,$(patsubst ppc64le,powerpc,$(wasm-bpf-arch))))))
wasm-bpf-bpf-include := $(WASM_BPF_SHARED)/bpf-headers
# The sources in the debug information are where clang takes the lines from that the verifier quotes; linking drops it. With names
# that do not depend on where all of this lies, an object is the same on every machine.
wasm-bpf-bpf-flags := -target bpf -mcpu=v3 -O2 -g -Wall -gdwarf-5 -gembed-source -fdebug-compilation-dir=. \
	-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(wasm-bpf-bpf-include)=/usr/include -I$(wasm-bpf-bpf-include)
wasm-bpf-bpf-after := $(addprefix -idirafter ,$(patsubst %/asm,%,$(filter-out /usr/include/asm,$(wasm-bpf-asm))) $(wildcard /usr/include))
ifneq ($(WASM_BPF_VMLINUX),)
wasm-bpf-vmlinux := $(WASM_BPF_BUILD)/vmlinux/vmlinux.h
wasm-bpf-bpf-flags += -I$(WASM_BPF_BUILD)/vmlinux
endif

# Of the patched bpftool: skeletons that have BPF's layout also where pointers and long have 32 bits.
wasm-bpf-skeleton-options := --fixed-width

# Headers of which a struct is nobody's agreement between a program and its BPF side.
wasm-bpf-system := $(addprefix --system ,$(wasm-bpf-sysroot) $(wasm-bpf-sdk)/include $(wasm-bpf-sdk)/generated $(wasm-bpf-kernel) \
	$(if $(WASI_SDK_PATH),$(WASI_SDK_PATH)/lib))

# $(call wasm-bpf-remember,FILE,TEXT): the rule of a file that changes when the text does, so that what depends on it is made anew.
define wasm-bpf-remember
$(1): wasm-bpf-always
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$(2))' >$$@.$$$$$$$$ && \
	if cmp -s $$@.$$$$$$$$ $$@; then rm $$@.$$$$$$$$; else mv $$@.$$$$$$$$ $$@; fi
endef
.PHONY: wasm-bpf-always
wasm-bpf-always:

# ---- The library ---------------------------------------------------------------------------------------------------

wasm-bpf-lib := $(WASM_BPF_SHARED)/libbpf.a
wasm-bpf-lib-sources := $(sort $(shell find $(wasm-bpf-sdk)/src -name '*.c' 2>/dev/null)) $(wasm-bpf-sdk)/generated/wasm_bpf.c
wasm-bpf-lib-objects := $(patsubst $(wasm-bpf-sdk)/%.c,$(WASM_BPF_SHARED)/libbpf/%.o,$(wasm-bpf-lib-sources))
# Linked as a whole: a tenth smaller. Programs are not, since the comparison of structs reads their debug information.
wasm-bpf-lib-flags := $(wasm-bpf-flags) -flto -Wextra -std=gnu11 -ffile-prefix-map=$(wasm-bpf-sdk)=guest-sdk-c \
	-I$(wasm-bpf-sdk)/src -I$(wasm-bpf-sdk)/generated $(wasm-bpf-include)
$(eval $(call wasm-bpf-remember,$(WASM_BPF_SHARED)/libbpf/flags,$(wasm-bpf-cc) $(wasm-bpf-lib-flags)))
$(eval $(call wasm-bpf-remember,$(WASM_BPF_SHARED)/libbpf/objects,$(wasm-bpf-lib-objects)))

$(wasm-bpf-kernel)/done:
	@[ -e '$(wasm-bpf-asm)/types.h' ] && [ -e /usr/include/linux/bpf.h ] || \
		{ $(call wasm-bpf-say,the headers of the kernel were not found in /usr/include; on Debian install linux-libc-dev; on Fedora kernel-headers); }
	@mkdir -p $(@D)
	@ln -sfn /usr/include/linux $(@D)/linux
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn '$(wasm-bpf-asm)' $(@D)/asm
	@touch $@

$(wasm-bpf-lib-objects): $(WASM_BPF_SHARED)/libbpf/%.o: $(wasm-bpf-sdk)/%.c $(WASM_BPF_SHARED)/libbpf/flags $(wasm-bpf-kernel)/done | wasm-bpf-compilers
	@mkdir -p $(@D)
	$(call wasm-bpf-run,CC,$<)$(wasm-bpf-cc) $(wasm-bpf-lib-flags) -MMD -MP -c $< -o $@

$(wasm-bpf-lib): $(wasm-bpf-lib-objects) $(WASM_BPF_SHARED)/libbpf/objects
	@rm -f $@
	$(call wasm-bpf-run,AR,$@)$(wasm-bpf-ar) rcs $@ $(wasm-bpf-lib-objects)

# ---- Programs ------------------------------------------------------------------------------------------------------

$(wasm-bpf-bpf-include)/done: $(wildcard $(WASM_BPF_C)) | wasm-bpf-bpf-tools
	$(call wasm-bpf-run,HEADERS,$(@D))$(WASM_BPF_C) headers $(@D)
	@touch $@

ifneq ($(wasm-bpf-vmlinux),)
$(wasm-bpf-vmlinux): $(WASM_BPF_VMLINUX) | wasm-bpf-bpf-tools
	@mkdir -p $(@D)
	$(call wasm-bpf-run,BTF,$@)$(BPFTOOL) btf dump file $< format c >$@.new
	@mv $@.new $@
endif

# A file's name inside the directory of what is built, wherever its source lies.
wasm-bpf-name = $(subst /,_,$(subst ../,up_,$(patsubst ./%,%,$(1))))

# $(call wasm-bpf-bpf-source,APP,SOURCE,NAME): an object, linked, and its skeleton.
define wasm-bpf-bpf-source
$(WASM_BPF_BUILD)/$(1)/$(3).unlinked.o: $(2) $(WASM_BPF_BUILD)/$(1)/bpf-flags $(wasm-bpf-bpf-include)/done $(wasm-bpf-vmlinux) | wasm-bpf-bpf-tools
	$$(call wasm-bpf-run,BPF,$(2))$$(CLANG) $$(wasm-bpf-bpf-flags) $$(wasm-bpf-bpf-after) $$($(1)-bpf-flags) -MMD -MP -c $(2) -o $$@

$(WASM_BPF_BUILD)/$(1)/$(3).bpf.o: $(WASM_BPF_BUILD)/$(1)/$(3).unlinked.o $(wildcard $(WASM_BPF_C)) | wasm-bpf-bpf-tools
	$$(call wasm-bpf-run,BPFLINK,$$@)$$(WASM_BPF_C) link $$< -o $$@

$(WASM_BPF_BUILD)/$(1)/$(3).skel.h: $(WASM_BPF_BUILD)/$(1)/$(3).bpf.o $(wildcard $(BPFTOOL)) | wasm-bpf-bpf-tools
	$$(call wasm-bpf-run,SKEL,$$@)$$(BPFTOOL) gen skeleton --fixed-width $$< >$$@.new
	@mv $$@.new $$@

-include $(WASM_BPF_BUILD)/$(1)/$(3).unlinked.d
endef

# $(call wasm-bpf-source,APP,SOURCE,NAME)
define wasm-bpf-source
$(WASM_BPF_BUILD)/$(1)/$(3).o: $(2) $(WASM_BPF_BUILD)/$(1)/flags $(wasm-bpf-kernel)/done $$($(1)-skeletons) | wasm-bpf-compilers
	$$(call wasm-bpf-run,CC,$(2))$(if $(filter %.c,$(2)),$$(wasm-bpf-cc) $$(wasm-bpf-flags),$$(wasm-bpf-cxx) $$(wasm-bpf-flags) -fno-exceptions -fno-rtti) \
		$$(wasm-bpf-include) -I$(WASM_BPF_BUILD)/$(1) $$(CPPFLAGS) $$($(if $(filter %.c,$(2)),CFLAGS,CXXFLAGS)) $$($(1)_CFLAGS) \
		-MMD -MP -c $(2) -o $$@

-include $(WASM_BPF_BUILD)/$(1)/$(3).d
endef

# $(call wasm-bpf-app,APP)
define wasm-bpf-app
$(1)-sources := $$(if $$(filter undefined,$$(origin $(1)_SOURCES)),$$(or $$(firstword $$(wildcard $(1).c $(1).cpp $(1).cc)),$(1).c),$$($(1)_SOURCES))
$(1)-bpf := $$(if $$(filter undefined,$$(origin $(1)_BPF)),$(1).bpf.c,$$($(1)_BPF))
$(1)-bpf-flags := $$(if $$(findstring __TARGET_ARCH_,$$(WASM_BPF_BPF_CFLAGS) $$($(1)_BPF_CFLAGS)),,-D__TARGET_ARCH_$$(wasm-bpf-target-arch)) \
	$$(WASM_BPF_BPF_CFLAGS) $$($(1)_BPF_CFLAGS)
$(1)-names := $$(patsubst %.bpf.c,%,$$(notdir $$($(1)-bpf)))
$(1)-skeletons := $$(patsubst %,$$(WASM_BPF_BUILD)/$(1)/%.skel.h,$$($(1)-names))
$(1)-unlinked := $$(patsubst %,$$(WASM_BPF_BUILD)/$(1)/%.unlinked.o,$$($(1)-names))
$(1)-objects := $$(foreach source,$$($(1)-sources),$$(WASM_BPF_BUILD)/$(1)/$$(call wasm-bpf-name,$$(source)).o)
$$(foreach source,$$($(1)-bpf),$$(eval $$(call wasm-bpf-bpf-source,$(1),$$(source),$$(patsubst %.bpf.c,%,$$(notdir $$(source))))))
$$(foreach source,$$($(1)-sources),$$(eval $$(call wasm-bpf-source,$(1),$$(source),$$(call wasm-bpf-name,$$(source)))))
$$(eval $$(call wasm-bpf-remember,$$(WASM_BPF_BUILD)/$(1)/bpf-flags,$$(CLANG) $$(wasm-bpf-bpf-flags) $$($(1)-bpf-flags)))
$$(eval $$(call wasm-bpf-remember,$$(WASM_BPF_BUILD)/$(1)/flags,$$(wasm-bpf-cc) $$(wasm-bpf-flags) $$(CPPFLAGS) $$(CFLAGS) $$(CXXFLAGS) $$($(1)_CFLAGS)))
$$(eval $$(call wasm-bpf-remember,$$(WASM_BPF_BUILD)/$(1)/link,$$(wasm-bpf-wrap) $$(WASM_BPF_LDFLAGS) $$($(1)_LDFLAGS) $$($(1)-objects)))

# Both sides compile a struct of a header that they share, each for a machine of its own.
$$(WASM_BPF_BUILD)/$(1)/structs-checked: $$($(1)-unlinked) $$($(1)-objects) $$(if $$($(1)-bpf),$(wildcard $(WASM_BPF_C)))
	$$(call wasm-bpf-run,CHECK,structs of $(1))$$(foreach object,$$($(1)-unlinked),$$(WASM_BPF_C) check-structs $$(wasm-bpf-system) $$(addprefix --ignore ,$$($(1)_IGNORE_STRUCTS)) \
		$$(object) $$($(1)-objects) &&) touch $$@

$$(call wasm-bpf-component,$(1)): $$($(1)-objects) $$(WASM_BPF_BUILD)/$(1)/structs-checked $(wasm-bpf-lib) $$(WASM_BPF_BUILD)/$(1)/link
	@mkdir -p $$(@D)
	@[ -x '$$(WASM_BPF_C)' ] || { $$(call wasm-bpf-say,there is no $$(WASM_BPF_C); run make -C $$(wasm-bpf-repo) c-tools or name the tool with WASM_BPF_C=); }
	$$(call wasm-bpf-run,LINK,$$@)$$(call wasm-bpf-link,--gc-sections --strip-all --compress-relocations -O2 $$(wasm-bpf-wrap) $$(WASM_BPF_LDFLAGS) $$($(1)_LDFLAGS),$$($(1)-objects) $(wasm-bpf-lib) \
		$$(wasm-bpf-sdk)/generated/wasm_bpf_component_type.o,$$(WASM_BPF_BUILD)/$(1)/linked.wasm)
	@$$(WASM_BPF_C) strip $$(WASM_BPF_BUILD)/$(1)/linked.wasm -o $$@
endef

$(foreach app,$(WASM_BPF_APPS),$(eval $(call wasm-bpf-app,$(app))))
-include $(wasm-bpf-lib-objects:.o=.d)

.PHONY: wasm-bpf-shared
wasm-bpf-shared: $(wasm-bpf-lib) $(wasm-bpf-bpf-include)/done

.PHONY: wasm-bpf-clean
wasm-bpf-clean:
	rm -rf $(addprefix $(WASM_BPF_BUILD)/,vmlinux $(WASM_BPF_APPS)) $(WASM_BPF_COMPONENTS) \
		$(if $(filter $(WASM_BPF_BUILD),$(WASM_BPF_SHARED)),$(addprefix $(WASM_BPF_SHARED)/,libbpf libbpf.a kernel-headers bpf-headers))

endif
