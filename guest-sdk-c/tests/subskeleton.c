// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The skeleton of a part of an object, as bpftool makes it for a library, and the types that maps are declared with.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "globals.skel.h"
#include "object.skel.h"

// What `bpftool gen subskeleton` writes, by hand: a map, a program and two variables of the whole object.
static void part(void)
{
	struct globals_bpf *skel = globals_bpf__open();
	struct bpf_object_subskeleton *s = calloc(1, sizeof(*s));
	struct bpf_map *bss = NULL, *data = NULL, *events = NULL;
	struct bpf_program *once = NULL;
	__u64 *raised = NULL, *start = NULL, *none = NULL;
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	CHECK(skel && s);
	s->sz = sizeof(*s);
	s->obj = skel->obj;
	s->map_cnt = 3;
	s->map_skel_sz = sizeof(*s->maps);
	s->maps = calloc(3, sizeof(*s->maps));
	s->prog_cnt = 1;
	s->prog_skel_sz = sizeof(*s->progs);
	s->progs = calloc(1, sizeof(*s->progs));
	s->var_cnt = 3;
	s->var_skel_sz = sizeof(*s->vars);
	s->vars = calloc(3, sizeof(*s->vars));
	CHECK(s->maps && s->progs && s->vars);
	s->maps[0] = (struct bpf_map_skeleton){ .name = ".bss", .map = &bss };
	s->maps[1] = (struct bpf_map_skeleton){ .name = ".data", .map = &data };
	s->maps[2] = (struct bpf_map_skeleton){ .name = "events", .map = &events };
	s->progs[0] = (struct bpf_prog_skeleton){ .name = "once", .prog = &once };
	s->vars[0] = (struct bpf_var_skeleton){ .name = "raised", .map = &bss, .addr = (void **)&raised };
	s->vars[1] = (struct bpf_var_skeleton){ .name = "start", .map = &data, .addr = (void **)&start };
	s->vars[2] = (struct bpf_var_skeleton){ .name = "no such", .map = &data, .addr = (void **)&none };
	CHECK_IS(bpf_object__open_subskeleton(s), 0);
	CHECK(once == skel->progs.once && events == skel->maps.events && bss == skel->maps.bss);
	CHECK(raised == &skel->bss->raised && start == &skel->data->start);
	CHECK(!none);
	*start = 123;
	CHECK_IS(globals_bpf__load(skel), 0);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(once), &opts), 0);
	CHECK_IS(*raised, 1);
	CHECK_IS(skel->bss->own_start, 123);

	s->vars[0].map = &events;
	CHECK_ERR(bpf_object__open_subskeleton(s), EINVAL);
	s->progs[0].name = "no such";
	CHECK_ERR(bpf_object__open_subskeleton(s), ESRCH);
	s->obj = NULL;
	CHECK_ERR(bpf_object__open_subskeleton(s), EINVAL);
	bpf_object__destroy_subskeleton(s);
	bpf_object__destroy_subskeleton(NULL);
	globals_bpf__destroy(skel);
}

static const char *type_of(const struct bpf_object *object, __u32 id)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_type *type = btf__type_by_id(btf, id);

	CHECK(type);
	return btf__name_by_offset(btf, type->name_off);
}

static void types(void)
{
	struct object_bpf *skel = object_bpf__open();

	CHECK(skel);
	CHECK(bpf_object__btf(skel->obj));
	CHECK_TEXT(type_of(skel->obj, bpf_map__btf_key_type_id(skel->maps.table)), "key");
	CHECK_TEXT(type_of(skel->obj, bpf_map__btf_value_type_id(skel->maps.table)), "__u64");
	CHECK_TEXT(type_of(skel->obj, bpf_map__btf_value_type_id(skel->maps.bss)), ".bss");
	CHECK_TEXT(type_of(skel->obj, bpf_map__btf_value_type_id(skel->maps.rodata_text)), ".rodata.text");
	CHECK_IS(bpf_map__btf_key_type_id(skel->maps.bss), 0);
	CHECK_IS(bpf_map__btf_key_type_id(skel->maps.ring), 0);
	CHECK_IS(bpf_map__btf_value_type_id(skel->maps.ring), 0);
	CHECK_IS(bpf_map__btf_value_type_id(skel->maps.outer), 0);
	object_bpf__destroy(skel);
}

int main(void)
{
	part();
	types();
	return 0;
}
