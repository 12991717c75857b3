// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The machine that the guest runs on.
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/proc.h"
#include "wasm_bpf.h"

static void put(char *out, size_t room, wasm_bpf_string_t *text)
{
	size_t length = text->len < room - 1 ? text->len : room - 1;

	memcpy(out, text->ptr, length);
	out[length] = 0;
	wasm_bpf_string_free(text);
}

int gethostname(char *name, size_t size)
{
	char text[65];

	if (!wb_read_line("/proc/sys/kernel/hostname", text, sizeof(text)))
		strcpy(text, "localhost");
	if (strlen(text) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(name, text);
	return 0;
}

int uname(struct utsname *names)
{
	wasm_bpf_string_t text;

	memset(names, 0, sizeof(*names));
	strcpy(names->sysname, "Linux");
	gethostname(names->nodename, sizeof(names->nodename));
	wasm_bpf_bpf_features_release(&text);
	put(names->release, sizeof(names->release), &text);
	wasm_bpf_bpf_features_machine(&text);
	put(names->machine, sizeof(names->machine), &text);
	wb_read_line("/proc/sys/kernel/version", names->version, sizeof(names->version));
	return 0;
}
