// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf events count, and are opened, read and controlled as on Linux; what a guest cannot have is refused.
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static int open_event(const struct perf_event_attr *attr, int pid, int cpu)
{
	return syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

#define REFUSED(attr, pid, cpu, number) \
	do { \
		errno = 0; \
		CHECK_IS(open_event(attr, pid, cpu), -1); \
		CHECK_IS(errno, number); \
	} while (0)

static void compute(void)
{
	for (volatile int i = 0; i < 2000000; i++)
		;
}

static __u64 count(int fd)
{
	__u64 value;

	CHECK_IS(read(fd, &value, sizeof(value)), sizeof(value));
	return value;
}

static void counts(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK };
	int fd = open_event(&attr, 0, -1);
	__u64 before;
	char small[4];

	CHECK(fd >= 0);
	compute();
	before = count(fd);
	CHECK(before > 0);
	compute();
	CHECK(count(fd) > before);
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0), 0);
	before = count(fd);
	compute();
	CHECK_IS(count(fd), before);
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_RESET, 0), 0);
	CHECK_IS(count(fd), 0);
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0), 0);
	compute();
	CHECK(count(fd) > 0);
	errno = 0;
	CHECK_IS(read(fd, small, sizeof(small)), -1);
	CHECK_IS(errno, ENOSPC);
	CHECK_IS(close(fd), 0);
	errno = 0;
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0), -1);
	CHECK_IS(errno, EBADF);

	// One that waits, of a CPU, with attributes of the first size.
	attr = (struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .disabled = 1 };
	fd = open_event(&attr, -1, 0);
	CHECK(fd >= 0);
	usleep(2000);
	CHECK_IS(count(fd), 0);
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0), 0);
	usleep(2000);
	CHECK(count(fd) >= 2000000);
	close(fd);
}

static void formats(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	__u64 words[4];
	int fd = open_event(&attr, 0, -1);

	CHECK(fd >= 0);
	compute();
	CHECK_IS(read(fd, words, sizeof(words)), 3 * sizeof(*words));
	CHECK(words[0] > 0 && words[1] >= words[2] && words[2] > 0);
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_RESET, 0), 0);
	CHECK_IS(read(fd, words, 2 * sizeof(*words)), -1);
	CHECK_IS(errno, ENOSPC);
	close(fd);

	attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED;
	fd = open_event(&attr, 0, -1);
	CHECK(fd >= 0);
	compute();
	CHECK_IS(read(fd, words, sizeof(words)), 3 * sizeof(*words));
	CHECK_IS(words[0], 1);
	CHECK(words[1] > 0);
	CHECK(words[2] > 0);
	close(fd);
}

static void refused(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK };
	struct {
		struct perf_event_attr attr;
		char more[8];
	} larger = { .attr = attr };

	REFUSED(NULL, 0, -1, EFAULT);
	// Neither a thread nor a CPU.
	REFUSED(&attr, -1, -1, EINVAL);
	// No such thread.
	REFUSED(&attr, 0x3fffffff, -1, ESRCH);
	attr.config = 4711;
	REFUSED(&attr, 0, -1, ENOENT);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.size = 8;
	REFUSED(&attr, 0, -1, E2BIG);
	larger.attr.size = sizeof(larger);
	close(open_event(&larger.attr, 0, -1));
	larger.more[7] = 1;
	REFUSED(&larger.attr, 0, -1, E2BIG);

#ifdef __wasm__
	// Linux says EINVAL to some numbers of CPUs that it has not.
	attr.size = sizeof(attr);
	REFUSED(&attr, -1, 1 << 20, ENODEV);
	attr.read_format = PERF_FORMAT_ID;
	REFUSED(&attr, 0, -1, EOPNOTSUPP);
	attr.read_format = 0;
	attr.pinned = 1;
	REFUSED(&attr, 0, -1, EOPNOTSUPP);
	attr.pinned = 0;
	attr.enable_on_exec = 1;
	REFUSED(&attr, 0, -1, EOPNOTSUPP);
	attr.enable_on_exec = 0;
	attr.type = PERF_TYPE_TRACEPOINT;
	REFUSED(&attr, 0, -1, EOPNOTSUPP);
	attr.type = 4711;
	REFUSED(&attr, 0, -1, EOPNOTSUPP);
	attr.type = PERF_TYPE_SOFTWARE;
	errno = 0;
	CHECK_IS(syscall(SYS_perf_event_open, &attr, 0, -1, 0, 0), -1);
	CHECK_IS(errno, EOPNOTSUPP);
	errno = 0;
	CHECK_IS(syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_PID_CGROUP), -1);
	CHECK_IS(errno, EOPNOTSUPP);
	int fd = open_event(&attr, 0, -1);

	errno = 0;
	CHECK_IS(ioctl(fd, PERF_EVENT_IOC_REFRESH, 1), -1);
	CHECK_IS(errno, EINVAL);
	close(fd);
#endif
}

int main(void)
{
	counts();
	formats();
	refused();
	return 0;
}
