/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The list of what is mounted, from a file such as /proc/mounts (--dir /proc). */
#ifndef WASM_BPF_MNTENT_H
#define WASM_BPF_MNTENT_H

#include <stdio.h>

#include <wasm-bpf/platform.h>

#define MNTTAB "/etc/fstab"
#define MOUNTED "/proc/mounts"
#define _PATH_MOUNTED MOUNTED

struct mntent {
	char *mnt_fsname;
	char *mnt_dir;
	char *mnt_type;
	char *mnt_opts;
	int mnt_freq;
	int mnt_passno;
};

WB_BEGIN

FILE *setmntent(const char *path, const char *mode);
struct mntent *getmntent(FILE *stream);
struct mntent *getmntent_r(FILE *stream, struct mntent *entry, char *text, int size);
int endmntent(FILE *stream);
char *hasmntopt(const struct mntent *entry, const char *option);

WB_END

#endif
