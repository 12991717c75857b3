// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// For those who add to a struct btf.
#pragma once

#include "btf.h"

// Makes types and strings memory of their own, which may grow, and forgets what was made of them. 0, or -ENOMEM.
int wb_btf_change(struct btf *btf);

// Room for so many bytes more of types. 0, -ENOMEM, or -E2BIG.
int wb_btf_reserve(struct btf *btf, uint32_t types, uint32_t count);

// Takes the bytes behind the types, which are a type now: its id.
int wb_btf_commit(struct btf *btf, uint32_t size);

// Takes back strings, to as many bytes as there were.
void wb_btf_forget_strings(struct btf *btf, uint32_t size);

// The offset of a name, which is added; 0 for NULL. Negative: an errno.
int wb_btf_add_name(struct btf *btf, const char *name);
