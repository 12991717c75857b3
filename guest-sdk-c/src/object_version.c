// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include "elf_file.h"
#include "errors.h"
#include "object.h"

unsigned int bpf_object__kversion(const struct bpf_object *object)
{
	uint32_t version = 0;
	const void *section;
	size_t length;

	if (!object)
		return 0;
	if (object->has_kernel_version)
		return object->kernel_version;
	section = wb_elf_section(object->elf, object->elf_size, "version", &length);
	if (section && length == sizeof(version))
		memcpy(&version, section, sizeof(version));
	return version;
}

int bpf_object__set_kversion(struct bpf_object *object, __u32 version)
{
	if (object->loaded)
		return wb_refuse(EINVAL, "version: object '%s' is loaded", object->name);
	object->kernel_version = version;
	object->has_kernel_version = true;
	return 0;
}

int bpf_object__token_fd(const struct bpf_object *object)
{
	(void)object;
	return -1;
}

int bpf_object__btf_fd(const struct bpf_object *object)
{
	(void)object;
	return -1;
}
