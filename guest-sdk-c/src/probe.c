// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/libbpf.h>

#include "errors.h"
#include "globals.h"
#include "object.h"
#include "types.h"

int libbpf_num_possible_cpus(void)
{
	// It does not change while the machine runs.
	static int known;
	wasm_bpf_bpf_features_error_code_t error;
	uint32_t count;

	if (known)
		return known;
	if (!wasm_bpf_bpf_features_possible_cpus(&count, &error))
		return wb_fail_code(&error);
	known = count;
	return known;
}

static int answer(bool ok, bool has, const wasm_bpf_bpf_features_error_code_t *error)
{
	return ok ? has : wb_fail_code(error);
}

int libbpf_probe_bpf_prog_type(enum bpf_prog_type type, const void *opts)
{
	wasm_bpf_bpf_types_program_type_t wanted = wb_program_type(type);
	wasm_bpf_bpf_features_error_code_t error;
	bool has, ok;

	if (opts)
		return wb_refuse(EINVAL, "probing for a program type has no options");
	WB_CALL;
	ok = wasm_bpf_bpf_features_has_program_type(&wanted, &has, &error);
	return answer(ok, has, &error);
}

int libbpf_probe_bpf_map_type(enum bpf_map_type type, const void *opts)
{
	wasm_bpf_bpf_types_map_type_t wanted = wb_map_type(type);
	wasm_bpf_bpf_features_error_code_t error;
	bool has, ok;

	if (opts)
		return wb_refuse(EINVAL, "probing for a map type has no options");
	WB_CALL;
	ok = wasm_bpf_bpf_features_has_map_type(&wanted, &has, &error);
	return answer(ok, has, &error);
}

int libbpf_probe_bpf_helper(enum bpf_prog_type type, enum bpf_func_id helper, const void *opts)
{
	wasm_bpf_bpf_types_program_type_t wanted = wb_program_type(type);
	wasm_bpf_bpf_features_error_code_t error;
	bool has, ok;

	if (opts)
		return wb_refuse(EINVAL, "probing for a helper has no options");
	WB_CALL;
	ok = wasm_bpf_bpf_features_has_helper(&wanted, helper, &has, &error);
	return answer(ok, has, &error);
}

int libbpf_prog_type_by_name(const char *name, enum bpf_prog_type *type, enum bpf_attach_type *attach_type)
{
	wasm_bpf_bpf_programs_section_kind_t kind;
	wasm_bpf_string_t text;

	if (!name)
		return wb_refuse(EINVAL, "no name of a section");
	text = wb_string(name);
	if (!wasm_bpf_bpf_programs_kind_of_section(&text, &kind))
		return wb_refuse(ESRCH, "no kind of program has sections called '%s'", name);
	*type = wb_program_type_number(&kind.type);
	*attach_type = kind.expected_attach_type;
	return 0;
}

int libbpf_attach_type_by_name(const char *name, enum bpf_attach_type *attach_type)
{
	wasm_bpf_bpf_programs_section_kind_t kind;
	wasm_bpf_string_t text;

	if (!name)
		return wb_refuse(EINVAL, "no name of a section");
	text = wb_string(name);
	if (!wasm_bpf_bpf_programs_kind_of_section(&text, &kind))
		return wb_refuse(EINVAL, "no kind of program has sections called '%s'", name);
	*attach_type = kind.expected_attach_type;
	return 0;
}
