// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Large records of ring buffers.
#include "conformance.h"

#include "case.skel.h"

#define ROUNDS 10
#define CPUS 4096

struct small {
	__u64 number;
	__u64 check;
};

// What was handed out, and the length of large records.
struct seen {
	__u64 next;
	size_t large;
};

// What is in a large record at this place, behind its number.
static __u64 word(size_t index)
{
	return index * 0x9e3779b97f4a7c15ull;
}

// Whether this is a large record of the given number.
static bool is_large(const void *data, size_t size, __u64 number)
{
	for (size_t i = 0; i < size / 8; i++) {
		__u64 found;

		memcpy(&found, (const __u8 *)data + i * 8, sizeof(found));
		if (found != (i ? word(i) : number))
			return false;
	}
	return size > 8 && size % 8 == 0;
}

static int on_record(void *context, void *data, size_t size)
{
	struct seen *seen = context;
	struct small record;

	if (seen->next % 3 == 1) {
		CHECK_EQ(size, seen->large);
		CHECK(is_large(data, size, seen->next));
	} else {
		CHECK_EQ(size, sizeof(record));
		memcpy(&record, data, sizeof(record));
		CHECK_EQ(record.number, seen->next);
		CHECK_EQ(record.check, ~seen->next);
	}
	seen->next++;
	return 0;
}

static struct case_bpf *opened(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	for (size_t i = 0; i < LENGTH(skel->bss->pattern); i++)
		skel->bss->pattern[i] = word(i);
	return skel;
}

static __u64 lost_of(const struct case_bpf *skel)
{
	static __u64 values[CPUS];
	__u64 sum = 0;
	__u32 key = 0;
	int count = OK(libbpf_num_possible_cpus());

	CHECK(count <= CPUS);
	OK(bpf_map__lookup_elem(skel->maps.lost, &key, sizeof(key), values, count * sizeof(values[0]), 0));
	for (int i = 0; i < count; i++)
		sum += values[i];
	return sum;
}

// A small record, a large one, a small one, again and again.
static void large_between_small(struct case_bpf *skel, size_t size)
{
	struct seen seen = { .large = size };
	struct ring_buffer *ring;

	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	ring = SOME(ring_buffer__new(bpf_map__fd(skel->maps.ring), on_record, &seen, NULL));
	for (__u64 round = 1; round <= ROUNDS; round++) {
		pull(1);
		// One call may hand out fewer than there are.
		for (int records = 0; records < 3;)
			records += OK(ring_buffer__poll(ring, -1));
		CHECK_EQ(seen.next, round * 3);
	}
	CHECK_EQ(lost_of(skel), 0);
	ring_buffer__free(ring);
	case_bpf__destroy(skel);
}

// Ten of them go around the ring twice.
void case_sixty_kib(void)
{
	struct case_bpf *skel = opened();

	OK(bpf_program__set_autoload(skel->progs.produce_60k, true));
	large_between_small(skel, 60 << 10);
}

// Ten of them go around the ring almost four times.
void case_larger_than_a_read(void)
{
	struct case_bpf *skel = opened();

	OK(bpf_program__set_autoload(skel->progs.produce_100k, true));
	large_between_small(skel, 100 << 10);
}

// Has one read return records of these lengths, which are at most two.
static void reads(wasm_bpf_bpf_buffers_borrow_ring_buffer_t ring, __u32 max_bytes, size_t first, size_t second)
{
	const size_t expected[] = { first, second };
	wasm_bpf_bpf_buffers_duration_t at_once = 0;
	wasm_bpf_bpf_buffers_records_t records;
	wasm_bpf_bpf_buffers_error_code_t error;
	size_t at = 0;

	CHECK(wasm_bpf_bpf_buffers_method_ring_buffer_poll(ring, &at_once, max_bytes, &records, &error));
	for (int i = 0; i < 2 && expected[i]; i++) {
		__u32 header;

		CHECK(records.packed.len - at >= 8);
		memcpy(&header, records.packed.ptr + at, sizeof(header));
		// The two bits above are not set: a record, not discarded.
		CHECK_EQ(header, expected[i]);
		at += 8 + (expected[i] + 7) / 8 * 8;
		CHECK(at <= records.packed.len);
	}
	CHECK_EQ(records.packed.len, at);
	wasm_bpf_list_u8_free(&records.packed);
}

// Through the interface itself: the library chooses the size of its reads.
void case_max_bytes(void)
{
	const size_t small = sizeof(struct small), large = 60 << 10;
	struct case_bpf *skel = opened();
	wasm_bpf_bpf_buffers_own_ring_buffer_t own;
	wasm_bpf_bpf_buffers_borrow_ring_buffer_t buffer;
	wasm_bpf_bpf_buffers_error_t error;
	wasm_bpf_bpf_buffers_ring_t ring = {};
	wasm_bpf_bpf_buffers_list_ring_t rings = { &ring, 1 };

	OK(bpf_program__set_autoload(skel->progs.produce_60k, true));
	OK(case_bpf__load(skel));
	ring.map = raw_map(bpf_map__fd(skel->maps.ring));
	CHECK(wasm_bpf_bpf_buffers_static_ring_buffer_open(&rings, &own, &error));
	buffer = wasm_bpf_bpf_buffers_borrow_ring_buffer(own);
	OK(case_bpf__attach(skel));
	pull(2);
	// Each has a header of 8 bytes.
	CHECK_EQ(wasm_bpf_bpf_buffers_method_ring_buffer_available(buffer), 2 * (2 * (small + 8) + large + 8));
	reads(buffer, 1024, small, 0); // what follows does not fit
	reads(buffer, 1024, large, 0); // alone and whole
	reads(buffer, 1024, small, small);
	reads(buffer, 0, large, 0); // one at least
	reads(buffer, UINT32_MAX, small, 0);
	reads(buffer, UINT32_MAX, 0, 0);
	CHECK_EQ(wasm_bpf_bpf_buffers_method_ring_buffer_available(buffer), 0);
	wasm_bpf_bpf_buffers_ring_buffer_drop_own(own);
	case_bpf__destroy(skel);
}
