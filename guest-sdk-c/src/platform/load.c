// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How busy the machine is, from /proc.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "platform/proc.h"
#include "wasm_bpf.h"

int getloadavg(double averages[], int count)
{
	char line[128], *at = line, *end;
	int i;

	if (!wb_read_line("/proc/loadavg", line, sizeof(line)))
		return -1;
	for (i = 0; i < count && i < 3; i++) {
		averages[i] = strtod(at, &end);
		if (end == at)
			break;
		at = end;
	}
	return i;
}

int sysinfo(struct sysinfo *info)
{
	unsigned long kilobytes;
	double averages[3];
	char line[128];
	FILE *stream = fopen("/proc/meminfo", "r");

	if (!stream)
		return -1;
	memset(info, 0, sizeof(*info));
	while (fgets(line, sizeof(line), stream)) {
		char name[32];

		if (sscanf(line, "%31[^:]: %lu", name, &kilobytes) != 2)
			continue;
		if (!strcmp(name, "MemTotal"))
			info->totalram = kilobytes;
		else if (!strcmp(name, "MemFree"))
			info->freeram = kilobytes;
		else if (!strcmp(name, "Shmem"))
			info->sharedram = kilobytes;
		else if (!strcmp(name, "Buffers"))
			info->bufferram = kilobytes;
		else if (!strcmp(name, "SwapTotal"))
			info->totalswap = kilobytes;
		else if (!strcmp(name, "SwapFree"))
			info->freeswap = kilobytes;
	}
	fclose(stream);
	// In kilobytes: a guest's long has 32 bits.
	info->mem_unit = 1024;
	info->uptime = wasm_bpf_bpf_features_boot_time() / 1000000000;
	if (getloadavg(averages, 3) == 3)
		for (int i = 0; i < 3; i++)
			info->loads[i] = averages[i] * (1 << SI_LOAD_SHIFT);
	if (wb_read_line("/proc/loadavg", line, sizeof(line))) {
		const char *slash = strchr(line, '/');

		if (slash)
			info->procs = atoi(slash + 1);
	}
	return 0;
}
