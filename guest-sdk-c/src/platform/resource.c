// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Limits: what the guest set, which it can read again.
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit limits[RLIM_NLIMITS];
static bool is_set[RLIM_NLIMITS];

static int check(int resource)
{
	if (resource >= 0 && resource < RLIM_NLIMITS)
		return 0;
	errno = EINVAL;
	return -1;
}

int getrlimit(int resource, struct rlimit *limit)
{
	if (check(resource))
		return -1;
	if (is_set[resource])
		*limit = limits[resource];
	else
		limit->rlim_cur = limit->rlim_max = RLIM_INFINITY;
	return 0;
}

int setrlimit(int resource, const struct rlimit *limit)
{
	if (check(resource))
		return -1;
	if (limit->rlim_cur > limit->rlim_max) {
		errno = EINVAL;
		return -1;
	}
	limits[resource] = *limit;
	is_set[resource] = true;
	return 0;
}

int prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	struct rlimit before;

	if (pid && pid != getpid()) {
		errno = ESRCH;
		return -1;
	}
	if (getrlimit(resource, &before) || (limit && setrlimit(resource, limit)))
		return -1;
	if (old)
		*old = before;
	return 0;
}

int getrusage(int who, struct rusage *usage)
{
	(void)usage;
	errno = who == RUSAGE_SELF || who == RUSAGE_CHILDREN || who == RUSAGE_THREAD ? ENOSYS : EINVAL;
	return -1;
}

int getpriority(int which, id_t who)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		errno = EINVAL;
	else if (who && !(which == PRIO_PROCESS && who == (id_t)getpid()))
		errno = ESRCH;
	else
		return 0;
	return -1;
}

int setpriority(int which, id_t who, int priority)
{
	if (getpriority(which, who))
		return -1;
	// The host's process stays as it is.
	if (!priority)
		return 0;
	errno = EPERM;
	return -1;
}
