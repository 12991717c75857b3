// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Links that are pinned keep their programs attached: without the handle, and when they are opened again.
// needs: kernel=6.10 bpffs
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_tracing.skel.h"
#include "check.h"

#define PIN "/sys/fs/bpf/library/link"

static struct attach_tracing_bpf *skel;

static bool runs(void)
{
	__u64 before;

	usleep(1000);
	before = skel->bss->by_raw;
	usleep(1000);
	return skel->bss->by_raw > before;
}

int main(void)
{
	struct bpf_link *link, *other;
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info), id;

	skel = attach_tracing_bpf__open_and_load();
	CHECK(skel);
	link = bpf_program__attach_raw_tracepoint(skel->progs.at_raw, "sys_enter");
	CHECK(link);
	CHECK(runs());
	CHECK_ERR(bpf_link__unpin(link), EINVAL);
	CHECK_IS(bpf_link__pin(link, PIN), 0);
	CHECK_TEXT(bpf_link__pin_path(link), PIN);
	CHECK_ERR(bpf_link__pin(link, PIN "2"), EBUSY);
	CHECK_IS(access(PIN, F_OK), 0);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	id = info.id;
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK(runs());

	link = bpf_link__open(PIN);
	CHECK(link);
	CHECK_TEXT(bpf_link__pin_path(link), PIN);
	length = sizeof(info);
	// What the call before left in it would ask for names.
	memset(&info, 0, sizeof(info));
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(info.id, id);
	other = bpf_program__attach_raw_tracepoint(skel->progs.at_raw, "sys_enter");
	CHECK(other);
	CHECK_ERR(bpf_link__pin(other, PIN), EEXIST);
	CHECK(!bpf_link__pin_path(other));
	CHECK_ERR(bpf_link__pin(other, "/tmp/not-there"), EINVAL);
	CHECK_IS(bpf_link__destroy(other), 0);
	CHECK_IS(bpf_link__unpin(link), 0);
	CHECK(!bpf_link__pin_path(link));
	CHECK(access(PIN, F_OK) < 0);
	CHECK(runs());
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK(!runs());
	CHECK_NULL(bpf_link__open(PIN), ENOENT);
	CHECK_ERR(bpf_link_detach(4711), EBADF);
	attach_tracing_bpf__destroy(skel);
	return 0;
}
