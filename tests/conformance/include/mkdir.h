/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef MKDIR_H
#define MKDIR_H

#include "trigger.h"
#include <bpf/bpf_core_read.h>

/*
 * What decides for the whole machine must not disturb it: programs here deny that a folder is made if it has one name, which nobody else
 * gives to a folder.
 */
#define DENIED_FOLDER "wasm-bpf-conformance-denied"

struct qstr {
	const unsigned char *name;
} __attribute__((preserve_access_index));

struct dentry {
	struct qstr d_name;
} __attribute__((preserve_access_index));

static __always_inline int is_denied_folder(struct dentry *dentry)
{
	char name[sizeof(DENIED_FOLDER)] = {};
	const char denied[] = DENIED_FOLDER;

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
	for (int i = 0; i < (int)sizeof(name); i++)
		if (name[i] != denied[i])
			return 0;
	return 1;
}

#endif
