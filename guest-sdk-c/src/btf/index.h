// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds strings by their text. Only those who add to types make one; it brings the function that frees it, so that others do not carry
// this.
#pragma once

#include <stdint.h>

struct wb_btf_index {
	void (*free)(struct wb_btf_index *index);
	uint32_t *slots;         // offsets of strings plus one; 0: free
	uint32_t room, count;    // room is a power of two
};
