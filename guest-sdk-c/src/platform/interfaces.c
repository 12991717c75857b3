// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Network interfaces by name and number.
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "object.h"

unsigned int if_nametoindex(const char *name)
{
	wasm_bpf_string_t text = wb_string(name);
	uint32_t index;

	if (wasm_bpf_bpf_features_interface_index(&text, &index))
		return index;
	errno = ENODEV;
	return 0;
}

char *if_indextoname(unsigned int index, char *name)
{
	wasm_bpf_string_t text;
	size_t length;

	if (!wasm_bpf_bpf_features_interface_name(index, &text)) {
		errno = ENXIO;
		return NULL;
	}
	// The kernel's names are never longer.
	length = text.len < IF_NAMESIZE ? text.len : IF_NAMESIZE - 1;
	memcpy(name, text.ptr, length);
	name[length] = 0;
	wasm_bpf_string_free(&text);
	return name;
}

struct if_nameindex *if_nameindex(void)
{
	wasm_bpf_bpf_features_list_network_interface_t found;
	wasm_bpf_bpf_types_error_code_t code;
	struct if_nameindex *list;
	size_t room = 0;
	char *names;

	if (!wasm_bpf_bpf_features_network_interfaces(&found, &code)) {
		wb_fail_code(&code);
		return NULL;
	}
	for (size_t i = 0; i < found.len; i++)
		room += found.ptr[i].name.len + 1;
	list = malloc((found.len + 1) * sizeof(*list) + room);
	if (list) {
		names = (char *)(list + found.len + 1);
		for (size_t i = 0; i < found.len; i++) {
			list[i].if_index = found.ptr[i].index;
			list[i].if_name = names;
			memcpy(names, found.ptr[i].name.ptr, found.ptr[i].name.len);
			names += found.ptr[i].name.len;
			*names++ = 0;
		}
		list[found.len] = (struct if_nameindex){ 0 };
	} else {
		errno = ENOMEM;
	}
	wasm_bpf_bpf_features_list_network_interface_free(&found);
	return list;
}

void if_freenameindex(struct if_nameindex *list)
{
	free(list);
}
