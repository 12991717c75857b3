// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What maps have for sockets.
#include <sys/socket.h>
#include <unistd.h>

#include "conformance.h"

#include "case.skel.h"

static int new_socket(void)
{
	return OK(socket(AF_INET, SOCK_DGRAM, 0));
}

// The key of such a map is a socket's descriptor.
static int put(int map, int of, __u64 value, __u64 flags)
{
	return bpf_map_update_elem(map, &of, &value, flags);
}

static void has(int map, int of, __u64 expected)
{
	__u64 value;

	OK(bpf_map_lookup_elem(map, &of, &value));
	CHECK_EQ(value, expected);
}

static void has_none(int map, int of)
{
	__u64 value;

	FAILS(bpf_map_lookup_elem(map, &of, &value), "not-found");
}

void case_values(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	int storage = bpf_map__fd(skel->maps.storage), one = new_socket(), other = new_socket();

	has_none(storage, one);
	FAILS(put(storage, one, 1, BPF_EXIST), "not-found");
	OK(put(storage, one, 2, BPF_NOEXIST));
	has(storage, one, 2);
	FAILS(put(storage, one, 3, BPF_NOEXIST), "already-exists");
	OK(put(storage, one, 4, BPF_EXIST));
	OK(put(storage, one, 5, BPF_ANY));
	has(storage, one, 5);
	// It is this socket's alone.
	has_none(storage, other);
	FAILS(bpf_map_delete_elem(storage, &other), "not-found");
	OK(bpf_map_delete_elem(storage, &one));
	FAILS(bpf_map_delete_elem(storage, &one), "not-found");
	has_none(storage, one);
	OK(put(storage, one, 6, BPF_ANY));
	holds(skel->obj);
	OK(close(one));
	// A new one, with the same number of a descriptor, has nothing.
	has_none(storage, new_socket());
	// A socket's value does not keep the map.
	OK(put(storage, other, 0, BPF_ANY));
	case_bpf__destroy(skel);
}

// For what libbpf's functions cannot say.
static wasm_bpf_bpf_sockets_own_socket_t raw_socket(void)
{
	wasm_bpf_bpf_sockets_socket_kind_t kind = { .tag = WASM_BPF_BPF_SOCKETS_SOCKET_KIND_UDP4 };
	wasm_bpf_bpf_sockets_own_socket_t own;
	wasm_bpf_bpf_sockets_error_t error;

	CHECK(wasm_bpf_bpf_sockets_static_socket_open(&kind, &own, &error));
	return own;
}

void case_wrong(void)
{
	static const size_t lengths[] = { 0, 7, 9, 1 << 20 };
	static const __u8 zeros[1 << 20];
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	wasm_bpf_bpf_maps_borrow_map_t storage = raw_map(bpf_map__fd(skel->maps.storage)), hash = raw_map(bpf_map__fd(skel->maps.hash));
	wasm_bpf_bpf_sockets_own_socket_t own = raw_socket();
	wasm_bpf_bpf_sockets_borrow_socket_t it = wasm_bpf_bpf_sockets_borrow_socket(own);
	wasm_bpf_bpf_sockets_error_code_t error;
	wasm_bpf_list_u8_t key, value;
	wasm_bpf_option_list_u8_t found;
	int three = 3, next;
	bool was_there;

	for (size_t i = 0; i < LENGTH(lengths); i++) {
		value = bytes(zeros, lengths[i]);
		FAILS_CODE(wasm_bpf_bpf_sockets_method_socket_update_in_storage(it, storage, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
			   "wrong-size");
	}
	value = bytes(zeros, 8);
	FAILS_CODE(wasm_bpf_bpf_sockets_method_socket_lookup_in_storage(it, hash, &found, &error), error, "not-supported");
	FAILS_CODE(wasm_bpf_bpf_sockets_method_socket_delete_in_storage(it, hash, &was_there, &error), error, "not-supported");
	FAILS_CODE(wasm_bpf_bpf_sockets_method_socket_update_in_storage(it, hash, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
		   "not-supported");
	FAILS(bpf_map_get_next_key(bpf_map__fd(skel->maps.hash), NULL, &next), "not-found");
	// And a key that is bytes never becomes a socket.
	key = bytes(&three, sizeof(three));
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_lookup(storage, &key, &found, &error), error, "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(storage, &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error, "not-supported");
	CHECK_EQ(put(bpf_map__fd(skel->maps.storage), three, 0, BPF_ANY), -EBADF);
	wasm_bpf_bpf_sockets_socket_drop_own(own);
	case_bpf__destroy(skel);
}
