/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Requests by Linux' numbers. What a descriptor knows of them is said with what it is of. */
#ifndef WASM_BPF_SYS_IOCTL_H
#define WASM_BPF_SYS_IOCTL_H

#include <wasm-bpf/platform.h>

#include <asm/ioctls.h>
#include <linux/ioctl.h>
#include <linux/sockios.h>

struct winsize {
	unsigned short ws_row;
	unsigned short ws_col;
	unsigned short ws_xpixel;
	unsigned short ws_ypixel;
};

WB_BEGIN

/*
 * Perf events: PERF_EVENT_IOC_ENABLE, _DISABLE, _RESET. Sockets: SIOCGIFINDEX, SIOCGIFNAME, FIONBIO. Files: FIONREAD, FIONBIO; the
 * size of the terminal is not told (TIOCGWINSZ: ENOTTY).
 */
int ioctl(int fd, unsigned long request, ...) WB_CALLS(wb_ioctl);

WB_END

#endif
