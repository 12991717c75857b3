// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of the running kernel and its modules: by name, by id, with their sizes, and as the bytes that they are.
// grants: none
// needs: --dir /sys/kernel/btf::/btf
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_legacy.h>

#include <dirent.h>

#include "check.h"

static const struct btf_type *find(const struct btf *btf, const char *name, __u32 kind, __s32 *id)
{
	const struct btf_type *type;

	*id = btf__find_by_name_kind(btf, name, kind);
	CHECK(*id > 0);
	type = btf__type_by_id(btf, *id);
	CHECK(type);
	CHECK_IS(btf_kind(type), kind);
	CHECK_TEXT(btf__name_by_offset(btf, type->name_off), name);
	return type;
}

// What all kernels have.
static void kernel(const struct btf *btf)
{
	const struct btf_type *type, *proto;
	__s32 id, size;

	CHECK(btf__type_cnt(btf) > 10000);
	CHECK(!btf__base_btf(btf));
	CHECK_IS(btf__pointer_size(btf), 8);
	CHECK_IS(btf__endianness(btf), BTF_LITTLE_ENDIAN);
	CHECK_IS(btf__fd(btf), -1);

	type = find(btf, "task_struct", BTF_KIND_STRUCT, &id);
	CHECK(btf_vlen(type) > 50 && type->size > 1000);
	CHECK_IS(btf__resolve_size(btf, id), type->size);
	CHECK(btf__align_of(btf, id) >= 8);
	CHECK_IS(btf__resolve_type(btf, id), id);
	CHECK_IS(btf__find_by_name(btf, "task_struct"), id);
	size = 0;
	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];

		if (strcmp(btf__name_by_offset(btf, member->name_off), "comm"))
			continue;
		CHECK_IS(btf_member_bitfield_size(type, i), 0);
		CHECK_IS(btf_member_bit_offset(type, i) % 8, 0);
		size = btf__resolve_size(btf, member->type);
	}
	CHECK_IS(size, 16);

	type = find(btf, "size_t", BTF_KIND_TYPEDEF, &id);
	CHECK_IS(btf__resolve_size(btf, id), 8);
	type = btf__type_by_id(btf, btf__resolve_type(btf, id));
	CHECK(btf_is_int(type));
	CHECK_IS(btf_int_bits(type), 64);
	CHECK_IS(btf_int_encoding(type) & BTF_INT_SIGNED, 0);

	type = find(btf, "bpf_prog_put", BTF_KIND_FUNC, &id);
	proto = btf__type_by_id(btf, type->type);
	CHECK(proto && btf_is_func_proto(proto));
	CHECK_IS(btf_vlen(proto), 1);
	CHECK_IS(proto->type, 0);
	CHECK_TEXT(btf__str_by_offset(btf, btf_params(proto)[0].name_off), "prog");
	CHECK_ERR(btf__resolve_size(btf, id), EINVAL);

	CHECK_ERR(btf__find_by_name(btf, "no_such_type"), ENOENT);
	CHECK_ERR(btf__find_by_name_kind(btf, "task_struct", BTF_KIND_UNION), ENOENT);
	CHECK_NULL(btf__type_by_id(btf, btf__type_cnt(btf)), EINVAL);
	CHECK_NULL(btf__name_by_offset(btf, 0x7fffffff), EINVAL);
	CHECK(btf_is_void(btf__type_by_id(btf, 0)));
	CHECK_IS(btf__find_by_name(btf, "void"), 0);
}

static void same(const struct btf *one, const struct btf *other)
{
	const void *data, *others;
	__u32 size, others_size;

	data = btf__raw_data(one, &size);
	others = btf__get_raw_data(other, &others_size);
	CHECK(data && others);
	CHECK_IS(size, others_size);
	CHECK(!memcmp(data, others, size));
}

// One that is loaded. Some kernels have none with types.
static void module(struct btf *vmlinux)
{
	__u32 first = btf__type_cnt(vmlinux), own = 0;
	char path[300] = "/btf/";
	struct btf *btf, *file;
	struct dirent *entry;
	DIR *folder;

	folder = opendir("/btf");
	CHECK(folder);
	do
		entry = readdir(folder);
	while (entry && (entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux")));
	if (!entry) {
		printf("no module with types is loaded: only the kernel's were looked at\n");
		closedir(folder);
		return;
	}
	btf = btf__load_module_btf(entry->d_name, vmlinux);
	CHECK(btf);
	strcat(path, entry->d_name);
	closedir(folder);
	file = btf__parse_split(path, vmlinux);
	CHECK(file);
	same(btf, file);
	btf__free(file);
	CHECK(btf__base_btf(btf) == vmlinux);
	CHECK(btf__type_cnt(btf) > first);
	for (__u32 id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		own += btf_is_func(type) && *btf__name_by_offset(btf, type->name_off);
	}
	CHECK(own > 0);
	CHECK_IS(btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT),
		 btf__find_by_name_kind(vmlinux, "task_struct", BTF_KIND_STRUCT));
	CHECK_IS(btf__pointer_size(btf), 8);
	btf__free(btf);
}

int main(void)
{
	struct btf *btf, *file;

	libbpf_set_print(NULL);
	btf = btf__load_vmlinux_btf();
	CHECK(btf);
	CHECK_IS(libbpf_get_error(btf), 0);
	kernel(btf);

	// The folder is given under another name, so this is what the host has.
	file = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	CHECK(file);
	same(btf, file);
	btf__free(file);
	// And this is the file.
	file = btf__parse_raw("/btf/vmlinux");
	CHECK(file);
	same(btf, file);
	btf__free(file);
	file = libbpf_find_kernel_btf();
	same(btf, file);
	btf__free(file);

	CHECK_NULL(btf__load_module_btf("no_such_module", btf), ENOENT);
	CHECK_NULL(btf__load_module_btf("../vmlinux", btf), EINVAL);
	CHECK_NULL(btf__load_module_btf(NULL, btf), EINVAL);
	CHECK_NULL(btf__parse("/sys/kernel/btf/no_such_module", NULL), ENOENT);
	module(btf);

	CHECK(libbpf_find_vmlinux_btf_id("bpf_prog_put", BPF_TRACE_FENTRY) > 0);
	CHECK_IS(libbpf_find_vmlinux_btf_id("bpf_prog_put", BPF_TRACE_FENTRY), btf__find_by_name_kind(btf, "bpf_prog_put", BTF_KIND_FUNC));
	CHECK_IS(libbpf_find_vmlinux_btf_id("sched_switch", BPF_TRACE_RAW_TP),
		 btf__find_by_name_kind(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF));
	CHECK_IS(libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER), btf__find_by_name_kind(btf, "bpf_iter_task", BTF_KIND_FUNC));
	CHECK_IS(libbpf_find_vmlinux_btf_id("file_open", BPF_LSM_MAC), btf__find_by_name_kind(btf, "bpf_lsm_file_open", BTF_KIND_FUNC));
	CHECK_ERR(libbpf_find_vmlinux_btf_id("no_such_function", BPF_TRACE_FENTRY), ENOENT);
	btf__free(btf);
	btf__free(NULL);
	return 0;
}
