// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who the guest is: the host's process, and root.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasm_bpf.h"

pid_t getpid(void)
{
	return wasm_bpf_bpf_features_own_process();
}

pid_t gettid(void)
{
	return getpid();
}

pid_t getppid(void)
{
	return 0;
}

pid_t getpgrp(void)
{
	return getpid();
}

static pid_t only_own(pid_t pid)
{
	if (!pid || pid == getpid())
		return getpid();
	errno = ESRCH;
	return -1;
}

pid_t getpgid(pid_t pid)
{
	return only_own(pid);
}

pid_t getsid(pid_t pid)
{
	return only_own(pid);
}

// As for a process that leads its group already.
pid_t setsid(void)
{
	errno = EPERM;
	return -1;
}

uid_t getuid(void)
{
	return 0;
}

uid_t geteuid(void)
{
	return 0;
}

gid_t getgid(void)
{
	return 0;
}

gid_t getegid(void)
{
	return 0;
}

int getgroups(int size, gid_t groups[])
{
	(void)size;
	(void)groups;
	return 0;
}

int getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
	*real = *effective = *saved = 0;
	return 0;
}

int getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
	*real = *effective = *saved = 0;
	return 0;
}

static int only_root(unsigned int id)
{
	if (!id)
		return 0;
	errno = EPERM;
	return -1;
}

int setuid(uid_t uid)
{
	return only_root(uid);
}

int seteuid(uid_t uid)
{
	return only_root(uid);
}

int setgid(gid_t gid)
{
	return only_root(gid);
}

int setegid(gid_t gid)
{
	return only_root(gid);
}

int euidaccess(const char *path, int mode)
{
	return access(path, mode);
}

int eaccess(const char *path, int mode)
{
	return access(path, mode);
}

mode_t umask(mode_t mask)
{
	static mode_t current = 022;
	mode_t old = current;

	current = mask & 0777;
	return old;
}
