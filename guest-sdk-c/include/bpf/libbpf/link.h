/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Links: programs that are attached. */
#ifndef BPF_LIBBPF_LINK_H
#define BPF_LIBBPF_LINK_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_link;
struct bpf_map;
struct bpf_program;

/*
 * The link that is pinned at a path of a BPF file system; NULL with errno set if there is none.
 * The host needs the grant pin=PATH.
 */
LIBBPF_API struct bpf_link *bpf_link__open(const char *path);

/*
 * The descriptor of the link, which stays the link's own: a number inside the guest. It is good for bpf_link_update, bpf_iter_create,
 * bpf_link_get_info_by_fd and their kin.
 */
LIBBPF_API int bpf_link__fd(const struct bpf_link *link);

/* Where the link is pinned; NULL if it was not pinned by bpf_link__pin or opened by bpf_link__open. */
LIBBPF_API const char *bpf_link__pin_path(const struct bpf_link *link);

/*
 * Gives the link a name in a BPF file system, which keeps the program attached when this program has ended.
 * The host needs the grant pin=PATH.
 */
LIBBPF_API int bpf_link__pin(struct bpf_link *link, const char *path);

/* Takes away the name that the link was pinned at; -EINVAL if it is not pinned. */
LIBBPF_API int bpf_link__unpin(struct bpf_link *link);

/* Puts another program of the same kind in the place of the one that is attached, without a gap. */
LIBBPF_API int bpf_link__update_program(struct bpf_link *link, struct bpf_program *prog);

/* Puts the operations of another struct_ops map in the place of those that are registered, without a gap. */
LIBBPF_API int bpf_link__update_map(struct bpf_link *link, const struct bpf_map *map);

/*
 * Has bpf_link__destroy free the memory alone: the program stays attached, and the descriptor open.
 * As for a process: what is attached so ends when the component does, unless it is pinned.
 */
LIBBPF_API void bpf_link__disconnect(struct bpf_link *link);

/*
 * Detaches the program and keeps the link, which attaches nothing any more.
 * -EOPNOTSUPP for kinds that the kernel detaches only with the last descriptor: tracing, perf events, probes, iterators.
 */
LIBBPF_API int bpf_link__detach(struct bpf_link *link);

/* Detaches the program, unless the link is pinned or disconnected, and frees the link. NULL is accepted. */
LIBBPF_API int bpf_link__destroy(struct bpf_link *link);

#ifdef __cplusplus
}
#endif

#endif
