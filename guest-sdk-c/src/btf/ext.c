// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The section .BTF.ext: tables of records for each section of code. All of it after the beginning of its header is words.
#include <stdlib.h>
#include <string.h>

#include "btf.h"

enum { FUNCTIONS, LINES, RELOCATIONS, TABLES };

struct header {
	__u16 magic;
	__u8 version, flags;
	__u32 size;
	struct {
		__u32 offset, size; // from the end of the header
	} tables[TABLES];           // old ones have no relocations
};

// The fewest bytes of a record of each table.
static const uint8_t records[TABLES] = { 8, 16, 16 };

struct btf_ext {
	uint8_t *data;           // in the guest's byte order
	uint32_t size;
	uint8_t *data_swapped;
	bool swapped;
};

static uint32_t word_at(const uint8_t *data, bool swapped)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return swapped ? __builtin_bswap32(word) : word;
}

static struct header header_of(const uint8_t *data)
{
	struct header header = {};
	const uint32_t size = word_at(data + offsetof(struct header, size), false);

	memcpy(&header, data, size < sizeof(header) ? size : sizeof(header));
	return header;
}

static int check_table(const uint8_t *table, uint32_t size, int which, bool swapped)
{
	static const char *const names[TABLES] = { "functions", "lines", "relocations" };
	uint32_t record, at = sizeof(uint32_t);

	if (size < at)
		return wb_refuse(EINVAL, "BTF.ext: the table of %s is cut off", names[which]);
	record = word_at(table, swapped);
	if (record < records[which] || record % 4)
		return wb_refuse(EINVAL, "BTF.ext: a record of %s has %u bytes", names[which], record);
	// Fields that are not known may be other than words.
	if (swapped && record != records[which])
		return wb_refuse(EINVAL, "BTF.ext: records of %s with %u bytes in another byte order", names[which], record);
	if (at == size)
		return wb_refuse(EINVAL, "BTF.ext: the table of %s is empty", names[which]);
	while (at < size) {
		uint32_t count;

		if (size - at < 2 * sizeof(uint32_t))
			return wb_refuse(EINVAL, "BTF.ext: the table of %s is cut off", names[which]);
		count = word_at(table + at + sizeof(uint32_t), swapped);
		at += 2 * sizeof(uint32_t);
		if (!count || (uint64_t)count * record > size - at)
			return wb_refuse(EINVAL, "BTF.ext: %u records of %s in %u bytes", count, names[which], size - at);
		at += count * record;
	}
	return 0;
}

// The header in the guest's order, and tables in either.
static int check_tables(const struct btf_ext *ext, bool swapped)
{
	const struct header header = header_of(ext->data);
	const uint32_t rest = ext->size - header.size;

	for (int i = 0; i < TABLES; i++) {
		const uint32_t offset = header.tables[i].offset, size = header.tables[i].size;
		int err;

		if (!size)
			continue;
		if (offset % 4 || offset > rest || size > rest - offset)
			return wb_refuse(EINVAL, "BTF.ext: %u bytes at %u are not inside", size, offset);
		err = check_table(ext->data + header.size + offset, size, i, swapped);
		if (err)
			return err;
	}
	return 0;
}

static void swap_header(uint8_t *data, uint32_t size)
{
	uint16_t magic;

	memcpy(&magic, data, sizeof(magic));
	magic = __builtin_bswap16(magic);
	memcpy(data, &magic, sizeof(magic));
	wb_btf_swap_words(data + 4, ((size < sizeof(struct header) ? size : sizeof(struct header)) - 4) / 4);
}

// Of a header in the guest's order.
static void swap_tables(uint8_t *data)
{
	const struct header header = header_of(data);

	for (int i = 0; i < TABLES; i++)
		wb_btf_swap_words(data + header.size + header.tables[i].offset, header.tables[i].size / 4);
}

static int read_ext(struct btf_ext *ext)
{
	uint32_t size;
	bool swapped;
	uint16_t magic;
	int err;

	if (ext->size < offsetof(struct header, tables))
		return wb_refuse(EINVAL, "BTF.ext: %u bytes are less than a header", ext->size);
	memcpy(&magic, ext->data, sizeof(magic));
	swapped = magic == (uint16_t)__builtin_bswap16(BTF_MAGIC);
	if (!swapped && magic != BTF_MAGIC)
		return wb_refuse(EINVAL, "BTF.ext: it begins with %#x, not with %#x", magic, BTF_MAGIC);
	if (ext->data[2] != BTF_VERSION || ext->data[3])
		return wb_refuse(ENOTSUP, "BTF.ext: version %u with flags %#x", ext->data[2], ext->data[3]);
	size = word_at(ext->data + offsetof(struct header, size), swapped);
	if (size < offsetof(struct header, tables[RELOCATIONS]) || size % 4 || size >= ext->size)
		return wb_refuse(EINVAL, "BTF.ext: a header of %u bytes in %u", size, ext->size);
	if (swapped)
		swap_header(ext->data, size);
	err = check_tables(ext, swapped);
	if (err)
		return err;
	if (swapped)
		swap_tables(ext->data);
	ext->swapped = swapped;
	return 0;
}

struct btf_ext *btf_ext__new(const __u8 *data, __u32 size)
{
	struct btf_ext *ext = calloc(1, sizeof(*ext));
	int err = -ENOMEM;

	if (!ext)
		return wb_null(-ENOMEM);
	ext->data = malloc(size ? size : 1);
	if (ext->data) {
		memcpy(ext->data, data, size);
		ext->size = size;
		err = read_ext(ext);
	}
	if (err) {
		btf_ext__free(ext);
		return wb_null(err);
	}
	return ext;
}

void btf_ext__free(struct btf_ext *ext)
{
	if (!ext)
		return;
	free(ext->data);
	free(ext->data_swapped);
	free(ext);
}

const void *btf_ext__raw_data(const struct btf_ext *ext, __u32 *size)
{
	// That it is kept is no change.
	struct btf_ext *own = (struct btf_ext *)ext;

	*size = ext->size;
	if (!ext->swapped)
		return ext->data;
	if (!own->data_swapped) {
		own->data_swapped = malloc(ext->size);
		if (!own->data_swapped)
			return wb_null(-ENOMEM);
		memcpy(own->data_swapped, ext->data, ext->size);
		swap_tables(own->data_swapped);
		swap_header(own->data_swapped, word_at(ext->data + offsetof(struct header, size), false));
	}
	return own->data_swapped;
}

enum btf_endianness btf_ext__endianness(const struct btf_ext *ext)
{
	return ext->swapped ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN;
}

int btf_ext__set_endianness(struct btf_ext *ext, enum btf_endianness endian)
{
	if (endian != BTF_LITTLE_ENDIAN && endian != BTF_BIG_ENDIAN)
		return wb_refuse(EINVAL, "no byte order: %d", (int)endian);
	ext->swapped = endian == BTF_BIG_ENDIAN;
	return 0;
}
