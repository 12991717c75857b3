// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include "platform/refuse.h"

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *), void *restrict argument)
{
	int saved = errno;

	(void)thread;
	(void)attributes;
	(void)start;
	(void)argument;
	wb_cannot("pthread_create", "a WebAssembly guest has one thread, and cannot make more");
	errno = saved;
	return ENOSYS;
}

int pthread_join(pthread_t thread, void **result)
{
	(void)result;
	return pthread_equal(thread, pthread_self()) ? EDEADLK : ESRCH;
}

int pthread_detach(pthread_t thread)
{
	return pthread_equal(thread, pthread_self()) ? 0 : ESRCH;
}

int pthread_setname_np(pthread_t thread, const char *name)
{
	if (!pthread_equal(thread, pthread_self()))
		return ESRCH;
	if (strlen(name) > 15)
		return ERANGE;
	prctl(PR_SET_NAME, name);
	return 0;
}
