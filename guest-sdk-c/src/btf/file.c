// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of files: BTF as it is, and ELF files that have it in a section.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "btf.h"
#include "elf.h"

#define KERNEL_FOLDER "/sys/kernel/btf/"

// Whole files: those of the kernel may not tell their size.
static int read_all(int fd, void **data, size_t *size)
{
	size_t room = 0;

	*data = NULL;
	*size = 0;
	for (;;) {
		ssize_t got;

		if (*size == room) {
			void *moved;

			room = room ? room * 2 : 1 << 16;
			moved = realloc(*data, room);
			if (!moved)
				return -ENOMEM;
			*data = moved;
		}
		got = read(fd, (char *)*data + *size, room - *size);
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		*size += got;
	}
}

static int is_btf(int fd)
{
	uint16_t magic;

	if (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		return -EIO;
	return magic == BTF_MAGIC || magic == (uint16_t)__builtin_bswap16(BTF_MAGIC) ? 0 : -EPROTO;
}

static struct btf *raw_of(int fd, struct btf *base)
{
	size_t size;
	void *data;
	int err;

	err = is_btf(fd);
	if (err)
		return wb_null(err);
	err = read_all(fd, &data, &size);
	if (err) {
		free(data);
		return wb_null(err);
	}
	return wb_btf_take(data, size, base);
}

static int open_file(const char *path)
{
	int fd;

	if (!path)
		return wb_refuse(EINVAL, "no path of a file with types");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct btf *btf__parse_raw_split(const char *path, struct btf *base)
{
	const int fd = open_file(path);
	struct btf *btf;
	int error;

	// Nobody has to give the folder of what the host has anyway.
	if (fd < 0 && path && !strncmp(path, KERNEL_FOLDER, strlen(KERNEL_FOLDER)))
		return wb_btf_of_kernel(path + strlen(KERNEL_FOLDER), base);
	if (fd < 0)
		return wb_null(fd);
	btf = raw_of(fd, base);
	error = errno;
	close(fd);
	errno = error;
	return btf;
}

struct btf *btf__parse_raw(const char *path)
{
	return btf__parse_raw_split(path, NULL);
}

// The types of a section; none, and no error, if there is no such section.
static int read_types(const struct wb_elf_sections *sections, const char *name, struct btf *base, struct btf **btf)
{
	size_t size;
	void *data;
	int err;

	*btf = NULL;
	err = wb_elf_read_section(sections, name, &data, &size);
	if (err || !size)
		return err;
	*btf = wb_btf_take(data, size, base);
	return *btf ? 0 : -errno;
}

static int read_ext(const struct wb_elf_sections *sections, struct btf_ext **ext)
{
	size_t size;
	void *data;
	int err;

	err = wb_elf_read_section(sections, BTF_EXT_ELF_SEC, &data, &size);
	if (err || !size)
		return err;
	*ext = btf_ext__new(data, size);
	err = *ext ? 0 : -errno;
	free(data);
	return err;
}

static int elf_of(int fd, struct btf *base, struct btf_ext **ext, struct btf **btf)
{
	struct wb_elf_sections sections;
	struct btf *own_base = NULL;
	int err;

	*btf = NULL;
	err = wb_elf_sections(fd, &sections);
	if (!err)
		err = read_types(&sections, BTF_BASE_ELF_SEC, NULL, &own_base);
	if (!err && own_base && base)
		err = wb_refuse(ENOTSUP, "the types of the file continue those of its section %s", BTF_BASE_ELF_SEC);
	if (!err)
		err = read_types(&sections, BTF_ELF_SEC, own_base ? own_base : base, btf);
	if (!err && !*btf)
		err = wb_refuse(ENODATA, "the ELF file has no section %s", BTF_ELF_SEC);
	if (!err && ext)
		err = read_ext(&sections, ext);
	if (err) {
		btf__free(*btf);
		btf__free(own_base);
		return err;
	}
	(*btf)->owns_base = own_base;
	(*btf)->pointer_size = 8;
	return 0;
}

static struct btf *parse_elf(const char *path, struct btf *base, struct btf_ext **ext)
{
	const int fd = open_file(path);
	struct btf *btf;
	int err;

	if (fd < 0)
		return wb_null(fd);
	err = elf_of(fd, base, ext, &btf);
	close(fd);
	return err ? wb_null(err) : btf;
}

struct btf *btf__parse_elf_split(const char *path, struct btf *base)
{
	return parse_elf(path, base, NULL);
}

struct btf *btf__parse_elf(const char *path, struct btf_ext **ext)
{
	if (ext)
		*ext = NULL;
	return parse_elf(path, NULL, ext);
}

static struct btf *parse(const char *path, struct btf *base, struct btf_ext **ext)
{
	struct btf *btf = btf__parse_raw_split(path, base);

	return btf || errno != EPROTO ? btf : parse_elf(path, base, ext);
}

struct btf *btf__parse_split(const char *path, struct btf *base)
{
	return parse(path, base, NULL);
}

struct btf *btf__parse(const char *path, struct btf_ext **ext)
{
	if (ext)
		*ext = NULL;
	return parse(path, NULL, ext);
}
