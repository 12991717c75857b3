// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The types of an object, as the host's libbpf has made them ready for the kernel: with the sizes and places of global variables, which the
// compiler does not know.
#include <bpf/libbpf.h>

#include "../globals.h"
#include "../object.h"
#include "btf.h"

struct btf *bpf_object__btf(const struct bpf_object *obj)
{
	// That it is read when someone asks is no change of the object.
	struct bpf_object *object = (struct bpf_object *)obj;
	wasm_bpf_bpf_btf_option_own_btf_t types;
	wasm_bpf_bpf_btf_error_t error;
	bool ok;

	if (!object)
		return NULL;
	if (object->btf)
		return object->btf;
	WB_CALL;
	if (!object->loaded)
		ok = wasm_bpf_bpf_btf_static_btf_of_open_object(wasm_bpf_bpf_objects_borrow_open_object(object->open), &types, &error);
	else if (object->object_handle.__handle)
		ok = wasm_bpf_bpf_btf_static_btf_of_object(wasm_bpf_bpf_objects_borrow_object(object->object_handle), &types, &error);
	else
		return wb_null(wb_refuse(ENOENT, "object '%s' has failed to load: nothing is left of its types", object->name));
	if (!ok)
		return wb_null(wb_fail(&error, "read the BTF of an object"));
	if (!types.is_some)
		return NULL;
	object->btf = wb_btf_read(types.val, NULL);
	object->free_btf = btf__free;
	if (object->btf)
		object->btf->pointer_size = 8;
	return object->btf;
}
