// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The time zone that TZ names, or the machine's.
#pragma once

#include <stdbool.h>
#include <time.h>

// What holds at a time.
struct wb_zone {
	long offset;            // east of Greenwich, in seconds
	bool is_summer;
	const char *name;       // stays as it is until the zone changes
};

// What holds at a time (UTC).
struct wb_zone wb_zone_at(time_t time);

// Reads the zone if TZ changed since it was read.
void wb_zone_load(void);
