// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <signal.h>

static int check(int sig)
{
	if (sig > 0 && sig < _NSIG)
		return 0;
	errno = EINVAL;
	return -1;
}

int sigemptyset(sigset_t *set)
{
	set->__bits = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	set->__bits = UINT64_MAX;
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	if (check(sig))
		return -1;
	set->__bits |= (1ull << (sig - 1));
	return 0;
}

int sigdelset(sigset_t *set, int sig)
{
	if (check(sig))
		return -1;
	set->__bits &= ~(1ull << (sig - 1));
	return 0;
}

int sigismember(const sigset_t *set, int sig)
{
	return check(sig) ? -1 : (set->__bits & (1ull << (sig - 1))) != 0;
}
