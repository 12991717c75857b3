// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf events in maps.
#include "conformance.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "case.skel.h"

static struct case_bpf *load(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	return skel;
}

// The clock of a CPU: a descriptor, or -1 and errno.
static int open_clock(int cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK };

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
}

static int clock_of(int cpu)
{
	return OK(open_clock(cpu));
}

static int first_cpu(void)
{
	int cpu;

	CHECK(cpus(&cpu, 1) >= 1);
	return cpu;
}

static __u64 count_of(int event)
{
	__u64 count;

	CHECK_EQ(OK(read(event, &count, sizeof(count))), sizeof(count));
	return count;
}

// What the program finds on a CPU. The variables are read by the library's call.
static void run(struct case_bpf *skel, int cpu, __s64 answer)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	pull_on(cpu, 1);
	OK(bpf_map_get_info_by_fd(bpf_map__fd(skel->maps.events), &info, &size));
	CHECK_EQ(skel->bss->cpu, cpu);
	CHECK_EQ(skel->bss->answer, answer);
}

void case_stored(void)
{
	struct case_bpf *skel = load();
	int map = bpf_map__fd(skel->maps.events), list[1024], count = cpus(list, LENGTH(list));

	CHECK(count > 0 && count <= (int)LENGTH(list));
	for (int i = 0; i < count; i++) {
		int cpu = list[i], event;
		__u64 first, now;

		run(skel, cpu, -ENOENT);
		CHECK_EQ(skel->bss->counter, 0);
		event = clock_of(cpu);
		OK(bpf_map_update_elem(map, &cpu, &event, BPF_ANY));
		run(skel, cpu, 0);
		first = skel->bss->counter;
		now = count_of(event);
		CHECK(first > 0 && first <= now);
		OK(close(event));
		run(skel, cpu, 0);
		CHECK(skel->bss->counter > now);
		// Another one in its place, which has just begun.
		event = clock_of(cpu);
		OK(ioctl(event, PERF_EVENT_IOC_DISABLE, 0));
		OK(ioctl(event, PERF_EVENT_IOC_RESET, 0));
		OK(bpf_map_update_elem(map, &cpu, &event, BPF_ANY));
		run(skel, cpu, 0);
		CHECK_EQ(skel->bss->counter, 0);
		OK(bpf_map_delete_elem(map, &cpu));
		run(skel, cpu, -ENOENT);
		CHECK_EQ(skel->bss->counter, 0);
	}
}

static void on_sample(void *context, int cpu, void *data, __u32 size)
{
	(void)context;
	(void)data;
	failed(__FILE__, __LINE__, "a sample of %u bytes of CPU %d", size, cpu);
}

void case_with_a_buffer(void)
{
	struct case_bpf *skel = load();
	int map = bpf_map__fd(skel->maps.events), cpu = first_cpu(), event = clock_of(cpu);
	struct perf_buffer *buffer;

	OK(bpf_map_update_elem(map, &cpu, &event, BPF_ANY));
	FAILS_NULL(perf_buffer__new(map, 8, on_sample, NULL, NULL, NULL), "busy", "events");
	OK(bpf_map_delete_elem(map, &cpu));
	buffer = SOME(perf_buffer__new(map, 8, on_sample, NULL, NULL, NULL));
	FAILS(bpf_map_update_elem(map, &cpu, &event, BPF_ANY), "busy");
	perf_buffer__free(buffer);
	OK(bpf_map_update_elem(map, &cpu, &event, BPF_ANY));
	run(skel, cpu, 0);
}

void case_wrong(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_HASH };
	static const size_t lengths[] = { 0, 3, 8 };
	static const __u8 zeros[8];
	struct case_bpf *skel = load();
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CONTEXT_SWITCHES, .inherit = 1 };
	int map = bpf_map__fd(skel->maps.events), cpu = first_cpu(), event = clock_of(cpu), inherited;
	const __u32 beyond = 1024;
	wasm_bpf_bpf_perf_events_borrow_perf_event_t raw_event;
	wasm_bpf_bpf_perf_events_error_code_t error;
	wasm_bpf_list_u8_t key;

	// The interface's own: libbpf's functions have no lengths, and know the map's kind.
	CHECK(wb_perf_event_of(event, &raw_event));
	for (size_t i = 0; i < LENGTH(lengths); i++) {
		key = bytes(zeros, lengths[i]);
		FAILS_CODE(wasm_bpf_bpf_perf_events_method_perf_event_store_in(raw_event, raw_map(map), &key, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY,
									       &error), error, "wrong-size");
	}
	FAILS(bpf_map_update_elem(map, &beyond, &event, BPF_ANY), "full");
	FAILS(bpf_map_update_elem(map, &cpu, &event, BPF_NOEXIST), "invalid-argument");
	FAILS(bpf_map_update_elem(map, &cpu, &event, BPF_EXIST), "invalid-argument");
	for (size_t i = 0; i < LENGTH(types); i++) {
		int other = OK(bpf_map_create(types[i], "other", 4, 4, 4, NULL));

		key = bytes(zeros, 4);
		FAILS_CODE(wasm_bpf_bpf_perf_events_method_perf_event_store_in(raw_event, raw_map(other), &key, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY,
									       &error), error, "not-supported");
	}
	// Its count is that of many threads.
	inherited = OK(syscall(SYS_perf_event_open, &attr, (int)trigger_thread(), -1, -1, 0));
	CHECK(bpf_map_update_elem(map, &cpu, &inherited, BPF_ANY) < 0);
	CHECK(!strcmp(wasm_bpf_last_error()->kind, "invalid-argument") || !strcmp(wasm_bpf_last_error()->kind, "not-supported"));
	saw(wasm_bpf_last_error()->kind);
	// No number becomes an event: it would be a descriptor of the host.
	for (int fd = 0; fd < 16; fd++) {
		wasm_bpf_list_u8_t value = bytes(&fd, sizeof(fd));
		wasm_bpf_bpf_maps_error_code_t code;

		key = bytes(&cpu, sizeof(cpu));
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(map), &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &code), code,
			   "not-supported");
		CHECK_EQ(bpf_map_update_elem(map, &cpu, &fd, BPF_ANY), -EBADF);
	}
	run(skel, cpu, -ENOENT);
}

// Opens an event and stores it; the map alone keeps it.
static int store(int map, __u32 key)
{
	int event = open_clock(first_cpu()), err;

	if (event < 0)
		return -errno;
	err = bpf_map_update_elem(map, &key, &event, BPF_ANY);
	OK(close(event));
	return err;
}

void case_limit_descriptors(void)
{
	int map = OK(bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "events", 4, 4, 64, NULL)), err;
	const __u32 third = 3;
	__u32 stored = 0;

	while (!(err = store(map, stored)))
		stored++;
	FAILS(err, "limit-exceeded", "descriptors");
	// The map has one itself.
	CHECK_EQ(stored, 15);
	FAILS(store(map, 0), "limit-exceeded", "descriptors");
	OK(bpf_map_delete_elem(map, &third));
	OK(store(map, third));
	OK(close(map));
	clock_of(first_cpu());
}
