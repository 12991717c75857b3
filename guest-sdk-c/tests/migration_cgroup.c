// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs for the C SDK of the first wasm-bpf: a cgroup by its path.
// needs: cgroup
#include "libbpf-wasm.h"

#include "check.h"
#include "migration.skel.h"

int main(void)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	struct migration_bpf *skel = migration_bpf__open_and_load();

	CHECK(skel);
	bpf_set_prog_attach_target(skel->progs.on_connection, "/cgroup/nowhere");
	CHECK_NULL(bpf_program__attach(skel->progs.on_connection), ENOENT);
	bpf_set_prog_attach_target(skel->progs.on_connection, "/cgroup");
	CHECK_IS(migration_bpf__attach(skel), 0);
	CHECK(skel->links.on_connection && !skel->links.on_frame);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(skel->links.on_connection), &info, &size), 0);
	CHECK_IS(info.type, BPF_LINK_TYPE_CGROUP);
	CHECK(info.cgroup.cgroup_id);
	migration_bpf__destroy(skel);
	return 0;
}
