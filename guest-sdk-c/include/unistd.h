/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_UNISTD_H
#define WASM_BPF_UNISTD_H

#include <wasm-bpf/platform.h>

#define getpid wb_hidden_getpid
#include_next <unistd.h>
#undef getpid

#include <fcntl.h>

WB_BEGIN

/* The process in whose name programs act, as BPF programs see it: the host's. */
pid_t getpid(void);
/* 0, as in a PID namespace whose first process this is: the parent is none of the guest's. */
pid_t getppid(void);
pid_t gettid(void);
pid_t getpgrp(void);
pid_t getpgid(pid_t pid);
pid_t getsid(pid_t pid);
/* 0, for root, and that is all that a guest can say: what it may do is decided by the host's policy. */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int size, gid_t groups[]);
#ifdef _GNU_SOURCE
int getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int getresgid(gid_t *real, gid_t *effective, gid_t *saved);
#endif
/* Only what changes nothing: EPERM else. */
int setuid(uid_t uid);
int seteuid(uid_t uid);
int setgid(gid_t gid);
int setegid(gid_t gid);
pid_t setsid(void);

/* SIGALRM after so many seconds, wherever the program waits or calls the library then. */
unsigned int alarm(unsigned int seconds);
useconds_t ualarm(useconds_t first, useconds_t interval);
/* Waits for a signal that has a handler. */
int pause(void);

/* Descriptors of BPF objects can be duplicated; files cannot: ENOTSUP. */
int dup(int fd);
int dup2(int fd, int as);
#ifdef _GNU_SOURCE
int dup3(int fd, int as, int flags);
#endif

int faccessat(int directory, const char *path, int mode, int flags) WB_CALLS(wb_faccessat);
#ifdef _GNU_SOURCE
int eaccess(const char *path, int mode);
int euidaccess(const char *path, int mode);
#endif
int linkat(int from, const char *old, int to, const char *name, int flags) WB_CALLS(wb_linkat);
int symlinkat(const char *target, int directory, const char *path) WB_CALLS(wb_symlinkat);
ssize_t readlinkat(int directory, const char *__restrict path, char *__restrict text, size_t size) WB_CALLS(wb_readlinkat);
int unlinkat(int directory, const char *path, int flags) WB_CALLS(wb_unlinkat);
int renameat(int from, const char *old, int to, const char *name) WB_CALLS(wb_renameat);

/* CPUs, pages and clock ticks are the kernel's, not the guest's. */
long sysconf(int name) WB_CALLS(wb_sysconf);
/* The kernel's page size: mmap offsets and ring buffers count in it. */
int getpagesize(void) WB_CALLS(wb_getpagesize);
/* From /proc/sys/kernel/hostname if a folder that was given has it; else "localhost". */
int gethostname(char *name, size_t size) WB_CALLS(wb_gethostname);
long syscall(long number, ...);

/* Not for guests: they have one process. */
pid_t fork(void) WB_CANNOT("a WebAssembly guest cannot fork: fails with ENOSYS");
/* The compiler knows this one, and takes no warning for it. */
pid_t vfork(void) __attribute__((deprecated("a WebAssembly guest cannot fork: fails with ENOSYS")));
int execve(const char *path, char *const arguments[], char *const environment[])
	WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int execv(const char *path, char *const arguments[]) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int execvp(const char *file, char *const arguments[]) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int execl(const char *path, const char *argument, ...) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int execlp(const char *file, const char *argument, ...) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int execle(const char *path, const char *argument, ...) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
#ifdef _GNU_SOURCE
int execvpe(const char *file, char *const arguments[], char *const environment[])
	WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
#endif
int fexecve(int fd, char *const arguments[], char *const environment[])
	WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int pipe(int fds[2]) WB_CANNOT("a WebAssembly guest has no pipes: fails with ENOSYS");
int pipe2(int fds[2], int flags) WB_CANNOT("a WebAssembly guest has no pipes: fails with ENOSYS");
int daemon(int keep_directory, int keep_files) WB_CANNOT("a WebAssembly guest cannot fork: fails with ENOSYS");
int chroot(const char *path) WB_CANNOT("a WebAssembly guest cannot change its root: fails with ENOSYS");

WB_END

#endif
