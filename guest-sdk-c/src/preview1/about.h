// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of files, for those that are open and those that have a path.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wasi/api.h>

#include "wasm_bpf.h"

void wb_fill_filestat(__wasi_filestat_t *to, const wasi_filesystem_types_descriptor_stat_t *from,
		      const wasi_filesystem_types_metadata_hash_value_t *hash);

// False: both a time and the present one are asked for.
bool wb_new_time(wasi_filesystem_types_new_timestamp_t *time, int64_t value, bool set, bool now);
