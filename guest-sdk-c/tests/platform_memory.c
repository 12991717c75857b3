// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mmap(): memory, files, and arrays of BPF whose copy is written before calls and read after them.
// needs: --dir /etc
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "check.h"

#define CHECK_NO_MAP(call, number) \
	do { \
		errno = 0; \
		CHECK((call) == MAP_FAILED); \
		CHECK_IS(errno, number); \
	} while (0)

static void test_memory(void)
{
	const size_t size = 10000;
	unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	CHECK(!((uintptr_t)memory % 4096));
	for (size_t i = 0; i < size; i++)
		CHECK(!memory[i]);
	memset(memory, 1, size);
	CHECK_IS(mprotect(memory, size, PROT_READ | PROT_WRITE), 0);
	errno = 0;
	CHECK_IS(mprotect(memory, size, PROT_READ), -1);
	CHECK_IS(errno, EOPNOTSUPP);
	CHECK_IS(madvise(memory, size, MADV_DONTNEED), 0);
	CHECK_IS(mlock(memory, size), 0);
	CHECK_IS(munmap(memory, size), 0);
	errno = 0;
	CHECK_IS(munmap(memory, size), -1);
	CHECK_IS(errno, EINVAL);
	CHECK_NO_MAP(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_NO_MAP(mmap(NULL, 1, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_NO_MAP(mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EOPNOTSUPP);
	CHECK_NO_MAP(mmap((void *)4096, 1, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EOPNOTSUPP);
	CHECK_NO_MAP(mmap(NULL, SIZE_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
}

static void test_file(void)
{
	int fd = open("/etc/passwd", O_RDONLY);
	struct stat status;
	char *memory, *copy;

	CHECK_IS(fstat(fd, &status), 0);
	copy = malloc(status.st_size);
	CHECK_IS(read(fd, copy, status.st_size), status.st_size);
	memory = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(!memcmp(memory, copy, status.st_size));
	CHECK_IS(munmap(memory, status.st_size), 0);
	free(copy);
	CHECK_NO_MAP(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EOPNOTSUPP);
	CHECK_NO_MAP(mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 1), EINVAL);
	CHECK_IS(close(fd), 0);
	CHECK_NO_MAP(mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0), EBADF);
}

static void test_array(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, mappable, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "counts", sizeof(__u32), sizeof(__u32), 600, &mappable), plain;
	__u32 key = 5, value = 50;
	__u64 *values;

	CHECK(fd >= 0);
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, 0), 0);
	// Each value begins at a multiple of 8 bytes.
	values = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(values != MAP_FAILED);
	CHECK_IS(values[5], 50);
	value = 51;
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, 0), 0);
	CHECK_IS(values[5], 51);
	values[599] = 7;
	key = 599;
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);
	CHECK_IS(value, 7);
	values[0] = 1;
	CHECK_IS(munmap(values, 8192), 0);
	key = 0;
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);
	CHECK_IS(value, 1);
	CHECK_NO_MAP(mmap(NULL, 8193, PROT_READ, MAP_SHARED, fd, 0), EPERM);
	CHECK_NO_MAP(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096), EINVAL);
	CHECK_NO_MAP(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), EINVAL);
	CHECK_IS(close(fd), 0);
	CHECK_NO_MAP(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), EBADF);
	plain = bpf_map_create(BPF_MAP_TYPE_ARRAY, "plain", sizeof(__u32), sizeof(__u32), 1, NULL);
	CHECK(plain >= 0);
	CHECK_NO_MAP(mmap(NULL, 4096, PROT_READ, MAP_SHARED, plain, 0), EOPNOTSUPP);
	CHECK_IS(close(plain), 0);
}

int main(void)
{
	test_memory();
	test_file();
	test_array();
	return 0;
}
