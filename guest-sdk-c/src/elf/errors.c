// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "elf/elf.h"

static enum wb_elf_error last;

void *wb_elf_fail(enum wb_elf_error error)
{
	last = error;
	return NULL;
}

int elf_errno(void)
{
	int error = last;

	last = WB_ELF_OK;
	return error;
}

const char *elf_errmsg(int error)
{
	static const char *const texts[] = {
		"no error", "out of memory", "the file cannot be read", "the file is broken", "the file is of a big-endian machine",
		"only reading is possible", "unknown version", "there is nothing of this number", "the section has no strings",
		"the file is of another class",
	};

	if (error == 0 && last == WB_ELF_OK)
		return NULL;
	if (error == 0 || error == -1) {
		error = last;
		last = WB_ELF_OK;
	}
	return error >= 0 && error < (int)(sizeof(texts) / sizeof(texts[0])) ? texts[error] : "unknown error";
}

unsigned int elf_version(unsigned int version)
{
	if (version == EV_NONE || version == EV_CURRENT)
		return EV_CURRENT;
	wb_elf_fail(WB_ELF_VERSION);
	return EV_NONE;
}
