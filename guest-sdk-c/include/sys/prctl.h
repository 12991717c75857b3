/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SYS_PRCTL_H
#define WASM_BPF_SYS_PRCTL_H

#include <linux/prctl.h>

#include <wasm-bpf/platform.h>

WB_BEGIN

/* PR_SET_NAME and PR_GET_NAME keep a name that nobody but the guest sees; ENOSYS for all else. */
int prctl(int option, ...);

WB_END

#endif
