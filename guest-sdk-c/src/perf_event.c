// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf events by descriptor: what perf_event_open(2) asks for in a struct, the interface asks for by name.
#include "perf_event.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"

struct event {
	wasm_bpf_bpf_perf_events_own_perf_event_t own;
	uint64_t read_format;
};

static wasm_bpf_bpf_perf_events_borrow_perf_event_t borrow(void *it)
{
	const struct event *event = it;

	return wasm_bpf_bpf_perf_events_borrow_perf_event(event->own);
}

static void release(void *it)
{
	struct event *event = it;

	wb_perf_event_released(it);
	wasm_bpf_bpf_perf_events_perf_event_drop_own(event->own);
	free(event);
}

// The count, with what the event's read_format asks for.
static long read_count(void *it, void *buffer, unsigned long length)
{
	const struct event *event = it;
	wasm_bpf_bpf_perf_events_error_code_t error;
	wasm_bpf_bpf_perf_events_count_t count;
	uint64_t words[4];
	unsigned int used = 0;

	if (!wasm_bpf_bpf_perf_events_method_perf_event_read(borrow(it), &count, &error))
		return wb_fail_code(&error);
	// Of a group, whose only one it is, the value is the last; else the first.
	if (event->read_format & PERF_FORMAT_GROUP)
		words[used++] = 1;
	else
		words[used++] = count.value;
	if (event->read_format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		words[used++] = count.enabled;
	if (event->read_format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		words[used++] = count.running;
	if (event->read_format & PERF_FORMAT_GROUP)
		words[used++] = count.value;
	if (length < used * sizeof(*words))
		return wb_refuse(ENOSPC, "the count of this perf event has %zu bytes, not %lu", used * sizeof(*words), length);
	memcpy(buffer, words, used * sizeof(*words));
	return used * sizeof(*words);
}

static int control(void *it, unsigned long request, void *argument)
{
	wasm_bpf_bpf_perf_events_error_code_t error;
	bool ok;

	switch (request) {
	case PERF_EVENT_IOC_ENABLE:
		ok = wasm_bpf_bpf_perf_events_method_perf_event_enable(borrow(it), &error);
		break;
	case PERF_EVENT_IOC_DISABLE:
		ok = wasm_bpf_bpf_perf_events_method_perf_event_disable(borrow(it), &error);
		break;
	case PERF_EVENT_IOC_RESET:
		ok = wasm_bpf_bpf_perf_events_method_perf_event_reset(borrow(it), &error);
		break;
	case PERF_EVENT_IOC_SET_BPF:
		return wb_perf_event_set_program(it, borrow(it), (intptr_t)argument);
	default:
		return wb_refuse(EINVAL, "a perf event has no request %#lx", request);
	}
	return ok ? 0 : wb_fail_code(&error);
}

static int store_in(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_perf_events_error_code_t error;

	return wasm_bpf_bpf_perf_events_method_perf_event_store_in(borrow(it), map, key, mode, &error) ? 0 : wb_fail_code(&error);
}

static const struct wb_operations operations = {
	.kind = WB_PERF_EVENT, .release = release, .read = read_count, .ioctl = control, .store_in = store_in,
};

bool wb_perf_event_of(int fd, wasm_bpf_bpf_perf_events_borrow_perf_event_t *handle)
{
	void *it = wb_descriptor_get(fd, WB_PERF_EVENT);

	if (it)
		*handle = borrow(it);
	return it;
}

// The parts of a cache event's number.
static void set_cache(wasm_bpf_bpf_perf_events_cache_event_t *event, uint64_t config)
{
	const uint8_t cache = config, operation = config >> 8, result = config >> 16;

	event->cache.tag = cache < WASM_BPF_BPF_PERF_EVENTS_CACHE_OTHER ? cache : WASM_BPF_BPF_PERF_EVENTS_CACHE_OTHER;
	event->cache.val.other = cache;
	event->operation.tag = WASM_BPF_BPF_PERF_EVENTS_CACHE_OPERATION_OTHER;
	if (operation < WASM_BPF_BPF_PERF_EVENTS_CACHE_OPERATION_OTHER)
		event->operation.tag = operation;
	event->operation.val.other = operation;
	event->result.tag = result < WASM_BPF_BPF_PERF_EVENTS_CACHE_RESULT_OTHER ? result : WASM_BPF_BPF_PERF_EVENTS_CACHE_RESULT_OTHER;
	event->result.val.other = result;
}

static int set_type(wasm_bpf_bpf_perf_events_perf_event_type_t *type, const struct perf_event_attr *attr)
{
	switch (attr->type) {
	case PERF_TYPE_HARDWARE:
		type->tag = WASM_BPF_BPF_PERF_EVENTS_PERF_EVENT_TYPE_HARDWARE;
		type->val.hardware.tag = attr->config < WASM_BPF_BPF_PERF_EVENTS_HARDWARE_EVENT_OTHER
						 ? attr->config : WASM_BPF_BPF_PERF_EVENTS_HARDWARE_EVENT_OTHER;
		type->val.hardware.val.other = attr->config;
		return 0;
	case PERF_TYPE_SOFTWARE:
		type->tag = WASM_BPF_BPF_PERF_EVENTS_PERF_EVENT_TYPE_SOFTWARE;
		type->val.software.tag = attr->config < WASM_BPF_BPF_PERF_EVENTS_SOFTWARE_EVENT_OTHER
						 ? attr->config : WASM_BPF_BPF_PERF_EVENTS_SOFTWARE_EVENT_OTHER;
		type->val.software.val.other = attr->config;
		return 0;
	case PERF_TYPE_HW_CACHE:
		type->tag = WASM_BPF_BPF_PERF_EVENTS_PERF_EVENT_TYPE_CACHE;
		set_cache(&type->val.cache, attr->config);
		return 0;
	case PERF_TYPE_RAW:
		type->tag = WASM_BPF_BPF_PERF_EVENTS_PERF_EVENT_TYPE_RAW;
		type->val.raw = attr->config;
		return 0;
	case PERF_TYPE_BREAKPOINT:
		type->tag = WASM_BPF_BPF_PERF_EVENTS_PERF_EVENT_TYPE_BREAKPOINT;
		type->val.breakpoint.address = attr->bp_addr;
		type->val.breakpoint.length = attr->bp_len;
		// HW_BREAKPOINT_R, _W and _X are the bits 0, 1 and 2, as those of the flags.
		type->val.breakpoint.access = attr->bp_type & 7;
		return 0;
	case PERF_TYPE_TRACEPOINT:
		return wb_refuse(EOPNOTSUPP, "a tracepoint as a perf event: a guest has no numbers of tracepoints; "
					     "bpf_program__attach_tracepoint names one");
	default:
		return wb_refuse(EOPNOTSUPP, "there is no perf event of the type %u for a guest", attr->type);
	}
}

static void set_options(wasm_bpf_bpf_perf_events_borrow_perf_event_options_t options, const struct perf_event_attr *attr, int pid, int cpu)
{
	uint32_t process = pid ? (uint32_t)pid : wasm_bpf_bpf_features_own_process();

	if (pid >= 0)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_process(options, process);
	if (cpu >= 0)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_cpu(options, cpu);
	if (attr->freq)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_sample_frequency(options, attr->sample_freq);
	else if (attr->sample_period)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_sample_period(options, attr->sample_period);
	if (attr->disabled)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_disabled(options, true);
	if (attr->inherit)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_inherit(options, true);
	if (attr->exclude_user)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_user(options, true);
	if (attr->exclude_kernel)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_kernel(options, true);
	if (attr->exclude_hv)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_hypervisor(options, true);
	if (attr->exclude_idle)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_idle(options, true);
	if (attr->exclude_host)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_host(options, true);
	if (attr->exclude_guest)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_exclude_guest(options, true);
	if (attr->precise_ip)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_precision(options, attr->precise_ip);
	if (attr->sample_type)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_sample_type(options, attr->sample_type);
	if (attr->branch_sample_type)
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_branch_sample_type(options, attr->branch_sample_type);
	// A breakpoint has its address and length where others have these.
	if (attr->type != PERF_TYPE_BREAKPOINT && (attr->config1 || attr->config2))
		wasm_bpf_bpf_perf_events_method_perf_event_options_set_more_config(options, attr->config1, attr->config2);
}

// What an event would have to be that a guest cannot have, in words; NULL: nothing.
static const char *impossible(const struct perf_event_attr *attr, int group, unsigned long flags)
{
	const uint64_t formats = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_GROUP;

	if (group >= 0)
		return "in a group";
	if (flags & ~(unsigned long)(PERF_FLAG_FD_CLOEXEC | PERF_FLAG_FD_NO_GROUP))
		return "of a cgroup, or for the output of others";
	if (attr->read_format & ~formats)
		return "read with its number or with what was lost";
	if (attr->pinned || attr->exclusive)
		return "pinned or exclusive";
	if (attr->enable_on_exec || attr->remove_on_exec)
		return "enabled or removed by exec";
	if (attr->sigtrap)
		return "with a signal";
	return NULL;
}

// Copies what this library knows of the attributes; those that know more may say nothing in the rest, as in the kernel.
static int take(struct perf_event_attr *known, const struct perf_event_attr *attr)
{
	const uint32_t size = attr->size ? attr->size : PERF_ATTR_SIZE_VER0;

	if (size < PERF_ATTR_SIZE_VER0)
		return wb_refuse(E2BIG, "a perf event: a struct perf_event_attr has at least %d bytes, not %u", PERF_ATTR_SIZE_VER0, size);
	for (uint32_t i = sizeof(*known); i < size; i++) {
		if (((const char *)attr)[i])
			return wb_refuse(E2BIG, "a perf event: the struct perf_event_attr says what this library does not know");
	}
	memcpy(known, attr, size < sizeof(*known) ? size : sizeof(*known));
	return 0;
}

int wb_perf_event_open(const struct perf_event_attr *attr, int pid, int cpu, int group, unsigned long flags)
{
	wasm_bpf_bpf_perf_events_own_perf_event_options_t options;
	wasm_bpf_bpf_perf_events_borrow_perf_event_options_t chosen;
	wasm_bpf_bpf_perf_events_perf_event_type_t type = {};
	wasm_bpf_bpf_perf_events_error_t error;
	struct perf_event_attr known = {};
	struct event *event;
	const char *not_for_guests;
	bool ok;
	int err;

	if (!attr)
		return wb_refuse(EFAULT, "a perf event without attributes");
	err = take(&known, attr);
	if (err)
		return err;
	not_for_guests = impossible(&known, group, flags);
	if (not_for_guests)
		return wb_refuse(EOPNOTSUPP, "a perf event of a guest cannot be %s", not_for_guests);
	err = set_type(&type, &known);
	if (err)
		return err;

	WB_CALL;
	event = malloc(sizeof(*event));
	if (!event)
		return wb_no_memory();
	event->read_format = known.read_format;
	options = wasm_bpf_bpf_perf_events_constructor_perf_event_options();
	chosen = wasm_bpf_bpf_perf_events_borrow_perf_event_options(options);
	set_options(chosen, &known, pid, cpu);
	ok = wasm_bpf_bpf_perf_events_static_perf_event_open(&type, chosen, &event->own, &error);
	wasm_bpf_bpf_perf_events_perf_event_options_drop_own(options);
	if (ok)
		return wb_descriptor_new(&operations, event);
	free(event);
	return wb_fail(&error, "open a perf event");
}
