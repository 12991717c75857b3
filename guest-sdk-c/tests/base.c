// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the library says without a host: its version, texts of errors, and messages through the print callback.
#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <wasm-bpf.h>

#include "check.h"

static char said[256];
static enum libbpf_print_level said_at;

static int listen(enum libbpf_print_level level, const char *format, va_list ap)
{
	said_at = level;
	return vsnprintf(said, sizeof(said), format, ap);
}

int main(void)
{
	libbpf_print_fn_t first;
	char text[64];

	CHECK_IS(libbpf_major_version(), 1);
	CHECK_IS(libbpf_minor_version(), LIBBPF_MINOR_VERSION);
	CHECK_TEXT(libbpf_version_string(), "v1.7");
	CHECK_IS(libbpf_set_strict_mode(LIBBPF_STRICT_ALL), 0);
	CHECK_IS(libbpf_set_memlock_rlim(0), 0);

	CHECK_IS(libbpf_strerror(-ENOENT, text, sizeof(text)), 0);
	CHECK_TEXT(text, strerror(ENOENT));
	CHECK_IS(libbpf_strerror(LIBBPF_ERRNO__VERIFY, text, sizeof(text)), 0);
	CHECK(strstr(text, "verifier"));
	CHECK_ERR(libbpf_strerror(LIBBPF_ERRNO__VERIFY, text, 4), ERANGE);
	CHECK_IS(strlen(text), 3);
	CHECK_ERR(libbpf_strerror(__LIBBPF_ERRNO__END, text, sizeof(text)), ENOENT);
	CHECK(strstr(text, "4014"));
	CHECK_ERR(libbpf_strerror(1, NULL, 0), EINVAL);

	CHECK(!wasm_bpf_last_error());
	first = libbpf_set_print(listen);
	CHECK(first);
	CHECK_NULL(bpf_object__open_mem("no object", 9, NULL), LIBBPF_ERRNO__FORMAT);
	CHECK_IS(libbpf_get_error(NULL), -LIBBPF_ERRNO__FORMAT);
	CHECK_IS(libbpf_get_error(text), 0);
	CHECK_IS(said_at, LIBBPF_WARN);
	CHECK(!strncmp(said, "libbpf: ", 8) && said[strlen(said) - 1] == '\n');
	CHECK(wasm_bpf_last_error());
	CHECK_TEXT(wasm_bpf_last_error()->kind, "malformed");
	CHECK_IS(wasm_bpf_last_error()->error_number, LIBBPF_ERRNO__FORMAT);
	CHECK(*wasm_bpf_last_error()->message);

	said[0] = '\0';
	CHECK(libbpf_set_print(NULL) == listen);
	CHECK_ERR(bpf_map_freeze(3), EBADF);
	CHECK_TEXT(said, "");
	CHECK(!libbpf_set_print(first));
	return 0;
}
