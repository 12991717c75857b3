// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All of a struct btf as bytes again.
#include <stdlib.h>
#include <string.h>

#include "btf.h"

static uint8_t *make(const struct btf *btf, bool swapped, uint32_t *size)
{
	uint8_t *raw, *types;

	*size = sizeof(struct btf_header) + btf->types_size + btf->strings_size;
	raw = malloc(*size);
	if (!raw)
		return wb_null(-ENOMEM);
	*(struct btf_header *)raw = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(struct btf_header),
		.type_len = btf->types_size,
		.str_off = btf->types_size,
		.str_len = btf->strings_size,
	};
	types = raw + sizeof(struct btf_header);
	memcpy(types, btf->types, btf->types_size);
	memcpy(types + btf->types_size, btf->strings, btf->strings_size);
	if (swapped) {
		wb_btf_swap_header((struct btf_header *)raw);
		wb_btf_swap_words(types, btf->types_size / 4);
	}
	return raw;
}

const void *btf__raw_data(const struct btf *btf, __u32 *size)
{
	// What it keeps for itself does not count as a change.
	struct btf *own = (struct btf *)btf;

	if (btf->swapped) {
		if (!own->raw_swapped)
			own->raw_swapped = make(btf, true, &own->swapped_size);
		*size = own->swapped_size;
		return own->raw_swapped;
	}
	if (!own->raw)
		own->raw = make(btf, false, &own->raw_size);
	*size = own->raw_size;
	return own->raw;
}

enum btf_endianness btf__endianness(const struct btf *btf)
{
	return btf->swapped ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN;
}

int btf__set_endianness(struct btf *btf, enum btf_endianness endian)
{
	if (endian != BTF_LITTLE_ENDIAN && endian != BTF_BIG_ENDIAN)
		return wb_refuse(EINVAL, "no byte order: %d", (int)endian);
	btf->swapped = endian == BTF_BIG_ENDIAN;
	return 0;
}
