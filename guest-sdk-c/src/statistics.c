// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counting runs and time of programs, as long as a descriptor is open.
#include <stdint.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"

static void release(void *it)
{
	wasm_bpf_bpf_programs_statistics_drop_own((wasm_bpf_bpf_programs_own_statistics_t){ (intptr_t)it });
}

static const struct wb_operations operations = { .kind = WB_STATISTICS, .release = release };

int bpf_enable_stats(enum bpf_stats_type type)
{
	wasm_bpf_bpf_programs_own_statistics_t statistics;
	wasm_bpf_bpf_programs_error_t error;

	if (type != BPF_STATS_RUN_TIME)
		return wb_refuse(EINVAL, "the kernel has no statistics of the kind %d", (int)type);
	WB_CALL;
	if (!wasm_bpf_bpf_programs_static_statistics_enable(&statistics, &error))
		return wb_fail(&error, "enable statistics");
	return wb_descriptor_new(&operations, (void *)(intptr_t)statistics.__handle);
}
