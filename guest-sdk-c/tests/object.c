// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects without a skeleton: opened from memory and from files, looked through, changed before load, loaded, and refused.
// needs: --dir /tmp
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "check.h"
#include "object.skel.h"

// The bytes that the skeleton carries.
static const void *bytes(size_t *size)
{
	return object_bpf__elf_bytes(size);
}

static struct bpf_object *open_it(const struct bpf_object_open_opts *opts)
{
	struct bpf_object *object;
	const void *elf;
	size_t size;

	elf = bytes(&size);
	object = bpf_object__open_mem(elf, size, opts);
	CHECK(object);
	return object;
}

static struct bpf_map *map_of(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		FAIL_CHECK("there is no map %s", name);
	return map;
}

static struct bpf_program *program_of(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		FAIL_CHECK("there is no program %s", name);
	return program;
}

static void run(struct bpf_object *object, int times)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .repeat = times);

	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(program_of(object, "count")), &opts), 0);
	CHECK_IS(opts.retval, XDP_PASS);
}

static void names(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "object_of_a_long_name");
	struct bpf_object *object = open_it(NULL);
	const char *name = bpf_object__name(object);
	struct bpf_program *program, *last = NULL;
	struct bpf_map *map, *last_map = NULL;
	int count = 0;
	size_t size;

	// "ADDRESS-SIZE", as much of it as the kernel takes.
	CHECK(strchr(name, '-') || strlen(name) == 15);
	bpf_object__close(object);

	object = open_it(&opts);
	CHECK_TEXT(bpf_object__name(object), "object_of_a_lon");
	bpf_object__for_each_program(program, object) {
		CHECK(bpf_object__prev_program(object, program) == last);
		last = program;
		count++;
	}
	CHECK_IS(count, 5);
	CHECK(bpf_object__prev_program(object, NULL) == last);
	count = 0;
	bpf_object__for_each_map(map, object) {
		CHECK(bpf_object__prev_map(object, map) == last_map);
		CHECK_IS(bpf_map__fd(map), -1);
		last_map = map;
		count++;
	}
	CHECK(bpf_object__prev_map(object, NULL) == last_map);
	// Four declared, .rodata, .rodata.text, .data, .data.custom, .data.hidden, .bss and .kconfig.
	CHECK_IS(count, 11);

	CHECK_TEXT(bpf_map__name(map_of(object, ".bss")), "object_o.bss");
	CHECK_TEXT(bpf_map__name(map_of(object, ".rodata")), "object_o.rodata");
	CHECK_TEXT(bpf_map__name(map_of(object, ".kconfig")), "object_.kconfig");
	CHECK_TEXT(bpf_map__name(map_of(object, ".rodata.text")), ".rodata.text");
	CHECK(map_of(object, "object_o.bss") == map_of(object, ".bss"));
	CHECK_NULL(bpf_object__find_map_by_name(object, "bss"), ENOENT);
	CHECK_ERR(bpf_object__find_map_fd_by_name(object, "no such"), EINVAL);
	CHECK_NULL(bpf_object__find_program_by_name(object, "no such"), ENOENT);
	CHECK(bpf_map__is_internal(map_of(object, ".data.custom")) && !bpf_map__is_internal(map_of(object, "table")));
	CHECK(!bpf_map__name(NULL));
	CHECK_ERR(bpf_map__fd(NULL), EINVAL);
	CHECK_ERR(bpf_program__fd(NULL), EINVAL);

	CHECK_TEXT(bpf_program__name(program_of(object, "count")), "count");
	CHECK_TEXT(bpf_program__section_name(program_of(object, "optional")), "xdp");
	CHECK_IS(bpf_object__kversion(object), 0x060102);
	CHECK_IS(bpf_object__set_kversion(object, 0x060200), 0);
	CHECK_IS(bpf_object__kversion(object), 0x060200);
	CHECK_IS(bpf_object__token_fd(object), -1);
	CHECK_IS(bpf_object__btf_fd(object), -1);

	size = bpf_program__insn_cnt(program_of(object, "optional"));
	CHECK_IS(size, 2);
	CHECK_IS(bpf_program__insns(program_of(object, "optional"))[1].code, BPF_JMP | BPF_EXIT);
	bpf_object__close(object);
	bpf_object__close(NULL);
}

static void files(void)
{
	struct bpf_object *object;
	const void *elf;
	size_t size;
	FILE *file = fopen("/tmp/object.bpf.o", "wb");

	CHECK(file);
	elf = bytes(&size);
	CHECK_IS(fwrite(elf, 1, size, file), size);
	CHECK_IS(fclose(file), 0);
	object = bpf_object__open("/tmp/object.bpf.o");
	CHECK(object);
	CHECK_TEXT(bpf_object__name(object), "object");
	bpf_object__close(object);
	object = bpf_object__open_file("/tmp/object.bpf.o", NULL);
	CHECK(object);
	bpf_object__close(object);
	CHECK_IS(unlink("/tmp/object.bpf.o"), 0);
	CHECK_NULL(bpf_object__open("/tmp/object.bpf.o"), ENOENT);
	CHECK_NULL(bpf_object__open_file(NULL, NULL), EINVAL);
}

static void refused(void)
{
	struct { struct bpf_object_open_opts known; char newer[8]; } larger = { .known.sz = sizeof(larger) };
	const void *elf;
	char *cut;
	size_t size;

	elf = bytes(&size);
	CHECK_NULL(bpf_object__open_mem(NULL, 1, NULL), EINVAL);
	CHECK_NULL(bpf_object__open_mem(elf, 0, NULL), EINVAL);
	CHECK(!bpf_object__open_mem(elf, size / 2, NULL));
	cut = malloc(size);
	CHECK(cut);
	memcpy(cut, elf, size);
	cut[4] = 1; // ELFCLASS32
	CHECK(!bpf_object__open_mem(cut, size, NULL));
	free(cut);
	CHECK(larger.known.sz);
	larger.newer[7] = 1;
	CHECK_NULL(bpf_object__open_mem(elf, size, &larger.known), EINVAL);
	larger.newer[7] = 0;
	larger.known.kernel_log_size = 5;
	CHECK_NULL(bpf_object__open_mem(elf, size, &larger.known), EINVAL);
}

static void maps_before_load(struct bpf_object *object)
{
	struct bpf_map *table = map_of(object, "table"), *ring = map_of(object, "ring"), *outer = map_of(object, "outer"), *inner;
	struct bpf_map *data = map_of(object, ".data");
	__u64 *total;
	size_t size = 0;

	CHECK_IS(bpf_map__type(table), BPF_MAP_TYPE_HASH);
	CHECK_IS(bpf_map__key_size(table), 8);
	CHECK_IS(bpf_map__value_size(table), 8);
	CHECK_IS(bpf_map__max_entries(table), 16);
	CHECK_IS(bpf_map__map_flags(table), 0);
	CHECK_IS(bpf_map__set_type(table, BPF_MAP_TYPE_LRU_HASH), 0);
	CHECK_IS(bpf_map__type(table), BPF_MAP_TYPE_LRU_HASH);
	CHECK_IS(bpf_map__set_type(table, BPF_MAP_TYPE_HASH), 0);
	CHECK_IS(bpf_map__set_key_size(table, 12), 0);
	CHECK_IS(bpf_map__key_size(table), 12);
	CHECK_IS(bpf_map__set_key_size(table, 8), 0);
	CHECK_IS(bpf_map__set_value_size(table, 16), 0);
	CHECK_IS(bpf_map__value_size(table), 16);
	CHECK_IS(bpf_map__set_value_size(table, 8), 0);
	CHECK_IS(bpf_map__set_max_entries(table, 32), 0);
	CHECK_IS(bpf_map__max_entries(table), 32);
	CHECK_IS(bpf_map__set_map_flags(table, BPF_F_NO_PREALLOC), 0);
	CHECK_IS(bpf_map__map_flags(table), BPF_F_NO_PREALLOC);
	CHECK_IS(bpf_map__set_map_extra(table, 0), 0);
	CHECK_IS(bpf_map__map_extra(table), 0);
	CHECK_IS(bpf_map__ifindex(table), 0);
	CHECK_IS(bpf_map__set_ifindex(table, 0), 0);
	CHECK_IS(bpf_map__numa_node(table), 0);
	CHECK(!bpf_map__autoattach(table));
	CHECK_ERR(bpf_map__set_autoattach(table, true), EINVAL);

	// Whole pages, a power of two of them.
	CHECK_IS(bpf_map__max_entries(ring), 8192);
	CHECK_IS(bpf_map__set_max_entries(ring, 10000), 0);
	CHECK_IS(bpf_map__max_entries(ring), 16384);

	CHECK_NULL(bpf_map__inner_map(table), EINVAL);
	inner = bpf_map__inner_map(outer);
	CHECK(inner);
	CHECK_IS(bpf_map__type(inner), BPF_MAP_TYPE_ARRAY);
	CHECK_IS(bpf_map__max_entries(inner), 3);
	// Setters of inner maps crash in some versions of libbpf.
	if (ON_GUEST(true, false)) {
		CHECK_IS(bpf_map__set_max_entries(inner, 7), 0);
		CHECK_IS(bpf_map__max_entries(inner), 7);
	}

	CHECK(!bpf_map__initial_value(table, &size));
	CHECK_ERR(bpf_map__set_initial_value(table, &size, sizeof(size)), EINVAL);
	total = bpf_map__initial_value(data, &size);
	CHECK(total && size == 8);
	CHECK_IS(*total, 100);
	CHECK_ERR(bpf_map__set_initial_value(data, &(__u64){ 5 }, 4), EINVAL);
	CHECK_IS(bpf_map__set_initial_value(data, &(__u64){ 1000 }, 8), 0);
	CHECK_IS(*total, 1000);
	// Through the pointer, too: constants are set before load.
	*(__u32 *)bpf_map__initial_value(map_of(object, ".rodata"), &size) = 11;

	CHECK(bpf_map__autocreate(map_of(object, "unused")));
	CHECK_IS(bpf_map__set_autocreate(map_of(object, "unused"), false), 0);
	CHECK(!bpf_map__autocreate(map_of(object, "unused")));
	CHECK_ERR(bpf_map__lookup_elem(table, &size, 8, &size, 8, 0), ENOENT);
}

static void programs_before_load(struct bpf_object *object)
{
	struct bpf_program *count = program_of(object, "count"), *optional = program_of(object, "optional"), *typed = program_of(object, "typed");
	struct bpf_program *unloaded = program_of(object, "unloaded");
	char log[16];
	size_t size;

	CHECK(bpf_program__autoload(count) && !bpf_program__autoload(optional));
	CHECK(bpf_program__autoattach(count));
	bpf_program__set_autoattach(count, false);
	CHECK(!bpf_program__autoattach(count));
	CHECK_ERR(bpf_program__fd(count), ENOENT);
	CHECK_IS(bpf_program__type(count), BPF_PROG_TYPE_XDP);
	CHECK_IS(bpf_program__get_type(count), BPF_PROG_TYPE_XDP);
	CHECK_IS(bpf_program__expected_attach_type(count), BPF_XDP);
	CHECK_IS(bpf_program__get_expected_attach_type(typed), BPF_TRACE_RAW_TP);
	CHECK_IS(bpf_program__flags(count), 0);
	CHECK_IS(bpf_program__set_flags(count, BPF_F_TEST_RND_HI32), 0);
	CHECK_IS(bpf_program__flags(count), BPF_F_TEST_RND_HI32);
	CHECK_IS(bpf_program__log_level(count), 0);
	CHECK_IS(bpf_program__set_log_level(count, 1), 0);
	CHECK_IS(bpf_program__log_level(count), 1);
	CHECK_IS(bpf_program__set_log_level(count, 0), 0);
	CHECK(!bpf_program__log_buf(count, &size) && !size);
	CHECK_ERR(bpf_program__set_log_buf(count, NULL, 5), EINVAL);
	CHECK_IS(bpf_program__set_log_buf(count, log, sizeof(log)), 0);
	CHECK(bpf_program__log_buf(count, &size) == log && size == sizeof(log));
	CHECK_IS(bpf_program__set_log_buf(count, NULL, 0), 0);
	CHECK_IS(bpf_program__set_autoload(unloaded, false), 0);
	CHECK_IS(bpf_program__set_autoload(optional, true), 0);

	CHECK_IS(bpf_program__set_type(optional, BPF_PROG_TYPE_SCHED_CLS), 0);
	CHECK_IS(bpf_program__type(optional), BPF_PROG_TYPE_SCHED_CLS);
	CHECK_IS(bpf_program__set_expected_attach_type(optional, 0), 0);
	CHECK_IS(bpf_program__expected_attach_type(optional), 0);

	CHECK_IS(bpf_program__set_attach_target(typed, 0, "sched_process_exec"), 0);
	CHECK_ERR(bpf_program__set_attach_target(typed, 0, "no_such_tracepoint"), ESRCH);
	CHECK_ERR(bpf_program__set_attach_target(typed, 0, NULL), EINVAL);
	CHECK_ERR(bpf_program__set_attach_target(typed, -1, "f"), EINVAL);
	CHECK_IS(bpf_program__set_autoload(typed, true), 0);
}

static void loaded(void)
{
	struct { __u32 a, b; } key = { 1, 2 }, next;
	struct bpf_object *object = open_it(NULL);
	struct bpf_map *table = map_of(object, "table");
	struct bpf_program *count = program_of(object, "count");
	int fd, inner, index = 0;
	size_t size = 0;
	__u64 value;
	__u32 *bss;

	maps_before_load(object);
	programs_before_load(object);
	CHECK_IS(bpf_object__load(object), 0);
	CHECK_ERR(bpf_object__load(object), EINVAL);

	// libbpf gives the number of a placeholder.
	if (ON_GUEST(true, false))
		CHECK_IS(bpf_map__fd(map_of(object, "unused")), -1);
	CHECK_ERR(bpf_program__fd(program_of(object, "unloaded")), ENOENT);
	CHECK_ERR(bpf_program__fd(program_of(object, "broken")), ENOENT);
	CHECK(bpf_program__fd(program_of(object, "typed")) > 2);
	CHECK_IS(bpf_program__type(program_of(object, "optional")), BPF_PROG_TYPE_SCHED_CLS);
	fd = bpf_object__find_map_fd_by_name(object, "table");
	CHECK(fd > 2 && fd == bpf_map__fd(table));

	// Nothing can be changed any more.
	CHECK_ERR(bpf_map__set_max_entries(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_type(table, BPF_MAP_TYPE_ARRAY), EBUSY);
	CHECK_ERR(bpf_map__set_key_size(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_value_size(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_map_flags(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_map_extra(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_numa_node(table, 0), EBUSY);
	CHECK_ERR(bpf_map__set_ifindex(table, 1), EBUSY);
	CHECK_ERR(bpf_map__set_autocreate(table, false), EBUSY);
	CHECK_ERR(bpf_map__set_initial_value(map_of(object, ".data"), &value, 8), EBUSY);
	CHECK_ERR(bpf_program__set_autoload(count, false), EINVAL);
	CHECK_ERR(bpf_program__set_type(count, BPF_PROG_TYPE_KPROBE), EBUSY);
	CHECK_ERR(bpf_program__set_expected_attach_type(count, 0), EBUSY);
	CHECK_ERR(bpf_program__set_flags(count, 0), EBUSY);
	CHECK_ERR(bpf_program__set_log_level(count, 1), EBUSY);
	CHECK_ERR(bpf_program__set_log_buf(count, (char *)&value, 1), EBUSY);
	CHECK_ERR(bpf_program__set_attach_target(count, 0, "f"), EINVAL);
	CHECK_ERR(bpf_object__set_kversion(object, 1), EINVAL);

	run(object, 3);
	CHECK_IS(bpf_map__get_next_key(table, NULL, &next, 8), 0);
	CHECK(!memcmp(&next, &key, 8));
	CHECK_ERR(bpf_map__get_next_key(table, &next, &next, 8), ENOENT);
	CHECK_IS(bpf_map__lookup_elem(table, &key, 8, &value, 8, 0), 0);
	CHECK_IS(value, 4);
	CHECK_ERR(bpf_map__lookup_elem(table, &key, 4, &value, 8, 0), EINVAL);
	CHECK_ERR(bpf_map__lookup_elem(table, &key, 8, &value, 4, 0), EINVAL);
	value = 55;
	CHECK_IS(bpf_map__update_elem(table, &key, 8, &value, 8, BPF_EXIST), 0);
	CHECK_ERR(bpf_map__update_elem(table, &key, 8, &value, 8, BPF_NOEXIST), EEXIST);
	value = 0;
	CHECK_IS(bpf_map__lookup_and_delete_elem(table, &key, 8, &value, 8, 0), 0);
	CHECK_IS(value, 55);
	CHECK_ERR(bpf_map__delete_elem(table, &key, 8, 0), ENOENT);

	// Global data, by the pointers from before load and as a map.
	CHECK_IS(*(__u64 *)bpf_map__initial_value(map_of(object, ".data"), &size), 1000 + 3 * 11);
	CHECK_IS(size, 8);
	CHECK_IS(*(__u32 *)bpf_map__initial_value(map_of(object, ".data.custom"), &size), 77 + 3);
	CHECK(!bpf_map__initial_value(map_of(object, ".data.hidden"), &size));
	bss = bpf_map__initial_value(map_of(object, ".bss"), &size);
	CHECK(bss && size >= 20);
	CHECK_IS(bpf_map__lookup_elem(map_of(object, ".data"), &index, 4, &value, 8, 0), 0);
	CHECK_IS(value, 1033);
	// What is written to the map shows in memory with the next call at the latest.
	value = 5;
	CHECK_IS(bpf_map__update_elem(map_of(object, ".data"), &index, 4, &value, 8, 0), 0);
	CHECK_IS(*(__u64 *)bpf_map__initial_value(map_of(object, ".data"), &size), 5);

	// What goes into a map of maps has to be as the declaration was changed to.
	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 4, ON_GUEST(3, 7), NULL);
	CHECK(inner > 2);
	CHECK_ERR(bpf_map__update_elem(map_of(object, "outer"), &index, 4, &inner, 4, 0), EINVAL);
	CHECK_IS(close(inner), 0);
	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 4, ON_GUEST(7, 3), NULL);
	CHECK_IS(bpf_map__update_elem(map_of(object, "outer"), &index, 4, &inner, 4, 0), 0);
	CHECK_IS(close(inner), 0);

	// The descriptor goes with the object, what was made of it stays.
	fd = dup(bpf_map__fd(table));
	CHECK(fd > 2);
	bpf_program__unload(count);
	CHECK_ERR(bpf_program__fd(count), ENOENT);
	index = bpf_map__fd(table);
	bpf_object__close(object);
	CHECK_ERR(bpf_map_get_next_key(index, NULL, &next), EBADF);
	CHECK_ERR(bpf_map_get_next_key(fd, NULL, &next), ENOENT);
	CHECK_IS(close(fd), 0);
}

static void logs(void)
{
	static char log[64 * 1024], small[100];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log, .kernel_log_size = sizeof(log));
	struct bpf_object *object = open_it(&opts);

	// The object's buffer, for programs without one.
	CHECK_IS(bpf_program__set_autoload(program_of(object, "broken"), true), 0);
	CHECK_ERR(bpf_object__load(object), EACCES);
	CHECK(strstr(log, "invalid access to packet"));
	CHECK(bpf_map__fd(map_of(object, "table")) < 0);
	CHECK_ERR(bpf_object__load(object), EINVAL);
	bpf_object__close(object);

	// The program's own comes first; of a log that is too long the end is what says why.
	memset(log, 0, sizeof(log));
	object = open_it(&opts);
	CHECK_IS(bpf_program__set_autoload(program_of(object, "broken"), true), 0);
	CHECK_IS(bpf_program__set_log_buf(program_of(object, "broken"), small, sizeof(small)), 0);
	CHECK(bpf_object__load(object) < 0);
	CHECK(!*log);
	CHECK_IS(small[sizeof(small) - 1], 0);
	if (ON_GUEST(true, false))
		CHECK(strstr(small, "processed"));
	bpf_object__close(object);
}

static void existing(void)
{
	struct bpf_object *object = open_it(NULL), *other = open_it(NULL);
	struct { __u32 a, b; } key = { 1, 2 };
	// libbpf takes over the name, too: they are not found by their old ones.
	struct bpf_map *table = map_of(object, "table"), *other_table = map_of(other, "table");
	__u64 value = 0;
	int fd, wider;

	CHECK_IS(bpf_program__set_autoload(program_of(object, "unloaded"), false), 0);
	CHECK_IS(bpf_program__set_autoload(program_of(other, "unloaded"), false), 0);
	CHECK_ERR(bpf_map__reuse_fd(other_table, 12345), ON_GUEST(EBADF, EBADFD));
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "kept", 8, 8, 4, NULL);
	CHECK(fd > 2);
	CHECK_IS(bpf_map__reuse_fd(table, fd), 0);
	CHECK_IS(bpf_map__max_entries(table), 4);
	CHECK_IS(bpf_object__load(object), 0);
	run(object, 1);
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);
	CHECK_IS(value, 2);
	bpf_object__close(object);
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);

	// The declaration takes the shape of the map.
	wider = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "wider", 8, 16, 4, NULL);
	CHECK(wider > 2);
	CHECK_IS(bpf_map__reuse_fd(other_table, wider), 0);
	CHECK_IS(bpf_map__value_size(other_table), 16);
	CHECK_IS(bpf_map__type(other_table), BPF_MAP_TYPE_LRU_HASH);

	// An inner map can be given instead of declared.
	CHECK_ERR(bpf_map__set_inner_map_fd(other_table, fd), EINVAL);
	CHECK_IS(bpf_map__set_inner_map_fd(map_of(other, "outer"), fd), 0);
	CHECK(!bpf_map__inner_map(map_of(other, "outer")));
	CHECK_ERR(bpf_map__set_inner_map_fd(map_of(other, "outer"), fd), EINVAL);
	CHECK_IS(bpf_object__load(other), 0);
	value = 0;
	CHECK_IS(bpf_map__update_elem(map_of(other, "outer"), &value, 4, &fd, 4, 0), 0);
	bpf_object__close(other);
	CHECK_IS(close(fd) | close(wider), 0);
}

static void devices(void)
{
	struct bpf_object *object = open_it(NULL);

	bpf_program__set_ifindex(program_of(object, "count"), 1);
	CHECK(bpf_object__load(object) < 0);
	bpf_object__close(object);
}

int main(void)
{
	names();
	files();
	refused();
	loaded();
	logs();
	existing();
	devices();
	return 0;
}
