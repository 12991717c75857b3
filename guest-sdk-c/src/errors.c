// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "errors.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>
#include <wasm-bpf.h>

#include "object.h"
#include "print.h"

// Every case of error-code, in its order.
static const struct {
	char name[24];
	uint16_t number;
} cases[] = {
	{ "not-granted", EPERM },
	{ "not-permitted", EPERM },
	{ "access-denied", EACCES },
	{ "rejected-by-verifier", LIBBPF_ERRNO__VERIFY },
	{ "malformed", LIBBPF_ERRNO__FORMAT },
	{ "wrong-size", EINVAL },
	{ "invalid-argument", EINVAL },
	{ "not-found", ENOENT },
	{ "already-exists", EEXIST },
	{ "busy", EBUSY },
	{ "full", E2BIG },
	{ "no-space", ENOSPC },
	{ "out-of-memory", ENOMEM },
	{ "limit-exceeded", EDQUOT },
	{ "would-block", EAGAIN },
	{ "interrupted", EINTR },
	{ "no-such-device", ENODEV },
	{ "no-such-process", ESRCH },
	{ "not-supported", EOPNOTSUPP },
	{ "other", EIO },
};

_Static_assert(sizeof(cases) / sizeof(cases[0]) == WASM_BPF_BPF_TYPES_ERROR_CODE_OTHER + 1, "a case of error-code is not here");

static struct wasm_bpf_error last;
static char *message, *subject, *verifier_log;
static bool failed;

const struct wasm_bpf_error *wasm_bpf_last_error(void)
{
	return failed ? &last : NULL;
}

const char *wb_last_verifier_log(void)
{
	return verifier_log;
}

char *wb_take_string(wasm_bpf_string_t *text)
{
	// An empty one has no memory, whatever it points at.
	char *memory = text->len ? (char *)text->ptr : NULL, *taken = realloc(memory, text->len + 1);

	if (taken)
		taken[text->len] = '\0';
	else
		free(memory);
	text->ptr = NULL;
	text->len = 0;
	return taken;
}

// Takes the strings, which may be NULL.
static int keep(const char *kind, int number, char *new_message, char *new_subject, char *new_log)
{
	free(message);
	free(subject);
	free(verifier_log);
	message = new_message;
	subject = new_subject;
	verifier_log = new_log;
	failed = true;
	last = (struct wasm_bpf_error){ number, kind, message ? message : "", subject, verifier_log };
	errno = number;
	return -number;
}

static int number_of_code(const wasm_bpf_bpf_types_error_code_t *code)
{
	if (code->tag == WASM_BPF_BPF_TYPES_ERROR_CODE_OTHER)
		return code->val.other;
	return cases[code->tag].number;
}

int wb_fail_code(const wasm_bpf_bpf_types_error_code_t *code)
{
	return keep(cases[code->tag].name, number_of_code(code), NULL, NULL, NULL);
}

int wb_fail_silently(wasm_bpf_bpf_types_error_t *error)
{
	int number = error->errno_ ? error->errno_ : number_of_code(&error->code);

	return keep(cases[error->code.tag].name, number, wb_take_string(&error->message),
		    error->subject.is_some ? wb_take_string(&error->subject.val) : NULL,
		    error->verifier_log.is_some ? wb_take_string(&error->verifier_log.val) : NULL);
}

int wb_fail(wasm_bpf_bpf_types_error_t *error, const char *doing)
{
	int negative = wb_fail_silently(error);

	wb_warn("failed to %s: %s", doing, last.message);
	if (verifier_log)
		wb_warn_log(subject, verifier_log);
	// The callback may have called what sets it.
	errno = -negative;
	return negative;
}

int wb_refuse(int error, const char *format, ...)
{
	char *text = NULL;
	const char *kind = "other";
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	for (unsigned int i = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_PERMITTED; i < WASM_BPF_BPF_TYPES_ERROR_CODE_OTHER; i++)
		if (cases[i].number == error && i != WASM_BPF_BPF_TYPES_ERROR_CODE_WRONG_SIZE) {
			kind = cases[i].name;
			break;
		}
	keep(kind, error, text, NULL, NULL);
	wb_warn("%s", last.message);
	errno = error;
	return -error;
}

int wb_no_memory(void)
{
	return wb_refuse(ENOMEM, "there is not enough memory");
}
