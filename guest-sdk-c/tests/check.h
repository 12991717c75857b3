/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the tests of the library check with. A check that fails says where and ends the program: its exit code is the verdict. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests compile for native libbpf too, to see that it does the same. Where a guest has to differ, both are said. */
#ifdef __wasm__
#define ON_GUEST(guest, native) (guest)
#else
#define ON_GUEST(guest, native) (native)
#endif

#define FAIL_CHECK(...) \
	do { \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__); \
		fprintf(stderr, "\n"); \
		exit(1); \
	} while (0)

/* That something is so. */
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			FAIL_CHECK("not so: %s (errno %d: %s)", #condition, errno, strerror(errno)); \
	} while (0)

/* That two numbers are the same; both are printed if not. */
#define CHECK_IS(got, wanted) \
	do { \
		long long got_ = (long long)(got), wanted_ = (long long)(wanted); \
		if (got_ != wanted_) \
			FAIL_CHECK("%s is %lld, not %s = %lld (errno %d: %s)", #got, got_, #wanted, wanted_, errno, strerror(errno)); \
	} while (0)

/* That a call fails with an errno, which it returns negative and sets. */
#define CHECK_ERR(call, number) \
	do { \
		errno = 0; \
		long long result_ = (long long)(call); \
		if (result_ != -(number) || errno != (number)) \
			FAIL_CHECK("%s gave %lld with errno %d, not -%s = %d", #call, result_, errno, #number, -(number)); \
	} while (0)

/* That a call returns NULL and sets errno. */
#define CHECK_NULL(call, number) \
	do { \
		errno = 0; \
		const void *result_ = (call); \
		if (result_ || errno != (number)) \
			FAIL_CHECK("%s gave %p with errno %d, not NULL with %s = %d", #call, result_, errno, #number, (number)); \
	} while (0)

/* That two texts are the same. */
#define CHECK_TEXT(got, wanted) \
	do { \
		const char *got_ = (got), *wanted_ = (wanted); \
		if (!got_ || strcmp(got_, wanted_)) \
			FAIL_CHECK("%s is '%s', not '%s'", #got, got_ ? got_ : "(NULL)", wanted_); \
	} while (0)

#endif
