// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef EVENTS_H
#define EVENTS_H

struct event {
	__u64 number;
};

#endif
