// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cgroups in maps.
#include <fcntl.h>
#include <unistd.h>

#include "conformance.h"
#include "paths.h"

#include "case.skel.h"

// A file or folder of the cgroup that the runner made and is not in; the one above it is the root, which everything is in.
static int open_in_cgroup(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", given("cgroup"), name);
	return OK(open(path, O_RDONLY));
}

static struct case_bpf *load(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	return skel;
}

// The descriptor is gone when the map is used.
static void put(const struct case_bpf *skel, __u32 key, const char *name)
{
	int cgroup = open_in_cgroup(name);

	OK(bpf_map__update_elem(skel->maps.cgroups, &key, sizeof(key), &cgroup, sizeof(cgroup), BPF_ANY));
	OK(close(cgroup));
}

static void answers_are(const struct case_bpf *skel, int first, int second)
{
	pull(1);
	CHECK_EQ(skel->bss->answers[0], first);
	CHECK_EQ(skel->bss->answers[1], second);
}

// At each moment the one that was stored last.
void case_stored(void)
{
	// There is none.
	const int again = -EAGAIN;
	struct case_bpf *skel = load();
	__u32 key = 0;

	OK(case_bpf__attach(skel));
	answers_are(skel, again, again);
	put(skel, 0, "..");
	put(skel, 1, ".");
	answers_are(skel, 1, 0);
	put(skel, 0, ".");
	put(skel, 1, "..");
	answers_are(skel, 0, 1);
	OK(bpf_map__delete_elem(skel->maps.cgroups, &key, sizeof(key), 0));
	answers_are(skel, again, 1);
	case_bpf__destroy(skel);
}

// Nothing is stored by any of them.
void case_wrong(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PROG_ARRAY };
	struct case_bpf *skel = load();
	int fd = bpf_map__fd(skel->maps.cgroups), cgroup = open_in_cgroup(".");
	const int others[] = { OK(open("/usr", O_RDONLY)), open_in_cgroup("cgroup.procs") };
	static const __u8 zeros[5];
	wasi_filesystem_types_own_descriptor_t folder;
	wasm_bpf_bpf_maps_error_code_t code;
	wasm_bpf_bpf_maps_error_t error;
	wasm_bpf_list_u8_t key_bytes = bytes(zeros, 5), value;
	__u32 key = 0;

	for (size_t i = 0; i < LENGTH(others); i++)
		FAILS(bpf_map_update_elem(fd, &key, &others[i], BPF_ANY), "invalid-argument", "cgroups");
	key = 2;
	FAILS(bpf_map_update_elem(fd, &key, &cgroup, BPF_ANY), "full", "cgroups");
	// What libbpf's functions cannot say: keys of another size, numbers as values, maps of other kinds.
	OK(wb_open_path(given("cgroup"), &folder));
	FAILS_ERROR(wasm_bpf_bpf_maps_method_map_update_cgroup(raw_map(fd), &key_bytes, wasi_filesystem_types_borrow_descriptor(folder),
							       WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error),
		    error, "wrong-size", "cgroups");
	key_bytes = bytes(zeros, 4);
	for (__u32 number = 0; number < 16; number++) {
		value = bytes(&number, sizeof(number));
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(fd), &key_bytes, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &code), code,
			   "not-supported");
		// For libbpf's they are descriptors, of none of which a cgroup is known.
		key = 0;
		if ((int)number != cgroup && (int)number != others[0] && (int)number != others[1])
			CHECK_EQ(bpf_map_update_elem(fd, &key, &number, BPF_ANY), -EBADF);
	}
	for (size_t i = 0; i < LENGTH(types); i++) {
		int other = OK(bpf_map_create(types[i], "other", 4, 4, 4, NULL));

		FAILS_ERROR(wasm_bpf_bpf_maps_method_map_update_cgroup(raw_map(other), &key_bytes, wasi_filesystem_types_borrow_descriptor(folder),
								       WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error),
			    error, "not-supported", "other");
	}
	wasi_filesystem_types_descriptor_drop_own(folder);
	case_bpf__destroy(skel);
}
