// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that starts a timer, whose callback goes on without it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct element {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct element);
} timers SEC(".maps");

static int expired(void *map, int *key, struct element *element)
{
	return 0;
}

SEC("tp_btf/sys_enter")
int start(void *ctx)
{
	struct element *element;
	int key = 0;

	element = bpf_map_lookup_elem(&timers, &key);
	if (!element)
		return 0;
	bpf_timer_init(&element->timer, &timers, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&element->timer, expired);
	bpf_timer_start(&element->timer, 1000000, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
