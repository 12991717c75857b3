// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "give.h"

#include <string.h>

#include "../errors.h"

int wb_give(void *info, __u32 *room, const void *known, size_t size)
{
	const unsigned char *bytes = info;

	for (size_t i = size; i < *room; i++) {
		if (bytes[i])
			return wb_refuse(E2BIG, "the struct for what is asked has %u bytes, and not only 0 where nothing is known here",
					 *room);
	}
	if (*room > size)
		*room = size;
	memcpy(info, known, *room);
	return 0;
}

int wb_give_text(uint64_t buffer, uint32_t room, const wasm_bpf_string_t *text)
{
	char *to = (char *)(uintptr_t)buffer;
	size_t length = text->len;

	if (!to != !room)
		return wb_refuse(EINVAL, "a buffer of %u bytes at %#llx for a name", room, (unsigned long long)buffer);
	if (!to)
		return 0;
	if (length >= room)
		length = room - 1;
	memcpy(to, text->ptr, length);
	to[length] = 0;
	return length < text->len ? wb_refuse(ENOSPC, "a buffer of %u bytes for a name of %zu", room, text->len) : 0;
}

void wb_give_name(char name[16], wasm_bpf_string_t *text)
{
	size_t length = text->len < 15 ? text->len : 15;

	memcpy(name, text->ptr, length);
	name[length] = 0;
	wasm_bpf_string_free(text);
}
