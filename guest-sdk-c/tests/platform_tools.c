// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the helpers of tools for libbpf do besides BPF, written as for Linux: symbols of the kernel from /proc/kallsyms, those of a
// process from its maps and files, block devices, histograms, perf events on each CPU, a socket for packets, the offset of a
// function for a uprobe.
// needs: --dir /proc --dir /sys --dir /usr --dir /lib
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"

struct symbol {
	unsigned long long address;
	char *name;
};

static struct symbol *symbols;
static int count;

static int compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static void load_kernel(void)
{
	FILE *stream = fopen("/proc/kallsyms", "r");
	char name[256], type;
	unsigned long long address;
	int room = 0;

	CHECK(stream);
	while (fscanf(stream, "%llx %c %255s%*[^\n]\n", &address, &type, name) == 3) {
		if (count == room) {
			room = room ? room * 2 : 4096;
			symbols = realloc(symbols, room * sizeof(*symbols));
			CHECK(symbols);
		}
		symbols[count++] = (struct symbol){ address, strdup(name) };
	}
	CHECK(feof(stream));
	CHECK_IS(fclose(stream), 0);
	qsort(symbols, count, sizeof(*symbols), compare);
}

static void test_kernel(void)
{
	bool has_clone = false;

	load_kernel();
	CHECK(count > 10000);
	for (int i = 0; i < count; i++)
		has_clone |= !strcmp(symbols[i].name, "kernel_clone");
	CHECK(has_clone);
	for (int i = 0; i < count; i++)
		free(symbols[i].name);
	free(symbols);
}

// The mapping of the C library in a process that has one: the host itself.
static bool find_library(char *path, unsigned long long *start)
{
	char name[64], line[512], permissions[5];
	unsigned long long end, offset, inode;
	bool is_found = false;
	FILE *stream;

	snprintf(name, sizeof(name), "/proc/%d/maps", getpid());
	stream = fopen(name, "r");
	CHECK(stream);
	while (!is_found && fgets(line, sizeof(line), stream)) {
		int length = 0, major, minor;

		CHECK(sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", start, &end, permissions, &offset, &major, &minor, &inode,
			&length) == 7);
		line[strcspn(line, "\n")] = 0;
		if (strstr(line + length, "/libc.so.6") && strchr(permissions, 'x')) {
			strcpy(path, line + length);
			*start -= offset;
			is_found = true;
		}
	}
	fclose(stream);
	return is_found;
}

static long long offset_of(const char *path, const char *function)
{
	long long address = -1, result = -1;
	Elf_Scn *section = NULL;
	GElf_Phdr segment;
	GElf_Shdr header;
	GElf_Sym symbol;
	size_t segments;
	Elf *elf;
	int fd;

	CHECK(elf_version(EV_CURRENT) != EV_NONE);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	CHECK(elf && elf_kind(elf) == ELF_K_ELF);
	while (address < 0 && (section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM)
			continue;
		data = elf_getdata(section, NULL);
		for (int i = 0; gelf_getsym(data, i, &symbol); i++)
			if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && !strcmp(elf_strptr(elf, header.sh_link, symbol.st_name), function))
				address = symbol.st_value;
	}
	CHECK_IS(elf_getphdrnum(elf, &segments), 0);
	for (size_t i = 0; address >= 0 && i < segments; i++) {
		CHECK(gelf_getphdr(elf, i, &segment));
		if (segment.p_type == PT_LOAD && segment.p_flags & PF_X && address >= (long long)segment.p_vaddr &&
		    address < (long long)(segment.p_vaddr + segment.p_memsz))
			result = address - segment.p_vaddr + segment.p_offset;
	}
	elf_end(elf);
	close(fd);
	return result;
}

static void test_process(void)
{
	unsigned long long start;
	char path[PATH_MAX];

	CHECK(find_library(path, &start));
	CHECK(start);
	CHECK(offset_of(path, "malloc") > 0);
	CHECK(offset_of(path, "no_such_function") < 0);
}

static void test_devices(void)
{
	unsigned int major, minor;
	unsigned long long blocks;
	char line[128], name[64];
	FILE *stream = fopen("/proc/partitions", "r");
	struct dirent *entry;
	bool has_cpu = false;
	DIR *directory;

	CHECK(stream);
	while (fgets(line, sizeof(line), stream)) {
		if (!isdigit((unsigned char)line[strspn(line, " ")]))
			continue;
		CHECK_IS(sscanf(line, "%u %u %llu %63s", &major, &minor, &blocks, name), 4);
	}
	fclose(stream);
	directory = opendir("/sys/devices/system/cpu");
	CHECK(directory);
	while ((entry = readdir(directory)))
		has_cpu |= !strcmp(entry->d_name, "cpu0");
	CHECK_IS(closedir(directory), 0);
	CHECK(has_cpu);
	CHECK_IS(access("/sys/kernel/btf/vmlinux", R_OK), 0);
	CHECK(access("/sys/kernel/btf/nosuch", R_OK) < 0 && errno == ENOENT);
}

static void test_events(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes), .config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1, .sample_freq = 49,
	};
	int cpus = libbpf_num_possible_cpus(), opened = 0, *fds = calloc(cpus, sizeof(*fds));

	CHECK(cpus > 0 && fds);
	for (int cpu = 0; cpu < cpus; cpu++) {
		fds[cpu] = syscall(__NR_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		// One that is not online.
		if (fds[cpu] < 0)
			CHECK_IS(errno, ENODEV);
		else
			opened++;
	}
	CHECK_IS(opened, sysconf(_SC_NPROCESSORS_ONLN));
	for (int cpu = 0; cpu < cpus; cpu++)
		if (fds[cpu] >= 0)
			CHECK_IS(close(fds[cpu]), 0);
	free(fds);
}

static int open_packets(const char *name)
{
	struct sockaddr_ll address;
	int fd;

	fd = socket(PF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (fd < 0)
		return -1;
	memset(&address, 0, sizeof(address));
	address.sll_family = AF_PACKET;
	address.sll_ifindex = if_nametoindex(name);
	address.sll_protocol = htons(ETH_P_ALL);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void test_packets(void)
{
	int fd = open_packets("lo");

	CHECK(fd >= 0);
	CHECK_IS(close(fd), 0);
}

static void test_numbers(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct tm *local;
	char text[16];
	time_t now;

	CHECK_IS(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	time(&now);
	local = localtime(&now);
	CHECK_IS(strftime(text, sizeof(text), "%H:%M:%S", local), 8);
	CHECK_IS(MAX(1, 2), 2);
	CHECK_IS(roundup(5, 4), 8);
	CHECK_IS(geteuid(), 0);
	// A mode as events carry it.
	CHECK(S_ISFIFO(0010644) && S_ISREG(0100644));
	// And flags of open().
	CHECK_IS(O_WRONLY | O_CREAT | O_CLOEXEC, 02000101);
}

int main(void)
{
	test_numbers();
	test_kernel();
	test_process();
	test_devices();
	test_events();
	test_packets();
	return 0;
}
