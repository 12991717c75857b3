// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the kernel in a skeleton: their maps are attached with it unless they are not to, and have links of their own.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "struct_ops.skel.h"

static void attached(void)
{
	struct struct_ops_bpf *skel = struct_ops_bpf__open();
	size_t size = 0;
	const char *value;

	CHECK(skel);
	CHECK_IS(bpf_map__type(skel->maps.first), BPF_MAP_TYPE_STRUCT_OPS);
	CHECK(bpf_map__autoattach(skel->maps.first) && bpf_map__autoattach(skel->maps.other));
	CHECK_IS(bpf_map__set_autoattach(skel->maps.other, false), 0);
	CHECK(!bpf_map__autoattach(skel->maps.other));
	value = bpf_map__initial_value(skel->maps.first, &size);
	CHECK(value && size == 40);
	CHECK_TEXT(value + 24, "wb_test_first");
	CHECK_IS(struct_ops_bpf__load(skel), 0);
	CHECK_IS(struct_ops_bpf__attach(skel), 0);
	CHECK(skel->links.first && !skel->links.other);
	// What is attached is left alone.
	CHECK_IS(struct_ops_bpf__attach(skel), 0);
	skel->links.other = bpf_map__attach_struct_ops(skel->maps.other);
	CHECK(skel->links.other);
	struct_ops_bpf__detach(skel);
	CHECK(!skel->links.first && !skel->links.other);
	struct_ops_bpf__destroy(skel);
}

static void older(void)
{
	struct struct_ops_bpf *skel = struct_ops_bpf__open();
	int size;

	CHECK(skel);
	CHECK_IS(struct_ops_bpf__load(skel), 0);
	// As if the skeleton's maker had not known of links: they are not touched, and nothing fails.
	size = skel->skeleton->map_skel_sz;
	CHECK(size >= (int)sizeof(struct bpf_map_skeleton));
	skel->skeleton->map_skel_sz = offsetof(struct bpf_map_skeleton, link);
	skel->skeleton->map_cnt = 1;
	CHECK_IS(struct_ops_bpf__attach(skel), 0);
	CHECK(!skel->links.first && !skel->links.other);
	struct_ops_bpf__destroy(skel);
}

static void changed(void)
{
	struct struct_ops_bpf *skel = struct_ops_bpf__open();
	size_t size;
	char *value;

	CHECK(skel);
	value = bpf_map__initial_value(skel->maps.first, &size);
	strcpy(value + 24, "wb_test_third");
	// The interface cannot tell the host: rather no load than one of something else.
	if (ON_GUEST(true, false))
		CHECK_ERR(struct_ops_bpf__load(skel), EOPNOTSUPP);
	struct_ops_bpf__destroy(skel);
}

int main(void)
{
	attached();
	older();
	changed();
	return 0;
}
