// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of an object: as the library has them, before and after load, of its program in the kernel, and in its file with .BTF.ext.
// needs: --dir build/tests/library-objects/btf_object::/objects
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_legacy.h>

#include "btf_object.h"
#include "btf_object.skel.h"
#include "check.h"

// What the object says of its own, wherever it is read.
static void look(const struct btf *btf)
{
	const struct btf_type *type;
	__s32 id;

	id = btf__find_by_name_kind(btf, "reading", BTF_KIND_STRUCT);
	CHECK(id > 0);
	type = btf__type_by_id(btf, id);
	CHECK_IS(type->size, 32);
	CHECK_IS(btf_vlen(type), 4);
	CHECK_TEXT(btf__name_by_offset(btf, btf_members(type)[2].name_off), "kind");
	CHECK_IS(btf_member_bit_offset(type, 2), 76);
	CHECK_IS(btf_member_bitfield_size(type, 2), 3);
	CHECK_IS(btf__align_of(btf, id), 8);
	CHECK(btf__find_by_name_kind(btf, "record", BTF_KIND_FUNC) > 0);
	CHECK(btf__find_by_name_kind(btf, "limit", BTF_KIND_VAR) > 0);
	CHECK_ERR(btf__find_by_name(btf, "bpf_prog_put"), ENOENT);
}

static const struct btf_type *section(const struct btf *btf, const char *name)
{
	__s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_DATASEC);

	CHECK(id > 0);
	return btf__type_by_id(btf, id);
}

static void file(void)
{
	struct btf_ext *ext, *swapped;
	const void *raw, *other;
	__u32 size, other_size;
	struct btf *btf;
	unsigned char *broken;

	btf = btf__parse("/objects/btf_object.bpf.o", &ext);
	CHECK(btf && ext);
	look(btf);
	CHECK_IS(btf__pointer_size(btf), 8);
	raw = btf_ext__raw_data(ext, &size);
	CHECK(size > 100);
	CHECK(btf_ext__get_raw_data(ext, &other_size) == raw && other_size == size);
	CHECK_IS(btf_ext__endianness(ext), BTF_LITTLE_ENDIAN);

	// There and back through the other byte order.
	CHECK_IS(btf_ext__set_endianness(ext, BTF_BIG_ENDIAN), 0);
	CHECK_ERR(btf_ext__set_endianness(ext, 2), EINVAL);
	other = btf_ext__raw_data(ext, &other_size);
	CHECK(other && other != raw);
	CHECK_IS(other_size, size);
	swapped = btf_ext__new(other, size);
	CHECK(swapped);
	CHECK_IS(btf_ext__endianness(swapped), BTF_BIG_ENDIAN);
	CHECK_IS(btf_ext__set_endianness(swapped, BTF_LITTLE_ENDIAN), 0);
	CHECK(!memcmp(btf_ext__raw_data(swapped, &other_size), raw, size));
	btf_ext__free(swapped);

	// Bytes that are something else.
	broken = malloc(size);
	CHECK(broken);
	for (__u32 i = 0; i < size; i++) {
		memcpy(broken, raw, size);
		broken[i] ^= 0x81;
		errno = 0;
		swapped = btf_ext__new(broken, size);
		CHECK(swapped || errno == EINVAL || errno == ENOTSUP);
		if (i < 4)
			CHECK(!swapped);
		btf_ext__free(swapped);
		CHECK_NULL(btf_ext__new(raw, i), EINVAL);
	}
	free(broken);
	btf_ext__free(ext);
	btf__free(btf);

	btf = btf__parse_elf("/objects/btf_object.bpf.o", NULL);
	CHECK(btf);
	look(btf);
	CHECK_NULL(btf__parse_raw("/objects/btf_object.bpf.o"), EPROTO);
	btf__free(btf);
	btf_ext__free(NULL);
}

int main(void)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);
	struct btf_object_bpf *skel;
	const struct btf_type *type;
	struct btf *btf, *kernel;

	libbpf_set_print(NULL);
	skel = btf_object_bpf__open();
	CHECK(skel);
	btf = bpf_object__btf(skel->obj);
	CHECK(btf);
	CHECK(bpf_object__btf(skel->obj) == btf);
	look(btf);
	CHECK_IS(btf__pointer_size(btf), 8);
	// The compiler does not know how large sections are, and where variables will be.
	type = section(btf, ".data");
	CHECK_IS(type->size, 32);
	CHECK_IS(btf_vlen(type), 1);
	CHECK_IS(btf_var_secinfos(type)[0].size, 32);
	CHECK_IS(section(btf, ".rodata")->size, 4);
	CHECK_IS(bpf_object__btf_fd(skel->obj), -1);

	CHECK_IS(btf_object_bpf__load(skel), 0);
	CHECK(bpf_object__btf(skel->obj) == btf);
	CHECK(btf__find_by_name(btf, "reading") > 0);

	// The kernel has the program's types under an id.
	CHECK_IS(bpf_prog_get_info_by_fd(bpf_program__fd(skel->progs.record), &info, &length), 0);
	CHECK(info.btf_id);
	kernel = btf__load_from_kernel_by_id(info.btf_id);
	CHECK(kernel);
	look(kernel);
	// There is no `long` in these.
	CHECK_IS(btf__pointer_size(kernel), 0);
	CHECK_IS(btf__resolve_size(kernel, btf__find_by_name_kind(kernel, "readings", BTF_KIND_VAR)), 32);
	CHECK_IS(section(kernel, ".bss")->size, 8);
	btf__free(kernel);
	CHECK_NULL(btf__load_from_kernel_by_id(0x7fffffff), ENOENT);
	CHECK_NULL(btf__load_from_kernel_by_id_split(0x7fffffff, NULL), ENOENT);
	btf_object_bpf__destroy(skel);

	// First asked for when it is loaded.
	skel = btf_object_bpf__open_and_load();
	CHECK(skel);
	btf = bpf_object__btf(skel->obj);
	CHECK(btf);
	look(btf);
	CHECK_IS(section(btf, ".data")->size, 32);
	btf_object_bpf__destroy(skel);
	CHECK(!bpf_object__btf(NULL));
	file();
	return 0;
}
