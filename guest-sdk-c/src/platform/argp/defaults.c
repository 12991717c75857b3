// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What programs define if they want; these are for those that do not.
#include <argp.h>
#include <sysexits.h>

__attribute__((weak)) const char *argp_program_version;
__attribute__((weak)) void (*argp_program_version_hook)(FILE *stream, struct argp_state *state);
__attribute__((weak)) const char *argp_program_bug_address;
__attribute__((weak)) error_t argp_err_exit_status = EX_USAGE;
