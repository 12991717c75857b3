// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Processes that a guest cannot start, and namespaces that it cannot change.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/refuse.h"

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static const char no_fork[] = "a WebAssembly guest has one process, and cannot make more";
static const char no_exec[] = "a WebAssembly guest cannot start programs";
static const char no_namespaces[] = "a WebAssembly guest stays in the host's namespaces";

pid_t fork(void)
{
	return wb_cannot("fork", no_fork);
}

pid_t vfork(void)
{
	return wb_cannot("vfork", no_fork);
}

int daemon(int keep_directory, int keep_files)
{
	(void)keep_directory;
	(void)keep_files;
	return wb_cannot("daemon", no_fork);
}

int execve(const char *path, char *const arguments[], char *const environment[])
{
	(void)path;
	(void)arguments;
	(void)environment;
	return wb_cannot("execve", no_exec);
}

int execv(const char *path, char *const arguments[])
{
	(void)path;
	(void)arguments;
	return wb_cannot("execv", no_exec);
}

int execvp(const char *file, char *const arguments[])
{
	(void)file;
	(void)arguments;
	return wb_cannot("execvp", no_exec);
}

int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	(void)file;
	(void)arguments;
	(void)environment;
	return wb_cannot("execvpe", no_exec);
}

int fexecve(int fd, char *const arguments[], char *const environment[])
{
	(void)fd;
	(void)arguments;
	(void)environment;
	return wb_cannot("fexecve", no_exec);
}

int execl(const char *path, const char *argument, ...)
{
	(void)path;
	(void)argument;
	return wb_cannot("execl", no_exec);
}

int execlp(const char *file, const char *argument, ...)
{
	(void)file;
	(void)argument;
	return wb_cannot("execlp", no_exec);
}

int execle(const char *path, const char *argument, ...)
{
	(void)path;
	(void)argument;
	return wb_cannot("execle", no_exec);
}

int system(const char *command)
{
	// Whether there is a shell: no.
	if (!command)
		return 0;
	return wb_cannot("system", no_exec);
}

FILE *popen(const char *command, const char *mode)
{
	(void)command;
	(void)mode;
	wb_cannot("popen", no_exec);
	return NULL;
}

int pclose(FILE *stream)
{
	(void)stream;
	errno = ECHILD;
	return -1;
}

int pipe(int fds[2])
{
	(void)fds;
	return wb_cannot("pipe", "a WebAssembly guest has no pipes");
}

int pipe2(int fds[2], int flags)
{
	(void)fds;
	(void)flags;
	return wb_cannot("pipe2", "a WebAssembly guest has no pipes");
}

int chroot(const char *path)
{
	(void)path;
	return wb_cannot("chroot", "a WebAssembly guest cannot change its root");
}

int setns(int fd, int type)
{
	(void)fd;
	(void)type;
	return wb_cannot("setns", no_namespaces);
}

int unshare(int flags)
{
	(void)flags;
	return wb_cannot("unshare", no_namespaces);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	(void)pid;
	(void)status;
	(void)options;
	(void)usage;
	errno = ECHILD;
	return -1;
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

pid_t wait(int *status)
{
	return wait4(-1, status, 0, NULL);
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	(void)pid;
	(void)size;
	(void)set;
	return wb_cannot("sched_setaffinity", "a WebAssembly guest does not choose its CPU");
}

int sched_getcpu(void)
{
	return wb_cannot("sched_getcpu", "a WebAssembly guest does not know its CPU");
}
