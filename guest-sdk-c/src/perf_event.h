// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "wasm_bpf.h"

struct perf_event_attr;

// perf_event_open(2): a descriptor, or a negative errno.
int wb_perf_event_open(const struct perf_event_attr *attr, int pid, int cpu, int group, unsigned long flags);

// ioctl(PERF_EVENT_IOC_SET_BPF): attaches a program until the event, whatever stands for it in the table of descriptors, is released. The
// host enables the event then.
int wb_perf_event_set_program(const void *event, wasm_bpf_bpf_perf_events_borrow_perf_event_t handle, int program_fd);
void wb_perf_event_released(const void *event);
