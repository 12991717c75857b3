/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Groups, from /etc/group, if a folder that was given has it (--dir /etc). Else no group is known, and errno is ENOENT. */
#ifndef WASM_BPF_GRP_H
#define WASM_BPF_GRP_H

#include <sys/types.h>

#include <wasm-bpf/platform.h>

struct group {
	char *gr_name;
	char *gr_passwd;
	gid_t gr_gid;
	char **gr_mem;
};

WB_BEGIN

struct group *getgrgid(gid_t gid);
struct group *getgrnam(const char *name);

WB_END

#endif
