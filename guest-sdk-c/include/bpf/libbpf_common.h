/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What all headers of libbpf's API share. */
#ifndef BPF_LIBBPF_COMMON_H
#define BPF_LIBBPF_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <linux/bpf.h>

#include <bpf/libbpf_version.h>

#define LIBBPF_API __attribute__((visibility("default")))
#define LIBBPF_DEPRECATED(message) __attribute__((deprecated(message)))

/*
 * A struct of options whose fields are all zero but those that are given. `sz` is how much of it the caller knows: newer fields are
 * taken only from callers that have them.
 */
#define LIBBPF_OPTS(TYPE, NAME, ...) \
	struct TYPE NAME; \
	memset(&NAME, 0, sizeof(NAME)); \
	NAME = (struct TYPE){ .sz = sizeof(struct TYPE), __VA_ARGS__ }
#define DECLARE_LIBBPF_OPTS LIBBPF_OPTS

#define LIBBPF_OPTS_RESET(NAME, ...) \
	do { \
		memset(&NAME, 0, sizeof(NAME)); \
		NAME = (__typeof__(NAME)){ .sz = sizeof(NAME), __VA_ARGS__ }; \
	} while (0)

#endif
