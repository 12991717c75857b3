/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Users, from /etc/passwd, if a folder that was given has it (--dir /etc). Else no user is known, and errno is ENOENT. */
#ifndef WASM_BPF_PWD_H
#define WASM_BPF_PWD_H

#include <sys/types.h>

#include <wasm-bpf/platform.h>

struct passwd {
	char *pw_name;
	char *pw_passwd;
	uid_t pw_uid;
	gid_t pw_gid;
	char *pw_gecos;
	char *pw_dir;
	char *pw_shell;
};

WB_BEGIN

struct passwd *getpwuid(uid_t uid);
struct passwd *getpwnam(const char *name);
int getpwuid_r(uid_t uid, struct passwd *user, char *text, size_t size, struct passwd **result);
int getpwnam_r(const char *name, struct passwd *user, char *text, size_t size, struct passwd **result);

WB_END

#endif
