// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The exit code of the program: wasi-libc tells the host only whether it is 0.
#include <stdlib.h>

#include "wasm_bpf.h"

// All ways out end here: exit() and a return from main after the functions of atexit() ran and stdio was flushed, _exit() and _Exit() at once.
_Noreturn void __wrap___wasi_proc_exit(unsigned int code);
_Noreturn void __wrap___wasi_proc_exit(unsigned int code)
{
	wasi_cli_exit_exit_with_code(code);
	__builtin_trap();
}
