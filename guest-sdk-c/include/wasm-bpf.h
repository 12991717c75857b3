/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What C guests have beside libbpf's API. */
#ifndef WASM_BPF_H
#define WASM_BPF_H

#ifdef __cplusplus
extern "C" {
#endif

/* Why the last call of the library failed, in more words than errno has. Valid until the next failure. */
struct wasm_bpf_error {
	int error_number;         /* positive, as in errno */
	const char *kind;         /* the case of wasm-bpf:bpf/types.error-code: "not-granted", "rejected-by-verifier", ... */
	const char *message;      /* what failed, on what, why, and what to do about it; "" if the call gives no more than its case */
	const char *subject;      /* the program, map or section concerned; NULL if there is none */
	const char *verifier_log; /* the end of the verifier's log; NULL if there is none */
};

/* NULL if nothing has failed yet. */
const struct wasm_bpf_error *wasm_bpf_last_error(void);

/* Whether a stop was asked for (Ctrl-C, SIGTERM, or who embeds the host). Once true, it stays so. */
int wasm_bpf_stop_requested(void);

#ifdef __cplusplus
}
#endif

#endif
