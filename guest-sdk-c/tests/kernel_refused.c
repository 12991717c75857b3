// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without a grant for it nobody is told what is in the kernel.
// grants: none
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <wasm-bpf.h>

#include "check.h"

int main(void)
{
	__u32 id, length = 0, type;
	__u64 offset, address;
	char name[8];

	libbpf_set_print(NULL);
	CHECK_ERR(bpf_prog_get_next_id(0, &id), EPERM);
	CHECK_TEXT(wasm_bpf_last_error()->kind, "not-granted");
	CHECK_ERR(bpf_map_get_next_id(0, &id), EPERM);
	CHECK_ERR(bpf_link_get_next_id(0, &id), EPERM);
	CHECK_ERR(bpf_btf_get_next_id(0, &id), EPERM);
	CHECK_ERR(bpf_prog_get_fd_by_id(1), EPERM);
	CHECK_ERR(bpf_map_get_fd_by_id(1), EPERM);
	CHECK_ERR(bpf_link_get_fd_by_id(1), EPERM);
	CHECK_ERR(bpf_btf_get_fd_by_id(1), EPERM);
	CHECK_NULL(btf__load_from_kernel_by_id(1), EPERM);
	CHECK_ERR(bpf_enable_stats(BPF_STATS_RUN_TIME), EPERM);
	CHECK_ERR(bpf_obj_get("/sys/fs/bpf/nothing"), EPERM);
	CHECK_ERR(bpf_task_fd_query(1, 1, 0, name, &length, &id, &type, &offset, &address), EPERM);
	return 0;
}
