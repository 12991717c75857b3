/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libbpf's API for guests. Names and contracts are those of libbpf 1.7; docs/c-compat.md tells what is there. */
#ifndef BPF_LIBBPF_H
#define BPF_LIBBPF_H

#include <stdarg.h>
#include <stdio.h>

#include <bpf/libbpf/base.h>
#include <bpf/libbpf/object.h>
#include <bpf/libbpf/program.h>
#include <bpf/libbpf/map.h>
#include <bpf/libbpf/link.h>
#include <bpf/libbpf/attach.h>
#include <bpf/libbpf/buffers.h>
#include <bpf/libbpf/network.h>
#include <bpf/libbpf/probe.h>

#endif
