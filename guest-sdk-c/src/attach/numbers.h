// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers of the kernel's that are newer than the headers which the library can be built with (those of Linux 6.1).
#pragma once

enum {
	WB_TYPE_STRUCT_OPS = 44,
	WB_TYPE_NETFILTER = 45,
	WB_TYPE_TCX_INGRESS = 46,
	WB_TYPE_TCX_EGRESS = 47,
	WB_TYPE_UPROBE_MULTI = 48,
	WB_TYPE_CGROUP_UNIX_FIRST = 49, // connect, sendmsg, recvmsg, getpeername, getsockname
	WB_TYPE_CGROUP_UNIX_LAST = 53,
	WB_TYPE_NETKIT_PRIMARY = 54,
	WB_TYPE_NETKIT_PEER = 55,
	WB_TYPE_KPROBE_SESSION = 56,
	WB_TYPE_UPROBE_SESSION = 57,
	WB_TYPE_FSESSION = 58,
};

enum {
	WB_F_BEFORE = 1 << 3,
	WB_F_AFTER = 1 << 4,
	WB_F_ID = 1 << 5,
	WB_F_LINK = 1 << 13,
	WB_PLACE_FLAGS = WB_F_BEFORE | WB_F_AFTER | WB_F_ID | WB_F_LINK,
};

enum {
	WB_MULTI_RETURN = 1 << 0,       // BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN
	WB_NETFILTER_DEFRAGMENT = 1 << 0,
};
