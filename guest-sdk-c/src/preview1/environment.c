// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments, the environment, random numbers, and the end.
#include <stdlib.h>
#include <string.h>

#include "files.h"

static uint8_t *put(uint8_t *at, const wasm_bpf_string_t *text, uint8_t end)
{
	memcpy(at, text->ptr, text->len);
	at[text->len] = end;
	return at + text->len + 1;
}

int32_t P1(args_sizes_get)(__wasi_size_t *count, __wasi_size_t *size)
{
	wasm_bpf_list_string_t list;

	wasi_cli_environment_get_arguments(&list);
	*count = list.len;
	*size = 0;
	for (size_t i = 0; i < list.len; i++)
		*size += list.ptr[i].len + 1;
	wasm_bpf_list_string_free(&list);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(args_get)(uint8_t **pointers, uint8_t *texts)
{
	wasm_bpf_list_string_t list;

	wasi_cli_environment_get_arguments(&list);
	for (size_t i = 0; i < list.len; i++) {
		pointers[i] = texts;
		texts = put(texts, &list.ptr[i], '\0');
	}
	wasm_bpf_list_string_free(&list);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(environ_sizes_get)(__wasi_size_t *count, __wasi_size_t *size)
{
	wasm_bpf_list_tuple2_string_string_t list;

	wasi_cli_environment_get_environment(&list);
	*count = list.len;
	*size = 0;
	for (size_t i = 0; i < list.len; i++)
		*size += list.ptr[i].f0.len + 1 + list.ptr[i].f1.len + 1;
	wasm_bpf_list_tuple2_string_string_free(&list);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(environ_get)(uint8_t **pointers, uint8_t *texts)
{
	wasm_bpf_list_tuple2_string_string_t list;

	wasi_cli_environment_get_environment(&list);
	for (size_t i = 0; i < list.len; i++) {
		pointers[i] = texts;
		texts = put(put(texts, &list.ptr[i].f0, '='), &list.ptr[i].f1, '\0');
	}
	wasm_bpf_list_tuple2_string_string_free(&list);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(random_get)(uint8_t *bytes, __wasi_size_t length)
{
	wasm_bpf_list_u8_t list;

	wasi_random_random_get_random_bytes(length, &list);
	memcpy(bytes, list.ptr, list.len);
	wasm_bpf_list_u8_free(&list);
	return __WASI_ERRNO_SUCCESS;
}

// All ways out end here: exit() and a return from main after the functions of atexit() ran and stdio was flushed, _exit() at once.
_Noreturn void P1(proc_exit)(int32_t code)
{
	wasi_cli_exit_exit_with_code(code);
	__builtin_trap();
}

int32_t P1(sched_yield)(void)
{
	return __WASI_ERRNO_SUCCESS;
}
