// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel can do: types of programs and maps, helpers; kinds of sections; and what numbers are called.
// grants: none
#include <bpf/libbpf.h>

#include "check.h"

int main(void)
{
	enum bpf_prog_type type = 99;
	enum bpf_attach_type attach = 99;
	int cpus = libbpf_num_possible_cpus();

	libbpf_set_print(NULL);
	CHECK(cpus > 0 && cpus < 8192);
	CHECK_IS(libbpf_num_possible_cpus(), cpus);

	CHECK_IS(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SOCKET_FILTER, NULL), 1);
	CHECK_IS(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL), 1);
	CHECK(libbpf_probe_bpf_prog_type(1000, NULL) <= 0);
	CHECK_ERR(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, &cpus), EINVAL);
	CHECK_IS(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_HASH, NULL), 1);
	CHECK_IS(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL), 1);
	CHECK(libbpf_probe_bpf_map_type(1000, NULL) <= 0);
	CHECK_ERR(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_HASH, &cpus), EINVAL);
	CHECK_IS(libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_map_lookup_elem, NULL), 1);
	CHECK_IS(libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_xdp_adjust_head, NULL), 0);
	CHECK_IS(libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, 100000, NULL), 0);
	CHECK_ERR(libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_map_lookup_elem, &cpus), EINVAL);

	CHECK_IS(libbpf_prog_type_by_name("cgroup_skb/ingress", &type, &attach), 0);
	CHECK_IS(type, BPF_PROG_TYPE_CGROUP_SKB);
	CHECK_IS(attach, BPF_CGROUP_INET_INGRESS);
	CHECK_IS(libbpf_prog_type_by_name("kprobe/do_unlinkat", &type, &attach), 0);
	CHECK_IS(type, BPF_PROG_TYPE_KPROBE);
	CHECK_IS(libbpf_prog_type_by_name("fentry/vfs_read", &type, &attach), 0);
	CHECK_IS(type, BPF_PROG_TYPE_TRACING);
	CHECK_IS(attach, BPF_TRACE_FENTRY);
	CHECK_ERR(libbpf_prog_type_by_name("no_such_section", &type, &attach), ESRCH);
	CHECK_ERR(libbpf_prog_type_by_name(NULL, &type, &attach), EINVAL);
	CHECK_IS(libbpf_attach_type_by_name("cgroup/connect4", &attach), 0);
	CHECK_IS(attach, BPF_CGROUP_INET4_CONNECT);
	CHECK_ERR(libbpf_attach_type_by_name("no_such_section", &attach), EINVAL);
	CHECK_ERR(libbpf_attach_type_by_name(NULL, &attach), EINVAL);

	CHECK_TEXT(libbpf_bpf_map_type_str(BPF_MAP_TYPE_UNSPEC), "unspec");
	CHECK_TEXT(libbpf_bpf_map_type_str(BPF_MAP_TYPE_HASH), "hash");
	CHECK_TEXT(libbpf_bpf_map_type_str(BPF_MAP_TYPE_RINGBUF), "ringbuf");
	CHECK_TEXT(libbpf_bpf_map_type_str(BPF_MAP_TYPE_BLOOM_FILTER), "bloom_filter");
	CHECK(!libbpf_bpf_map_type_str(1000));
	CHECK_TEXT(libbpf_bpf_prog_type_str(BPF_PROG_TYPE_XDP), "xdp");
	CHECK_TEXT(libbpf_bpf_prog_type_str(BPF_PROG_TYPE_SYSCALL), "syscall");
	CHECK_TEXT(libbpf_bpf_prog_type_str(BPF_PROG_TYPE_SK_LOOKUP), "sk_lookup");
	CHECK(!libbpf_bpf_prog_type_str(1000));
	CHECK_TEXT(libbpf_bpf_link_type_str(BPF_LINK_TYPE_TRACING), "tracing");
	CHECK_TEXT(libbpf_bpf_link_type_str(BPF_LINK_TYPE_STRUCT_OPS), "struct_ops");
	CHECK(!libbpf_bpf_link_type_str(1000));
	CHECK_TEXT(libbpf_bpf_attach_type_str(BPF_CGROUP_INET_INGRESS), "cgroup_inet_ingress");
	CHECK_TEXT(libbpf_bpf_attach_type_str(BPF_TRACE_FENTRY), "trace_fentry");
	CHECK_TEXT(libbpf_bpf_attach_type_str(BPF_LSM_CGROUP), "lsm_cgroup");
	CHECK(!libbpf_bpf_attach_type_str(1000));
	return 0;
}
