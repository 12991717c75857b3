/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Network interfaces of the host's network namespace, by name and number. */
#ifndef WASM_BPF_NET_IF_H
#define WASM_BPF_NET_IF_H

#include <sys/socket.h>

#include <linux/if.h>

#include <wasm-bpf/platform.h>

#define IF_NAMESIZE IFNAMSIZ

WB_BEGIN

struct if_nameindex {
	unsigned int if_index;
	char *if_name;
};

unsigned int if_nametoindex(const char *name);
/* `name` has room for IF_NAMESIZE bytes. */
char *if_indextoname(unsigned int index, char *name);
/* Ends with an entry whose index is 0. */
struct if_nameindex *if_nameindex(void);
void if_freenameindex(struct if_nameindex *list);

WB_END

#endif
