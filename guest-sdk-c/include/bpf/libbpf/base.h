/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Version, messages, errors, and what the kernel's numbers are called. */
#ifndef BPF_LIBBPF_BASE_H
#define BPF_LIBBPF_BASE_H

#include <stdarg.h>

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/* LIBBPF_MAJOR_VERSION: of the API, not of the libbpf that the host has. */
LIBBPF_API __u32 libbpf_major_version(void);

/* LIBBPF_MINOR_VERSION. */
LIBBPF_API __u32 libbpf_minor_version(void);

/* The version as text, such as "v1.7". */
LIBBPF_API const char *libbpf_version_string(void);

/* Errors that no errno tells. */
enum libbpf_errno {
	__LIBBPF_ERRNO__START = 4000,
	LIBBPF_ERRNO__LIBELF = __LIBBPF_ERRNO__START,
	LIBBPF_ERRNO__FORMAT,
	LIBBPF_ERRNO__KVERSION,
	LIBBPF_ERRNO__ENDIAN,
	LIBBPF_ERRNO__INTERNAL,
	LIBBPF_ERRNO__RELOC,
	LIBBPF_ERRNO__LOAD,
	LIBBPF_ERRNO__VERIFY,
	LIBBPF_ERRNO__PROG2BIG,
	LIBBPF_ERRNO__KVER,
	LIBBPF_ERRNO__PROGTYPE,
	LIBBPF_ERRNO__WRNGPID,
	LIBBPF_ERRNO__INVSEQ,
	LIBBPF_ERRNO__NLPARSE,
	__LIBBPF_ERRNO__END,
};

/*
 * Writes what an error (an errno or an enum libbpf_errno, of either sign) means to a buffer: 0, -ENOENT if nobody knows it, -ERANGE if
 * it is cut.
 */
LIBBPF_API int libbpf_strerror(int err, char *buf, size_t size);

/* Minus errno for NULL, 0 for other pointers. */
LIBBPF_API long libbpf_get_error(const void *ptr);

enum libbpf_print_level {
	LIBBPF_WARN,
	LIBBPF_INFO,
	LIBBPF_DEBUG,
};

typedef int (*libbpf_print_fn_t)(enum libbpf_print_level level, const char *format, va_list ap);

/*
 * Has a function called with the library's messages; returns the one that was called before. NULL: nothing is said. At first they go to
 * stderr, warnings and informational ones, or what the environment variable LIBBPF_LOG_LEVEL (warn, info, debug) says.
 * Messages of the host's libbpf are among them as far as they belong to a failure.
 */
LIBBPF_API libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn);

/* What programs could ask for before libbpf 1.0. */
enum libbpf_strict_mode {
	LIBBPF_STRICT_ALL = 0xffffffff,
	LIBBPF_STRICT_NONE = 0x00,
	LIBBPF_STRICT_CLEAN_PTRS = 0x01,
	LIBBPF_STRICT_DIRECT_ERRS = 0x02,
	LIBBPF_STRICT_SEC_NAME = 0x04,
	LIBBPF_STRICT_NO_OBJECT_LIST = 0x08,
	LIBBPF_STRICT_AUTO_RLIMIT_MEMLOCK = 0x10,
	LIBBPF_STRICT_MAP_DEFINITIONS = 0x20,
	__LIBBPF_STRICT_LAST,
};

/* 0: since 1.0 everything is strict. */
LIBBPF_API int libbpf_set_strict_mode(enum libbpf_strict_mode mode);

/* 0: how much memory may be locked is the host's business; it raises the limit where the kernel needs that. */
LIBBPF_API int libbpf_set_memlock_rlim(size_t memlock_bytes);

#ifdef __cplusplus
}
#endif

#endif
