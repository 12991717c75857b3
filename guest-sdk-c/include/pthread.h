/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A guest has one thread. Locks and the like are wasi-libc's, which need not wait; a second thread cannot be made. */
#ifndef WASM_BPF_PTHREAD_H
#define WASM_BPF_PTHREAD_H

#include <sched.h>

#include <wasm-bpf/platform.h>

#define pthread_setname_np wb_hidden_pthread_setname_np
#include_next <pthread.h>
#undef pthread_setname_np
#undef pthread_create
#undef pthread_detach
#undef pthread_join

WB_BEGIN

int pthread_create(pthread_t *__restrict thread, const pthread_attr_t *__restrict attributes, void *(*start)(void *),
	void *__restrict argument)
	WB_CALLS(wb_pthread_create) WB_CANNOT("a WebAssembly guest has one thread: fails with ENOSYS");
/* There is no other thread: ESRCH. */
int pthread_join(pthread_t thread, void **result) WB_CALLS(wb_pthread_join);
int pthread_detach(pthread_t thread) WB_CALLS(wb_pthread_detach);
/* Of the thread itself: as prctl(PR_SET_NAME). */
int pthread_setname_np(pthread_t thread, const char *name);

WB_END

#endif
