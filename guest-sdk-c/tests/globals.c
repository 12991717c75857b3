// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Global data by the pointers of a skeleton: what the guest writes reaches the programs with the next call, what they write is there after
// it, and neither undoes what the other wrote beside it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "check.h"
#include "globals.skel.h"

static char said[1024];

static int listen(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	return vsnprintf(said, sizeof(said), format, ap);
}

static void run(const struct globals_bpf *skel)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.once), &opts), 0);
	CHECK_IS(opts.retval, XDP_PASS);
}

static struct globals_bpf *open_skeleton(void)
{
	struct globals_bpf *skel = globals_bpf__open();

	CHECK(skel);
	// Another program is to run when this test says so, not with every system call of the machine.
	bpf_program__set_autoattach(skel->progs.always, false);
	return skel;
}

static void both_ways(void)
{
	struct globals_bpf *skel = open_skeleton();
	const void *bss = skel->bss, *data = skel->data;

	CHECK_IS(skel->rodata->step, 1);
	CHECK_IS(skel->data->start, 1000);
	CHECK_IS(skel->data_more->in_section, 5);
	CHECK_IS(skel->bss->raised, 0);
	// What the kernel's configuration says is not known yet.
	CHECK(!skel->kconfig);
	skel->rodata->step = 3;
	skel->data->start = 7;
	skel->data_more->in_section = 50;
	skel->bss->raised = 100;
	CHECK_IS(globals_bpf__load(skel), 0);
	CHECK(skel->bss == bss && skel->data == data);
	CHECK(skel->kconfig && skel->kconfig->LINUX_KERNEL_VERSION > 5 << 16);
	CHECK(skel->kconfig->CONFIG_BPF);

	CHECK_IS(skel->rodata->step, 3);
	run(skel);
	CHECK_IS(skel->bss->raised, 103);
	CHECK_IS(skel->bss->own_start, 7);
	CHECK_IS(skel->data_more->in_section, 51);
	CHECK_IS(skel->bss->version, skel->kconfig->LINUX_KERNEL_VERSION | 1 << 30);
	CHECK_IS(skel->bss->large[39999], 1);

	skel->data->start = 8;
	skel->bss->shared.mark = 9;
	run(skel);
	CHECK_IS(skel->bss->own_start, 8);
	CHECK_IS(skel->bss->seen_mark, 9);
	CHECK_IS(skel->bss->shared.mark, 9);
	CHECK_IS(skel->bss->shared.before, 2);
	CHECK_IS(skel->bss->raised, 106);
	skel->bss->raised = 0;
	skel->bss->large[39999] = 1ULL << 40;
	run(skel);
	CHECK_IS(skel->bss->raised, 3);
	CHECK_IS(skel->bss->large[39999], (1LL << 40) + 1);
	globals_bpf__destroy(skel);
	globals_bpf__destroy(NULL);
}

// Programs raise a counter with every system call, while the guest writes the byte beside it.
static void neighbours(void)
{
	struct globals_bpf *skel = globals_bpf__open_and_load();
	__u64 last = 0;
	__u32 key = 0;

	CHECK(skel);
	CHECK_IS(globals_bpf__attach(skel), 0);
	for (int i = 0; i < 5000; i++) {
		skel->bss->shared.mark = i;
		// Any call will do; this one is a system call too, also of the host.
		CHECK_IS(bpf_map_get_next_key(bpf_map__fd(skel->maps.bss), NULL, &key), 0);
		CHECK_IS(skel->bss->shared.mark, (__u8)i);
		CHECK(skel->bss->shared.hits >= last);
		last = skel->bss->shared.hits;
		skel->bss->large[8] = i;
	}
	CHECK(last > 4000);
	globals_bpf__detach(skel);
	CHECK(!skel->links.always && !skel->links.once);
	// One more: what ran before the detach has ended.
	run(skel);
	CHECK_IS(skel->bss->shared.hits, skel->bss->large[7]);
	CHECK_IS(skel->bss->large[8], 4999);
	CHECK_IS(skel->bss->shared.unused[0], (__u8)4999);
	globals_bpf__destroy(skel);
}

static void two_objects(void)
{
	struct globals_bpf *one = open_skeleton(), *other = open_skeleton();

	one->rodata->step = 10;
	other->rodata->step = 20;
	CHECK_IS(globals_bpf__load(one), 0);
	CHECK_IS(globals_bpf__load(other), 0);
	one->bss->raised = 1;
	run(other);
	run(one);
	CHECK_IS(one->bss->raised, 11);
	CHECK_IS(other->bss->raised, 20);
	globals_bpf__destroy(one);
	run(other);
	CHECK_IS(other->bss->raised, 40);
	globals_bpf__destroy(other);
}

static void constants(void)
{
	struct globals_bpf *skel = open_skeleton();
	libbpf_print_fn_t before;

	CHECK_IS(globals_bpf__load(skel), 0);
	// libbpf's are mapped to be read: this would end the program.
	if (ON_GUEST(true, false)) {
		before = libbpf_set_print(listen);
		skel->rodata->step = 99;
		run(skel);
		libbpf_set_print(before);
		CHECK_IS(skel->rodata->step, 1);
		CHECK_IS(skel->bss->raised, 1);
		CHECK(strstr(said, "rodata"));
	}
	globals_bpf__destroy(skel);
}

static struct globals_bpf *called_with;
static int calls;

static int on_event(void *ctx, void *data, size_t size)
{
	struct globals_bpf *skel = called_with;
	__u64 raised;

	CHECK(ctx == &calls);
	CHECK_IS(size, 8);
	memcpy(&raised, data, sizeof(raised));
	CHECK_IS(raised, calls + 1);
	// All that the programs wrote before is there, and calls from here count as from anywhere.
	CHECK_IS(skel->bss->raised, calls < 2 ? 2 : 3);
	calls++;
	skel->bss->last_mark = calls;
	if (calls == 2) {
		skel->bss->shared.mark = 40;
		run(skel);
		CHECK_IS(skel->bss->seen_mark, 40);
		CHECK_IS(skel->bss->raised, 3);
	}
	return 0;
}

static void callbacks(void)
{
	struct globals_bpf *skel = open_skeleton();
	struct ring_buffer *ring;

	CHECK_IS(globals_bpf__load(skel), 0);
	called_with = skel;
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, &calls, NULL);
	CHECK(ring);
	run(skel);
	run(skel);
	while (calls < 3)
		CHECK(ring_buffer__poll(ring, 1000) > 0);
	// What the callback wrote is not lost.
	CHECK_IS(skel->bss->last_mark, 3);
	run(skel);
	CHECK_IS(skel->bss->last_mark, 3);
	ring_buffer__free(ring);
	globals_bpf__destroy(skel);
}

// A skeleton as bpftool 7.1 makes it: its elements end before what came later.
static void older(void)
{
	struct { const char *name; struct bpf_map **map; void **mmaped; } maps[2];
	struct { const char *name; struct bpf_program **prog; struct bpf_link **link; } programs[1];
	struct bpf_object_skeleton *s = calloc(1, sizeof(*s));
	struct globals_bpf__bss *bss = NULL;
	struct bpf_program *program = NULL;
	struct bpf_link *link = NULL;
	struct bpf_object *object = NULL;
	struct bpf_map *map[2];
	size_t size;

	CHECK(s);
	s->sz = sizeof(*s);
	s->name = "globals_bpf";
	s->obj = &object;
	s->data = globals_bpf__elf_bytes(&size);
	s->data_sz = size;
	s->map_cnt = 2;
	s->map_skel_sz = sizeof(maps[0]);
	s->maps = calloc(2, sizeof(maps[0]));
	s->prog_cnt = 1;
	s->prog_skel_sz = sizeof(programs[0]);
	s->progs = calloc(1, sizeof(programs[0]));
	CHECK(s->maps && s->progs);
	maps[0].name = "globals_.bss";
	maps[0].map = &map[0];
	maps[0].mmaped = (void **)&bss;
	maps[1].name = "events";
	maps[1].map = &map[1];
	maps[1].mmaped = NULL;
	memcpy(s->maps, maps, sizeof(maps));
	programs[0].name = "always";
	programs[0].prog = &program;
	programs[0].link = &link;
	memcpy(s->progs, programs, sizeof(programs));
	CHECK_IS(bpf_object__open_skeleton(s, NULL), 0);
	CHECK(bss && program && object);
	CHECK_TEXT(bpf_object__name(object), "globals_bpf");
	CHECK_TEXT(bpf_map__name(map[1]), "events");
	bss->shared.mark = 1;
	CHECK_IS(bpf_object__load_skeleton(s), 0);
	CHECK_IS(bpf_object__attach_skeleton(s), 0);
	CHECK(link);
	CHECK_IS(bpf_object__attach_skeleton(s), 0);
	while (bss->shared.hits < 10)
		usleep(1000);
	bpf_object__detach_skeleton(s);
	CHECK(!link);
	bpf_object__destroy_skeleton(s);
}

static void missing(void)
{
	struct bpf_object_skeleton s = { .sz = sizeof(s), .name = "globals_bpf", .map_skel_sz = sizeof(struct bpf_map_skeleton), .map_cnt = 1 };
	struct bpf_map *map;
	struct bpf_map_skeleton none = { .name = "no such", .map = &map };
	struct bpf_object *object = NULL;
	size_t size;

	s.obj = &object;
	s.data = globals_bpf__elf_bytes(&size);
	s.data_sz = size;
	s.maps = &none;
	CHECK_ERR(bpf_object__open_skeleton(&s, NULL), ESRCH);
	bpf_object__close(object);
	s.data = "no object";
	s.data_sz = 9;
	CHECK(bpf_object__open_skeleton(&s, NULL) < 0);
}

int main(void)
{
	both_ways();
	two_objects();
	constants();
	neighbours();
	callbacks();
	older();
	missing();
	return 0;
}
