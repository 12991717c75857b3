// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a process asks about itself and its machine, and what a guest cannot do: ENOSYS with one line on stderr, where it is called
// with a warning.
// needs: --dir /tmp --dir /proc
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

#define CHECK_FAILS(call, number) \
	do { \
		errno = 0; \
		CHECK_IS(call, -1); \
		CHECK_IS(errno, number); \
	} while (0)

static void test_identity(void)
{
	char path[64], line[256] = "";
	uid_t real, effective, saved;
	gid_t groups[1];
	FILE *stream;

	// The process that /proc has under this number is one that runs components.
	CHECK(getpid() > 0);
	CHECK_IS(gettid(), getpid());
	CHECK_IS(syscall(SYS_gettid), getpid());
	CHECK_IS(getpgid(0), getpid());
	CHECK_FAILS(getpgid(1), ESRCH);
	snprintf(path, sizeof(path), "/proc/%d/comm", getpid());
	stream = fopen(path, "r");
	CHECK(stream && fgets(line, sizeof(line), stream));
	fclose(stream);
	CHECK(strstr(line, "wasm-bpf"));
	CHECK_IS(getppid(), 0);
	CHECK_IS(getuid(), 0);
	CHECK_IS(geteuid(), 0);
	CHECK_IS(getgid(), 0);
	CHECK_IS(getegid(), 0);
	CHECK_IS(getgroups(1, groups), 0);
	CHECK_IS(getresuid(&real, &effective, &saved), 0);
	CHECK_IS(effective, 0);
	CHECK_IS(setuid(0), 0);
	CHECK_FAILS(setuid(1000), EPERM);
	CHECK_FAILS(setgid(1000), EPERM);
	CHECK_FAILS(setsid(), EPERM);
	CHECK_IS(umask(077), 022);
	CHECK_IS(umask(022), 077);
}

static void test_limits(void)
{
	struct rlimit wanted = { RLIM_INFINITY, RLIM_INFINITY }, limit;
	struct rusage usage;

	CHECK_IS(setrlimit(RLIMIT_MEMLOCK, &wanted), 0);
	wanted = (struct rlimit){ 10, 20 };
	CHECK_IS(setrlimit(RLIMIT_NOFILE, &wanted), 0);
	CHECK_IS(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_IS(limit.rlim_cur, 10);
	CHECK_IS(limit.rlim_max, 20);
	CHECK_IS(getrlimit(RLIMIT_CORE, &limit), 0);
	CHECK(limit.rlim_cur == RLIM_INFINITY);
	CHECK_IS(prlimit(0, RLIMIT_NOFILE, NULL, &limit), 0);
	CHECK_IS(limit.rlim_cur, 10);
	CHECK_FAILS(prlimit(1, RLIMIT_NOFILE, NULL, &limit), ESRCH);
	CHECK_FAILS(getrlimit(99, &limit), EINVAL);
	wanted = (struct rlimit){ 20, 10 };
	CHECK_FAILS(setrlimit(RLIMIT_NOFILE, &wanted), EINVAL);
	CHECK_FAILS(getrusage(RUSAGE_SELF, &usage), ENOSYS);
	CHECK_FAILS(getrusage(77, &usage), EINVAL);
	CHECK_IS(getpriority(PRIO_PROCESS, 0), 0);
	CHECK_FAILS(getpriority(PRIO_PROCESS, 1), ESRCH);
	CHECK_FAILS(setpriority(PRIO_PROCESS, 0, 5), EPERM);
}

static void test_machine(void)
{
	char name[16];
	cpu_set_t set;

	CHECK_IS(get_nprocs_conf(), libbpf_num_possible_cpus());
	CHECK(get_nprocs() >= 1 && get_nprocs() <= get_nprocs_conf());
	CHECK_IS(sysconf(_SC_NPROCESSORS_ONLN), get_nprocs());
	CHECK_IS(sysconf(_SC_NPROCESSORS_CONF), get_nprocs_conf());
	CHECK_IS(sysconf(_SC_PAGESIZE), getpagesize());
	CHECK(getpagesize() >= 4096 && !(getpagesize() & (getpagesize() - 1)));
	CHECK_IS(sysconf(_SC_CLK_TCK), 100);
	CHECK_IS(sched_getaffinity(0, sizeof(set), &set), 0);
	CHECK_IS(CPU_COUNT(&set), get_nprocs());
	CHECK_FAILS(sched_getaffinity(1, sizeof(set), &set), ESRCH);
	CPU_ZERO(&set);
	CPU_SET(3, &set);
	CPU_SET(100, &set);
	CPU_SET(5000, &set);
	CHECK(CPU_ISSET(3, &set) && CPU_ISSET(100, &set) && !CPU_ISSET(4, &set) && CPU_COUNT(&set) == 2);
	CPU_CLR(3, &set);
	CHECK_IS(CPU_COUNT(&set), 1);
	CHECK_IS(prctl(PR_SET_NAME, "a name that is too long"), 0);
	CHECK_IS(prctl(PR_GET_NAME, name), 0);
	CHECK_TEXT(name, "a name that is ");
	CHECK_FAILS(prctl(PR_SET_DUMPABLE, 1), ENOSYS);
}

// That a call fails with ENOSYS and says so in one line, which begins with this.
#define CHECK_CANNOT(call, name) \
	do { \
		CHECK(freopen(path, "w", stderr)); \
		errno = 0; \
		long result_ = (long)(call); \
		int error_ = errno; \
		FILE *stream_ = fopen(path, "r"); \
		char said_[256] = ""; \
		size_t size_ = fread(said_, 1, sizeof(said_) - 1, stream_); \
		fclose(stream_); \
		if ((result_ != -1 && result_ != 0) || error_ != ENOSYS || strncmp(said_, name ": ", strlen(name) + 2) || \
		    strchr(said_, '\n') != said_ + size_ - 1) { \
			printf("%s gave %ld with errno %d and said: %s\n", #call, result_, error_, said_); \
			exit(1); \
		} \
	} while (0)

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wattribute-warning"
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static void test_refusals(void)
{
	char path[] = "/tmp/wasm-bpf-process-XXXXXX", *const arguments[] = { "x", NULL };
	cpu_set_t set;
	int fds[2], status;

	close(mkstemp(path));
	CHECK_CANNOT(fork(), "fork");
	CHECK_CANNOT(vfork(), "vfork");
	CHECK_CANNOT(daemon(0, 0), "daemon");
	CHECK_CANNOT(execve("/bin/true", arguments, arguments), "execve");
	CHECK_CANNOT(execv("/bin/true", arguments), "execv");
	CHECK_CANNOT(execvp("true", arguments), "execvp");
	CHECK_CANNOT(execvpe("true", arguments, arguments), "execvpe");
	CHECK_CANNOT(execl("/bin/true", "true", NULL), "execl");
	CHECK_CANNOT(execlp("true", "true", NULL), "execlp");
	CHECK_CANNOT(execle("/bin/true", "true", NULL, arguments), "execle");
	CHECK_CANNOT(fexecve(0, arguments, arguments), "fexecve");
	CHECK_CANNOT(system("true"), "system");
	CHECK_CANNOT(popen("true", "r"), "popen");
	CHECK_CANNOT(pipe(fds), "pipe");
	CHECK_CANNOT(pipe2(fds, O_CLOEXEC), "pipe2");
	CHECK_CANNOT(chroot("/tmp"), "chroot");
	CHECK_CANNOT(setns(0, CLONE_NEWNET), "setns");
	CHECK_CANNOT(unshare(CLONE_NEWNET), "unshare");
	CHECK_CANNOT(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
	CHECK_CANNOT(sched_getcpu(), "sched_getcpu");
	CHECK_CANNOT(syscall(SYS_membarrier, 0, 0), "syscall");
	unlink(path);
	CHECK_IS(system(NULL), 0);
	CHECK_FAILS(pclose(stdin), ECHILD);
	CHECK_FAILS(wait(&status), ECHILD);
	CHECK_FAILS(waitpid(-1, &status, WNOHANG), ECHILD);
}
#pragma clang diagnostic pop

static void *start(void *argument)
{
	return argument;
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wattribute-warning"
static void test_threads(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread = NULL;
	char name[16];

	errno = 0;
	CHECK_IS(pthread_create(&thread, NULL, start, NULL), ENOSYS);
	CHECK_IS(errno, 0);
	CHECK_IS(pthread_join(thread, NULL), ESRCH);
	CHECK_IS(pthread_detach(pthread_self()), 0);
	CHECK_IS(pthread_mutex_lock(&mutex), 0);
	CHECK_IS(pthread_mutex_unlock(&mutex), 0);
	CHECK_IS(pthread_setname_np(pthread_self(), "main"), 0);
	CHECK_IS(prctl(PR_GET_NAME, name), 0);
	CHECK_TEXT(name, "main");
}
#pragma clang diagnostic pop

static volatile int caught;

static void on_signal(int signal)
{
	caught = signal;
}

static void test_system_calls(void)
{
	struct timespec time;
	unsigned char random[16] = { 0 };

	signal(SIGUSR1, on_signal);
	CHECK_IS(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1), 0);
	CHECK_IS(caught, SIGUSR1);
	CHECK_IS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time), 0);
	CHECK(time.tv_sec > 0);
	CHECK_IS(syscall(SYS_getrandom, random, sizeof(random), 0), sizeof(random));
	CHECK(memcmp(random, (unsigned char[16]){ 0 }, sizeof(random)));
	CHECK_FAILS(syscall(SYS_perf_event_open, NULL, -1, 0, -1, 0), EFAULT);
}

int main(void)
{
	test_identity();
	test_limits();
	test_machine();
	test_threads();
	test_system_calls();
	test_refusals();
	return 0;
}
