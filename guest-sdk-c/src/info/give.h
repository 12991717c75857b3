// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the kernel hands out what it knows: structs of any size, and texts and arrays that the caller has room for.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "wasm_bpf.h"

// As much of the struct as the caller has room for; what the caller has beyond must be 0. 0, or -E2BIG.
int wb_give(void *info, __u32 *room, const void *known, size_t size);

// A text to the caller's buffer, with its end, cut if there is no room: -ENOSPC then. Neither buffer nor room: 0. One without the other:
// -EINVAL.
int wb_give_text(uint64_t buffer, uint32_t room, const wasm_bpf_string_t *text);

// Cut to 15 characters.
void wb_give_name(char name[16], wasm_bpf_string_t *text);
