// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bpf_set_prog_attach_target() of the first wasm-bpf: what a program is attached to, by the name of a network interface or the path
// of a cgroup.
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <libbpf-wasm.h>

#include "errors.h"
#include "globals.h"
#include "object.h"

static struct bpf_link *attach_to_packets(const struct bpf_program *program)
{
	wasm_bpf_string_t name = wb_string(program->attach_target);
	wasm_bpf_bpf_programs_borrow_program_t handle;
	wasm_bpf_bpf_sockets_own_socket_t socket;
	wasm_bpf_bpf_programs_own_link_t link;
	wasm_bpf_bpf_types_error_t error;
	bool ok;

	if (!wb_loaded_program(program, &handle))
		return NULL;
	if (!wasm_bpf_bpf_sockets_static_socket_open_packet(&name, &socket, &error))
		return wb_null(wb_fail(&error, "open a packet socket"));
	ok = wasm_bpf_bpf_programs_method_program_attach_socket_filter(handle, wasm_bpf_bpf_sockets_borrow_socket(socket), &link, &error);
	// The link keeps the socket open.
	wasm_bpf_bpf_sockets_socket_drop_own(socket);
	return ok ? wb_link_new(link) : wb_null(wb_fail(&error, "attach a socket filter"));
}

static struct bpf_link *attach_to_cgroup(const struct bpf_program *program)
{
	int fd = open(program->attach_target, O_RDONLY | O_DIRECTORY | O_CLOEXEC), saved;
	struct bpf_link *link;

	if (fd < 0) {
		int error = errno;

		return wb_null(wb_refuse(error, "program '%s': cannot open the cgroup %s, which needs --dir: %s", program->name,
			program->attach_target,
					 strerror(error)));
	}
	link = bpf_program__attach_cgroup(program, fd);
	saved = errno;
	close(fd);
	errno = saved;
	return link;
}

static struct bpf_link *attach_to_target(const struct bpf_program *program)
{
	unsigned int index;

	switch (program->type) {
	case BPF_PROG_TYPE_XDP:
		index = if_nametoindex(program->attach_target);
		if (!index)
			return wb_null(wb_refuse(ENODEV, "program '%s': there is no network interface '%s'", program->name,
				program->attach_target));
		return bpf_program__attach_xdp(program, index);
	case BPF_PROG_TYPE_SOCKET_FILTER:
		return attach_to_packets(program);
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return attach_to_cgroup(program);
	default:
		return wb_null(wb_refuse(EOPNOTSUPP,
			"program '%s': only programs of xdp, socket filters and cgroups are attached to a target by its name",
			program->name));
	}
}

void wasm_bpf_set_attach_target(struct bpf_program *program, const char *target)
{
	// An empty one: where the section says.
	free(program->attach_target);
	program->attach_target = target && *target ? strdup(target) : NULL;
	program->attach_otherwise = program->attach_target ? attach_to_target : NULL;
}
