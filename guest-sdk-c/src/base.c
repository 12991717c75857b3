// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Version and errors: what needs no host.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

__u32 libbpf_major_version(void)
{
	return LIBBPF_MAJOR_VERSION;
}

__u32 libbpf_minor_version(void)
{
	return LIBBPF_MINOR_VERSION;
}

const char *libbpf_version_string(void)
{
	return "v" TEXT_OF(LIBBPF_MAJOR_VERSION) "." TEXT_OF(LIBBPF_MINOR_VERSION);
}

int libbpf_set_strict_mode(enum libbpf_strict_mode mode)
{
	(void)mode;
	return 0;
}

int libbpf_set_memlock_rlim(size_t memlock_bytes)
{
	(void)memlock_bytes;
	return 0;
}

long libbpf_get_error(const void *ptr)
{
	return ptr ? 0 : -errno;
}

static const char *const own_errors[] = {
	[LIBBPF_ERRNO__LIBELF - __LIBBPF_ERRNO__START] = "the ELF file cannot be read",
	[LIBBPF_ERRNO__FORMAT - __LIBBPF_ERRNO__START] = "not a BPF object, or a broken one",
	[LIBBPF_ERRNO__KVERSION - __LIBBPF_ERRNO__START] = "the section 'version' is wrong or missing",
	[LIBBPF_ERRNO__ENDIAN - __LIBBPF_ERRNO__START] = "the object has the other byte order",
	[LIBBPF_ERRNO__INTERNAL - __LIBBPF_ERRNO__START] = "an internal error of libbpf",
	[LIBBPF_ERRNO__RELOC - __LIBBPF_ERRNO__START] = "a relocation failed",
	[LIBBPF_ERRNO__LOAD - __LIBBPF_ERRNO__START] = "the program could not be loaded, for an unknown reason",
	[LIBBPF_ERRNO__VERIFY - __LIBBPF_ERRNO__START] = "the kernel's verifier rejected the program",
	[LIBBPF_ERRNO__PROG2BIG - __LIBBPF_ERRNO__START] = "the program is too large",
	[LIBBPF_ERRNO__KVER - __LIBBPF_ERRNO__START] = "the kernel has another version",
	[LIBBPF_ERRNO__PROGTYPE - __LIBBPF_ERRNO__START] = "the kernel does not have this kind of program",
	[LIBBPF_ERRNO__WRNGPID - __LIBBPF_ERRNO__START] = "a netlink message is for another process",
	[LIBBPF_ERRNO__INVSEQ - __LIBBPF_ERRNO__START] = "a netlink message is out of sequence",
	[LIBBPF_ERRNO__NLPARSE - __LIBBPF_ERRNO__START] = "a netlink message cannot be read",
};

int libbpf_strerror(int err, char *buf, size_t size)
{
	int number = abs(err), length, result = 0;

	if (!buf || !size) {
		errno = EINVAL;
		return -EINVAL;
	}
	if (number < __LIBBPF_ERRNO__START) {
		result = strerror_r(number, buf, size);
		buf[size - 1] = '\0';
	} else if (number < __LIBBPF_ERRNO__END) {
		length = snprintf(buf, size, "%s", own_errors[number - __LIBBPF_ERRNO__START]);
		result = (size_t)length >= size ? ERANGE : 0;
	} else {
		snprintf(buf, size, "unknown libbpf error %d", number);
		result = ENOENT;
	}
	if (result)
		errno = result;
	return -result;
}
