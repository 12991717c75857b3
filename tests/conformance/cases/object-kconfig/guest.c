// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel's configuration.
#include "conformance.h"

#include "case.skel.h"

// Each, whatever its size is, and where libbpf put it.
void case_same_for_both(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	wasm_bpf_bpf_mapped_memory_own_mapping_t memory;
	wasm_bpf_bpf_mapped_memory_error_code_t code;
	wasm_bpf_bpf_mapped_memory_error_t error;
	wasm_bpf_list_u8_t hostname;
	uint32_t at, version;

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	pull(1);
	CHECK(skel->bss->version != 0);
	CHECK_EQ(skel->kconfig->LINUX_KERNEL_VERSION, skel->bss->version);
	CHECK_EQ(skel->kconfig->CONFIG_BPF, 1);
	CHECK_EQ(skel->bss->has_bpf, 1);
	CHECK_EQ(skel->kconfig->CONFIG_NO_KERNEL_HAS_THIS, 0);
	CHECK_EQ(skel->bss->has_none, 0);
	CHECK(skel->bss->hz != 0);
	CHECK_EQ(skel->kconfig->CONFIG_HZ, skel->bss->hz);
	// TRI_YES
	CHECK_EQ(skel->bss->has_syscall, 1);
	CHECK_EQ(skel->kconfig->CONFIG_BPF_SYSCALL, skel->bss->has_syscall);
	CHECK(skel->bss->hostname[0] != '\0');
	CHECK_MEM(skel->kconfig->CONFIG_DEFAULT_HOSTNAME, skel->bss->hostname, sizeof(skel->bss->hostname));
	CHECK(skel->bss->shift != 0);
	CHECK_EQ(skel->kconfig->CONFIG_LOG_BUF_SHIFT, skel->bss->shift);
	// And the same of the map itself, of which the skeleton has a copy.
	CHECK(wasm_bpf_bpf_mapped_memory_static_mapping_open(raw_map(bpf_map__fd(skel->maps.kconfig)), &memory, &error));
	at = (const char *)&skel->kconfig->LINUX_KERNEL_VERSION - (const char *)skel->kconfig;
	CHECK(wasm_bpf_bpf_mapped_memory_method_mapping_read_u32(wasm_bpf_bpf_mapped_memory_borrow_mapping(memory), at, &version, &code));
	CHECK_EQ(version, skel->bss->version);
	at = (const char *)&skel->kconfig->CONFIG_DEFAULT_HOSTNAME - (const char *)skel->kconfig;
	CHECK(wasm_bpf_bpf_mapped_memory_method_mapping_read(wasm_bpf_bpf_mapped_memory_borrow_mapping(memory), at, sizeof(skel->bss->hostname),
							     &hostname, &code));
	CHECK_MEM(hostname.ptr, skel->bss->hostname, sizeof(skel->bss->hostname));
	wasm_bpf_list_u8_free(&hostname);
	wasm_bpf_bpf_mapped_memory_mapping_drop_own(memory);
	case_bpf__destroy(skel);
}

// libbpf would overwrite it.
void case_not_to_be_set(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	wasm_bpf_bpf_objects_own_open_options_t options = wasm_bpf_bpf_objects_constructor_open_options();
	wasm_bpf_string_t name = text(".kconfig");
	static const __u8 ones[] = { 1, 1, 1, 1 };
	wasm_bpf_list_u8_t elf, data = bytes(ones, sizeof(ones));
	wasm_bpf_bpf_objects_own_open_object_t open;
	wasm_bpf_bpf_objects_error_t error;
	size_t size;

	FAILS(bpf_map__set_initial_value(skel->maps.kconfig, ones, sizeof(ones)), "invalid-argument", ".kconfig");
	case_bpf__destroy(skel);
	// The library refuses that by itself; the host does, too.
	elf.ptr = (uint8_t *)case_bpf__elf_bytes(&size);
	elf.len = size;
	CHECK(wasm_bpf_bpf_objects_static_open_object_open(&elf, wasm_bpf_bpf_objects_borrow_open_options(options), &open, &error));
	FAILS_ERROR(wasm_bpf_bpf_objects_method_open_object_set_initial_value(wasm_bpf_bpf_objects_borrow_open_object(open), &name, 0, &data,
									      &error),
		    error, "invalid-argument", ".kconfig");
	wasm_bpf_bpf_objects_open_object_drop_own(open);
	wasm_bpf_bpf_objects_open_options_drop_own(options);
}
