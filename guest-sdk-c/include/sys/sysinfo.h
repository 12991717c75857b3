/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SYS_SYSINFO_H
#define WASM_BPF_SYS_SYSINFO_H

#include <wasm-bpf/platform.h>
#include_next <sys/sysinfo.h>

WB_BEGIN

/* The machine's CPUs, not those of the guest: online ones, and those that can be. */
int get_nprocs(void) WB_CALLS(wb_get_nprocs);
int get_nprocs_conf(void) WB_CALLS(wb_get_nprocs_conf);
/* How long the machine runs; loads and memory from /proc, which has to be given: ENOENT else. */
int sysinfo(struct sysinfo *info);

WB_END

#endif
