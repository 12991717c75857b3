// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// needs: --dir /tmp
// errno has Linux' numbers, also of what wasi-libc fails with; texts and names are those of native programs.
#define _GNU_SOURCE
#include <err.h>
#include <error.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

static void test_numbers(void)
{
	char *end;

	// As the kernel has them, and BPF programs.
	CHECK_IS(EPERM, 1);
	CHECK_IS(ENOENT, 2);
	CHECK_IS(EINTR, 4);
	CHECK_IS(EAGAIN, 11);
	CHECK_IS(EINVAL, 22);
	CHECK_IS(ENOSYS, 38);
	CHECK_IS(EUCLEAN, 117);
	CHECK_IS(ENOTSUP, EOPNOTSUPP);

	errno = 0;
	CHECK(open("/nowhere/at/all", O_RDONLY) < 0);
	CHECK_IS(errno, ENOENT);
	errno = 0;
	strtoul("99999999999999999999", &end, 10);
	CHECK_IS(errno, 34);
	// The same again: what was there before is not taken for it.
	errno = 0;
	strtoul("99999999999999999999", &end, 10);
	CHECK_IS(errno, ERANGE);
	errno = 0;
	CHECK_IS(errno, 0);
	CHECK(close(4321) < 0);
	CHECK_IS(errno, EBADF);
	errno = EUCLEAN;
	CHECK_IS(errno, 117);
	// A success does not change it.
	CHECK(write(STDOUT_FILENO, "", 0) == 0);
	CHECK_IS(errno, EUCLEAN);
}

static void test_texts(void)
{
	char text[64];

	CHECK_TEXT(strerror(0), "Success");
	CHECK_TEXT(strerror(ENOENT), "No such file or directory");
	CHECK_TEXT(strerror(EIO), "Input/output error");
	CHECK_TEXT(strerror(EOPNOTSUPP), "Operation not supported");
	CHECK_TEXT(strerror(EHWPOISON), "Memory page has hardware error");
	CHECK_TEXT(strerror(41), "Unknown error 41");
	CHECK_TEXT(strerror(524), "Unknown error 524");
	CHECK_TEXT(strerror(-3), "Unknown error -3");
	CHECK_TEXT(strerror_r(EPERM, text, sizeof(text)), "Operation not permitted");
	CHECK_TEXT(strerror_r(1000, text, sizeof(text)), "Unknown error 1000");
	CHECK_TEXT(strerrordesc_np(ENOMEM), "Cannot allocate memory");
	CHECK(!strerrordesc_np(1000));
	CHECK_TEXT(strerrorname_np(EACCES), "EACCES");
	CHECK_TEXT(strerrorname_np(0), "0");
	CHECK(!strerrorname_np(41));
	errno = ENOTCONN;
	snprintf(text, sizeof(text), "%m");
	CHECK_TEXT(text, "Transport endpoint is not connected");
	// Nobody has looked at it yet.
	CHECK(open("/nowhere/at/all", O_RDONLY) < 0);
	snprintf(text, sizeof(text), "%m");
	CHECK_TEXT(text, "No such file or directory");
	CHECK_IS(errno, ENOENT);

	CHECK_TEXT(strsignal(2), "Interrupt");
	CHECK_TEXT(strsignal(15), "Terminated");
	CHECK_TEXT(strsignal(36), "Real-time signal 2");
	CHECK_TEXT(strsignal(99), "Unknown signal 99");
	CHECK_TEXT(sigabbrev_np(2), "INT");
	CHECK_TEXT(sigdescr_np(11), "Segmentation fault");
	CHECK(!sigabbrev_np(33));
}

// Returns how it went: what would be said of it goes to the file.
static int test_messages(void)
{
	static const char wanted[] =
		"it: Device or resource busy\n"
		"prog: no room: No space left on device\nprog: only 3\n"
		"/bin/prog: which one: No such device\n/bin/prog: plain\n/bin/prog:file:7: there: Invalid argument\n";
	char path[] = "/tmp/wasm-bpf-errors-XXXXXX", text[512];
	FILE *stream;
	size_t size;
	int fd;

	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	CHECK(freopen(path, "w", stderr));
	program_invocation_name = "/bin/prog";
	program_invocation_short_name = "prog";
	errno = EBUSY;
	perror("it");
	errno = ENOSPC;
	warn("no %s", "room");
	warnx("only %d", 3);
	error(0, ENODEV, "which %s", "one");
	error(0, 0, "plain");
	error_at_line(0, EINVAL, "file", 7, "there");
	fflush(stderr);

	stream = fopen(path, "r");
	size = stream ? fread(text, 1, sizeof(text) - 1, stream) : 0;
	text[size] = 0;
	if (stream)
		fclose(stream);
	unlink(path);
	if (!strcmp(text, wanted) && error_message_count == 3)
		return 0;
	printf("%u messages were counted, and these are not the wanted ones:\n%s", error_message_count, text);
	return 1;
}

static void test_names_of_files(void)
{
	char path[] = "/usr/lib/";

	CHECK_TEXT(basename("/usr/lib/libc.so"), "libc.so");
	CHECK_TEXT(basename(path), "");
	CHECK_TEXT(path, "/usr/lib/");
}

int main(void)
{
	test_numbers();
	test_texts();
	test_names_of_files();
	return test_messages();
}
