// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the host calls: wasi:cli/run, of which an adapter would make the start of wasi-libc.
#include <stdint.h>

void _start(void);

__attribute__((export_name("wasi:cli/run@0.2.12#run"))) int32_t wb_run(void);
int32_t wb_run(void)
{
	_start();
	return 0;
}
