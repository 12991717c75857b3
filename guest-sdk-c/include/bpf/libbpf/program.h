/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs of an object. */
#ifndef BPF_LIBBPF_PROGRAM_H
#define BPF_LIBBPF_PROGRAM_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_program;
struct bpf_insn;

/* The function's name in the BPF source. */
LIBBPF_API const char *bpf_program__name(const struct bpf_program *prog);

/* The section that it is in, such as `tracepoint/sched/sched_switch`. */
LIBBPF_API const char *bpf_program__section_name(const struct bpf_program *prog);

/* Whether bpf_object__load loads it. */
LIBBPF_API bool bpf_program__autoload(const struct bpf_program *prog);

/* Sets that; -EINVAL after load. */
LIBBPF_API int bpf_program__set_autoload(struct bpf_program *prog, bool autoload);

/* Whether bpf_object__attach_skeleton attaches it. */
LIBBPF_API bool bpf_program__autoattach(const struct bpf_program *prog);

/* Sets that. */
LIBBPF_API void bpf_program__set_autoattach(struct bpf_program *prog, bool autoattach);

/* The instructions as the object has them: references to maps, variables and functions are not filled in, also after load. */
LIBBPF_API const struct bpf_insn *bpf_program__insns(const struct bpf_program *prog);

/* How many instructions those are. */
LIBBPF_API size_t bpf_program__insn_cnt(const struct bpf_program *prog);

/* The program's descriptor: -ENOENT before load, and if it was not loaded. */
LIBBPF_API int bpf_program__fd(const struct bpf_program *prog);

/* Pins it at a path of a BPF file system. */
LIBBPF_API int bpf_program__pin(struct bpf_program *prog, const char *path);

/* Removes that pin. */
LIBBPF_API int bpf_program__unpin(struct bpf_program *prog, const char *path);

/* Closes its descriptor. What uses the program, such as links, keeps it. */
LIBBPF_API void bpf_program__unload(struct bpf_program *prog);

/* The kind of program. */
LIBBPF_API enum bpf_prog_type bpf_program__type(const struct bpf_program *prog);

/* The same, by its name before 0.8. */
LIBBPF_API enum bpf_prog_type bpf_program__get_type(const struct bpf_program *prog);

/* Sets the kind of program; -EBUSY after load. */
LIBBPF_API int bpf_program__set_type(struct bpf_program *prog, enum bpf_prog_type type);

/* What the verifier is told that it will be attached as. */
LIBBPF_API enum bpf_attach_type bpf_program__expected_attach_type(const struct bpf_program *prog);

/* The same, by its name before 0.8. */
LIBBPF_API enum bpf_attach_type bpf_program__get_expected_attach_type(const struct bpf_program *prog);

/* Sets that; -EBUSY after load. */
LIBBPF_API int bpf_program__set_expected_attach_type(struct bpf_program *prog, enum bpf_attach_type type);

/* BPF_F_* for loading it that were set, or those that its section asks for. */
LIBBPF_API __u32 bpf_program__flags(const struct bpf_program *prog);

/* Sets those; -EBUSY after load. */
LIBBPF_API int bpf_program__set_flags(struct bpf_program *prog, __u32 flags);

/* What the verifier's log has: 0 to 7. */
LIBBPF_API __u32 bpf_program__log_level(const struct bpf_program *prog);

/*
 * Sets that; -EBUSY after load. The host takes a level when the object is opened (kernel_log_level): this one changes what the getter
 * says, no more.
 */
LIBBPF_API int bpf_program__set_log_level(struct bpf_program *prog, __u32 log_level);

/* The buffer that was set with bpf_program__set_log_buf. */
LIBBPF_API const char *bpf_program__log_buf(const struct bpf_program *prog, size_t *log_size);

/*
 * Asks for the verifier's log in a buffer; -EBUSY after load. It is filled when the load fails because of this program, with the end of
 * the log, 64 KiB at most. Of programs that load, the host shows the log itself (wasm-bpf run -vv).
 */
LIBBPF_API int bpf_program__set_log_buf(struct bpf_program *prog, char *log_buf, size_t log_size);

/*
 * Sets what a program of types is for: a function or hook of the kernel, or (with a descriptor) a function of another program. -EINVAL
 * after load or without a name, -ENOENT or -ESRCH if there is no such target.
 */
LIBBPF_API int bpf_program__set_attach_target(struct bpf_program *prog, int attach_prog_fd, const char *attach_func_name);

/*
 * For programs that the hardware of a network interface runs, which no host offers: other numbers than 0 make the load fail with
 * EOPNOTSUPP.
 */
LIBBPF_API void bpf_program__set_ifindex(struct bpf_program *prog, __u32 ifindex);

#ifdef __cplusplus
}
#endif

#endif
