// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects, maps and programs in a BPF file system: pinned, found again by the next load, and unpinned.
// needs: bpffs
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "pins.skel.h"

#define ROOT "/sys/fs/bpf"

static int is_there(const char *path)
{
	struct stat about;

	return !stat(path, &about);
}

static struct pins_bpf *loaded(const char *root)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = root);
	struct pins_bpf *skel = pins_bpf__open_opts(&opts);

	CHECK(skel);
	CHECK_IS(pins_bpf__load(skel), 0);
	return skel;
}

static void by_name(void)
{
	struct pins_bpf *skel, *again;
	__u32 key = 0, value = 42;

	CHECK(!is_there(ROOT "/kept"));
	skel = loaded(NULL);
	CHECK_TEXT(bpf_map__pin_path(skel->maps.kept), ROOT "/kept");
	CHECK_TEXT(bpf_map__get_pin_path(skel->maps.kept), ROOT "/kept");
	CHECK(!bpf_map__pin_path(skel->maps.plain));
	CHECK(bpf_map__is_pinned(skel->maps.kept) && !bpf_map__is_pinned(skel->maps.plain));
	CHECK(is_there(ROOT "/kept"));
	CHECK_IS(bpf_map__update_elem(skel->maps.kept, &key, 4, &value, 4, 0), 0);
	pins_bpf__destroy(skel);
	CHECK(is_there(ROOT "/kept"));

	// The next load takes it over, with what is in it.
	again = loaded(NULL);
	value = 0;
	CHECK_IS(bpf_map__lookup_elem(again->maps.kept, &key, 4, &value, 4, 0), 0);
	CHECK_IS(value, 42);
	CHECK_ERR(bpf_map__pin(again->maps.kept, ROOT "/other"), EINVAL);
	CHECK_IS(bpf_map__pin(again->maps.kept, NULL), 0);
	CHECK_ERR(bpf_map__unpin(again->maps.kept, ROOT "/other"), EINVAL);
	CHECK_IS(bpf_map__unpin(again->maps.kept, NULL), 0);
	CHECK(!bpf_map__is_pinned(again->maps.kept));
	CHECK(!is_there(ROOT "/kept"));
	CHECK_ERR(bpf_map__unpin(again->maps.kept, NULL), ENOENT);
	pins_bpf__destroy(again);

	// In another folder, which is made.
	skel = loaded(ROOT "/folder");
	CHECK_TEXT(bpf_map__pin_path(skel->maps.kept), ROOT "/folder/kept");
	CHECK(is_there(ROOT "/folder/kept"));
	CHECK_IS(bpf_map__unpin(skel->maps.kept, NULL), 0);
	pins_bpf__destroy(skel);
	CHECK_IS(rmdir(ROOT "/folder"), 0);
}

static void by_path(void)
{
	struct pins_bpf *skel = pins_bpf__open(), *other = pins_bpf__open();
	__u32 key = 0, value = 5;

	CHECK(skel && other);
	CHECK_IS(bpf_map__set_pin_path(skel->maps.kept, NULL), 0);
	CHECK(!bpf_map__pin_path(skel->maps.kept));
	CHECK_IS(bpf_map__set_pin_path(skel->maps.plain, ROOT "/plain"), 0);
	CHECK_IS(bpf_map__set_pin_path(other->maps.kept, NULL), 0);
	CHECK_IS(bpf_map__set_pin_path(other->maps.plain, ROOT "/plain"), 0);
	CHECK_IS(pins_bpf__load(skel), 0);
	CHECK(!is_there(ROOT "/kept") && is_there(ROOT "/plain"));
	CHECK_IS(pins_bpf__load(other), 0);
	// Both have the one map.
	CHECK_IS(bpf_map__update_elem(skel->maps.plain, &key, 4, &value, 4, 0), 0);
	value = 0;
	CHECK_IS(bpf_map__lookup_elem(other->maps.plain, &key, 4, &value, 4, 0), 0);
	CHECK_IS(value, 5);
	CHECK_IS(bpf_map__unpin(skel->maps.plain, NULL), 0);
	pins_bpf__destroy(other);

	CHECK_IS(bpf_program__pin(skel->progs.pass, ROOT "/pass"), 0);
	CHECK(is_there(ROOT "/pass"));
	CHECK_ERR(bpf_program__pin(skel->progs.pass, ROOT "/pass"), EEXIST);
	CHECK_ERR(bpf_program__pin(skel->progs.pass, "/tmp/pass"), EINVAL);
	CHECK_IS(bpf_program__unpin(skel->progs.pass, ROOT "/pass"), 0);
	CHECK(!is_there(ROOT "/pass"));
	CHECK_ERR(bpf_program__unpin(skel->progs.pass, ROOT "/pass"), ENOENT);
	CHECK_ERR(bpf_map__pin(skel->maps.kept, NULL), EINVAL);
	CHECK_ERR(bpf_map__unpin(skel->maps.kept, NULL), EINVAL);
	pins_bpf__destroy(skel);
}

static void whole(void)
{
	struct pins_bpf *skel = pins_bpf__open();

	CHECK(skel);
	CHECK_IS(bpf_map__set_pin_path(skel->maps.kept, NULL), 0);
	CHECK_ERR(bpf_object__pin_maps(skel->obj, ROOT "/all"), ENOENT);
	CHECK_ERR(bpf_object__pin_programs(skel->obj, ROOT "/all"), ENOENT);
	CHECK_ERR(bpf_object__pin(NULL, ROOT "/all"), ENOENT);
	CHECK_ERR(bpf_object__unpin(NULL, ROOT "/all"), ENOENT);
	CHECK_ERR(bpf_program__pin(skel->progs.pass, ROOT "/pass"), EINVAL);
	CHECK_IS(pins_bpf__load(skel), 0);

	CHECK_IS(bpf_object__pin(skel->obj, ROOT "/all"), 0);
	CHECK(is_there(ROOT "/all/kept") && is_there(ROOT "/all/plain") && is_there(ROOT "/all/pass"));
	// Dots are no letters of that file system.
	CHECK(is_there(ROOT "/all/pins_bpf_bss"));
	CHECK_IS(bpf_object__unpin(skel->obj, ROOT "/all"), 0);
	CHECK(!is_there(ROOT "/all/kept") && !is_there(ROOT "/all/pass"));

	CHECK_IS(bpf_object__pin_programs(skel->obj, ROOT "/all"), 0);
	CHECK(is_there(ROOT "/all/pass"));
	CHECK_IS(bpf_object__unpin_programs(skel->obj, ROOT "/all"), 0);
	CHECK_ERR(bpf_object__unpin_programs(skel->obj, ROOT "/all"), ENOENT);
	// The maps have their paths from now on.
	CHECK_IS(bpf_object__pin_maps(skel->obj, NULL), 0);
	CHECK(is_there(ROOT "/all/kept"));
	CHECK_IS(bpf_object__unpin_maps(skel->obj, NULL), 0);

	// All or none: what is in the way of the last keeps the others out.
	CHECK_IS(bpf_program__pin(skel->progs.pass, ROOT "/all/pass"), 0);
	CHECK_ERR(bpf_object__pin(skel->obj, ROOT "/all"), EEXIST);
	CHECK(!is_there(ROOT "/all/kept"));
	if (is_there(ROOT "/all/pass"))
		CHECK_IS(bpf_program__unpin(skel->progs.pass, ROOT "/all/pass"), 0);
	CHECK_IS(rmdir(ROOT "/all"), 0);
	pins_bpf__destroy(skel);
}

int main(void)
{
	by_name();
	by_path();
	whole();
	return 0;
}
