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

// Numbers of errors in Linux, by which the interface tells them, as wasi-libc has them. 0: it has none for it.
static const uint8_t from_linux[] = {
	[1] = EPERM, [2] = ENOENT, [3] = ESRCH, [4] = EINTR, [5] = EIO, [6] = ENXIO, [7] = E2BIG, [8] = ENOEXEC,
	[9] = EBADF, [10] = ECHILD, [11] = EAGAIN, [12] = ENOMEM, [13] = EACCES, [14] = EFAULT, [16] = EBUSY, [17] = EEXIST,
	[18] = EXDEV, [19] = ENODEV, [20] = ENOTDIR, [21] = EISDIR, [22] = EINVAL, [23] = ENFILE, [24] = EMFILE, [25] = ENOTTY,
	[26] = ETXTBSY, [27] = EFBIG, [28] = ENOSPC, [29] = ESPIPE, [30] = EROFS, [31] = EMLINK, [32] = EPIPE, [33] = EDOM,
	[34] = ERANGE, [35] = EDEADLK, [36] = ENAMETOOLONG, [37] = ENOLCK, [38] = ENOSYS, [39] = ENOTEMPTY, [40] = ELOOP, [42] = ENOMSG,
	[43] = EIDRM, [67] = ENOLINK, [71] = EPROTO, [72] = EMULTIHOP, [74] = EBADMSG, [75] = EOVERFLOW, [84] = EILSEQ, [88] = ENOTSOCK,
	[89] = EDESTADDRREQ, [90] = EMSGSIZE, [91] = EPROTOTYPE, [92] = ENOPROTOOPT, [93] = EPROTONOSUPPORT, [95] = EOPNOTSUPP,
	[97] = EAFNOSUPPORT, [98] = EADDRINUSE, [99] = EADDRNOTAVAIL, [100] = ENETDOWN, [101] = ENETUNREACH, [102] = ENETRESET,
	[103] = ECONNABORTED, [104] = ECONNRESET, [105] = ENOBUFS, [106] = EISCONN, [107] = ENOTCONN, [110] = ETIMEDOUT,
	[111] = ECONNREFUSED, [113] = EHOSTUNREACH, [114] = EALREADY, [115] = EINPROGRESS, [116] = ESTALE, [122] = EDQUOT,
	[125] = ECANCELED, [130] = EOWNERDEAD, [131] = ENOTRECOVERABLE,
};

int wasm_bpf_errno_from_linux(int number)
{
	if (number >= 0 && (size_t)number < sizeof(from_linux) && (from_linux[number] || !number))
		return from_linux[number];
	// The kernel's own "not supported", which it lets out to user space in a few places.
	if (number == 524)
		return EOPNOTSUPP;
	// Numbers that wasi-libc gives to no error may keep their own; libbpf's are among them. Others would be taken for something else.
	return number > UINT8_MAX / 2 ? number : EIO;
}

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
	char *taken = realloc(text->ptr, text->len + 1);

	if (taken)
		taken[text->len] = '\0';
	else
		free(text->ptr);
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
		return wasm_bpf_errno_from_linux(code->val.other);
	return cases[code->tag].number;
}

int wb_fail_code(const wasm_bpf_bpf_types_error_code_t *code)
{
	return keep(cases[code->tag].name, number_of_code(code), NULL, NULL, NULL);
}

int wb_fail_silently(wasm_bpf_bpf_types_error_t *error)
{
	int number = error->errno ? wasm_bpf_errno_from_linux(error->errno) : number_of_code(&error->code);

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
