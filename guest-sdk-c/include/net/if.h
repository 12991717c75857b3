/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Network interfaces of the host's network namespace, by name and number. */
#ifndef WASM_BPF_NET_IF_H
#define WASM_BPF_NET_IF_H

#include <sys/socket.h>

#include <wasm-bpf/platform.h>

#define IF_NAMESIZE 16
#define IFNAMSIZ IF_NAMESIZE

#define IFF_UP 0x1
#define IFF_BROADCAST 0x2
#define IFF_DEBUG 0x4
#define IFF_LOOPBACK 0x8
#define IFF_POINTOPOINT 0x10
#define IFF_NOTRAILERS 0x20
#define IFF_RUNNING 0x40
#define IFF_NOARP 0x80
#define IFF_PROMISC 0x100
#define IFF_ALLMULTI 0x200
#define IFF_MASTER 0x400
#define IFF_SLAVE 0x800
#define IFF_MULTICAST 0x1000
#define IFF_PORTSEL 0x2000
#define IFF_AUTOMEDIA 0x4000
#define IFF_DYNAMIC 0x8000

/* <linux/if.h> has the same, and leaves it out then. */
#define __UAPI_DEF_IF_IFCONF 1
#define __UAPI_DEF_IF_IFMAP 1
#define __UAPI_DEF_IF_IFNAMSIZ 0
#define __UAPI_DEF_IF_IFREQ 1
#define __UAPI_DEF_IF_NET_DEVICE_FLAGS 0
#define __UAPI_DEF_IF_NET_DEVICE_FLAGS_LOWER_UP_DORMANT_ECHO 1

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
