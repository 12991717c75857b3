// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program with a function that others take the place of, or observe. Those are off until a case switches them on.
#include "trigger.h"

__u64 answered = 0;
__u64 calls = 0;
__u64 observed = 0;
__u64 last_result = 0;

// Global, and not inlined: so it can be replaced.
__attribute__((noinline)) int answer(int question)
{
	asm volatile("" : "+r"(question));
	return question;
}

SEC("?raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx)) {
		answered = 10 + answer(1);
		calls++;
	}
	return 0;
}

// The verifier wants of it what it wants of the whole program.
SEC("?freplace/answer")
int other_answer(int question)
{
	return 0;
}

SEC("?freplace/answer")
int third_answer(int question)
{
	return 0;
}

SEC("?freplace/answer")
int of_other_types(int question, int more)
{
	return 0;
}

// What a function of a program is called with, and what it returns.
SEC("?fexit/answer")
int observes(__u64 *ctx)
{
	observed++;
	last_result = ctx[0] * 100 + ctx[1];
	return 0;
}

// The program as a whole.
SEC("?fentry/on_enter")
int observes_program(__u64 *ctx)
{
	observed++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
