// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

struct perf_event_attr;

// perf_event_open(2): a descriptor, or a negative errno.
int wb_perf_event_open(const struct perf_event_attr *attr, int pid, int cpu, int group, unsigned long flags);
