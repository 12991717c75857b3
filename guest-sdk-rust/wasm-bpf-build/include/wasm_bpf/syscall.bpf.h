/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls in the raw tracepoints sys_enter and sys_exit, on every
 * architecture with one object.
 *
 * bpf_tracing.h decides at compile time where a call's arguments are. The
 * functions here leave that to CO-RE, when the object is loaded: each
 * architecture's registers have a field that no other architecture has, and the
 * kernel's verifier drops the branches of the others.
 *
 *	SEC("raw_tp/sys_enter")
 *	int on_enter(struct bpf_raw_tracepoint_args *ctx)
 *	{
 *		void *registers = (void *)ctx->args[0];
 *		__u64 number = ctx->args[1], arguments[6];
 *
 *		if (wasm_bpf_is_32_bit(registers))
 *			return 0;
 *		wasm_bpf_syscall_arguments(registers, arguments);
 *		...
 *	}
 *
 * Include "vmlinux.h" or <linux/bpf.h> before this file.
 */
#ifndef __WASM_BPF_SYSCALL_BPF_H
#define __WASM_BPF_SYSCALL_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * What follows ___ is not part of the name that CO-RE looks for.
 */
struct pt_regs___wasm_bpf_x86_64 {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long r10;
	unsigned long r8;
	unsigned long r9;
} __attribute__((preserve_access_index));

struct pt_regs___wasm_bpf_arm64 {
	__u64 regs[31];
	__u64 pstate;
	__u64 orig_x0;
} __attribute__((preserve_access_index));

struct pt_regs___wasm_bpf_riscv64 {
	unsigned long status;
	unsigned long a1;
	unsigned long a2;
	unsigned long a3;
	unsigned long a4;
	unsigned long a5;
	unsigned long orig_a0;
} __attribute__((preserve_access_index));

struct thread_info___wasm_bpf_x86_64 {
	__u32 status;
} __attribute__((preserve_access_index));

struct task_struct___wasm_bpf_x86_64 {
	struct thread_info___wasm_bpf_x86_64 thread_info;
} __attribute__((preserve_access_index));

/* Of which architecture the running kernel is. */
#define WASM_BPF_IS_X86_64 bpf_core_field_exists(struct pt_regs___wasm_bpf_x86_64, di)
#define WASM_BPF_IS_ARM64 bpf_core_field_exists(struct pt_regs___wasm_bpf_arm64, orig_x0)
#define WASM_BPF_IS_RISCV64 bpf_core_field_exists(struct pt_regs___wasm_bpf_riscv64, a1)

/* How 32-bit processes are known: x86-64's TS_COMPAT, arm64's PSR_MODE32_BIT, riscv64's SR_UXL. */
#define __WASM_BPF_X86_64_COMPAT 2
#define __WASM_BPF_ARM64_32_BIT 0x10
#define __WASM_BPF_RISCV64_UXL 0x300000000
#define __WASM_BPF_RISCV64_UXL_32 0x100000000

/* Whether a call was made the 32-bit way, in which its number means another call. */
static __always_inline _Bool wasm_bpf_is_32_bit(void *registers)
{
	if (WASM_BPF_IS_X86_64) {
		struct task_struct___wasm_bpf_x86_64 *task = (void *)bpf_get_current_task();

		return BPF_CORE_READ(task, thread_info.status) & __WASM_BPF_X86_64_COMPAT;
	}
	if (WASM_BPF_IS_ARM64) {
		struct pt_regs___wasm_bpf_arm64 *regs = registers;

		return BPF_CORE_READ(regs, pstate) & __WASM_BPF_ARM64_32_BIT;
	}
	if (WASM_BPF_IS_RISCV64) {
		struct pt_regs___wasm_bpf_riscv64 *regs = registers;

		return (BPF_CORE_READ(regs, status) & __WASM_BPF_RISCV64_UXL) ==
		       __WASM_BPF_RISCV64_UXL_32;
	}
	return 0;
}

/* The arguments of a call that begins; zeros on an architecture that is not known here. */
static __always_inline void wasm_bpf_syscall_arguments(void *registers, __u64 arguments[6])
{
	if (WASM_BPF_IS_X86_64) {
		struct pt_regs___wasm_bpf_x86_64 *regs = registers;

		arguments[0] = BPF_CORE_READ(regs, di);
		arguments[1] = BPF_CORE_READ(regs, si);
		arguments[2] = BPF_CORE_READ(regs, dx);
		arguments[3] = BPF_CORE_READ(regs, r10);
		arguments[4] = BPF_CORE_READ(regs, r8);
		arguments[5] = BPF_CORE_READ(regs, r9);
	} else if (WASM_BPF_IS_ARM64) {
		struct pt_regs___wasm_bpf_arm64 *regs = registers;

		/* The first argument's register also takes the result. */
		arguments[0] = BPF_CORE_READ(regs, orig_x0);
		arguments[1] = BPF_CORE_READ(regs, regs[1]);
		arguments[2] = BPF_CORE_READ(regs, regs[2]);
		arguments[3] = BPF_CORE_READ(regs, regs[3]);
		arguments[4] = BPF_CORE_READ(regs, regs[4]);
		arguments[5] = BPF_CORE_READ(regs, regs[5]);
	} else if (WASM_BPF_IS_RISCV64) {
		struct pt_regs___wasm_bpf_riscv64 *regs = registers;

		arguments[0] = BPF_CORE_READ(regs, orig_a0);
		arguments[1] = BPF_CORE_READ(regs, a1);
		arguments[2] = BPF_CORE_READ(regs, a2);
		arguments[3] = BPF_CORE_READ(regs, a3);
		arguments[4] = BPF_CORE_READ(regs, a4);
		arguments[5] = BPF_CORE_READ(regs, a5);
	} else {
		__builtin_memset(arguments, 0, 6 * sizeof(*arguments));
	}
}

#endif /* __WASM_BPF_SYSCALL_BPF_H */
