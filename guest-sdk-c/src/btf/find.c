// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include "btf.h"

// Of any kind if that is negative.
static int find(const struct btf *btf, const char *name, int kind)
{
	const uint32_t end = btf__type_cnt(btf);

	if (!name)
		return wb_refuse(EINVAL, "no name of a type");
	if (!kind || !strcmp(name, "void"))
		return 0;
	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *type = wb_btf_type(btf, id);

		if ((kind < 0 || btf_kind(type) == kind) && !strcmp(wb_btf_name(btf, type), name))
			return id;
	}
	errno = ENOENT;
	return -ENOENT;
}

__s32 btf__find_by_name(const struct btf *btf, const char *name)
{
	return find(btf, name, -1);
}

__s32 btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	return find(btf, name, kind);
}
