// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>

int prctl(int option, ...)
{
	static char name[16] = "wasm-bpf";
	va_list list;
	char *text;

	if (option != PR_SET_NAME && option != PR_GET_NAME) {
		errno = ENOSYS;
		return -1;
	}
	va_start(list, option);
	text = va_arg(list, char *);
	va_end(list);
	if (option == PR_GET_NAME)
		memcpy(text, name, sizeof(name));
	else
		strncpy(name, text, sizeof(name) - 1);
	return 0;
}
