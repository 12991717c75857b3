// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef USDT_H
#define USDT_H

#define TEXT_LENGTH 32

struct event {
	__u64 number;
	__u64 cookie;
	char text[TEXT_LENGTH];
};

struct count {
	__u64 times;
	__u64 last;
};

#endif
