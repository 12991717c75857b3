/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SYS_UTSNAME_H
#define WASM_BPF_SYS_UTSNAME_H

#include <wasm-bpf/platform.h>
#include_next <sys/utsname.h>

WB_BEGIN

/* The kernel's release and machine. Its version and the host's name, if --dir /proc gives them; else "" and "localhost". */
int uname(struct utsname *names) WB_CALLS(wb_uname);

WB_END

#endif
