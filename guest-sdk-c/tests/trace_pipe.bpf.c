// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

int wanted_pid;

SEC("raw_tp/sys_enter")
int on_call(void *context)
{
	if ((int)(bpf_get_current_pid_tgid() >> 32) == wanted_pid)
		bpf_printk("needle %d", wanted_pid);
	return 0;
}
