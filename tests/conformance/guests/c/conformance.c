// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "conformance.h"

#include <stdarg.h>
#include <time.h>

static char **arguments;

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
#define CASE(name, function) { name, function },
	CASES
#undef CASE
};

int main(int argc, char **argv)
{
	if (argc < 2)
		failed(__FILE__, __LINE__, "the first argument names the case");
	arguments = argv + 2;
	for (size_t i = 0; i < LENGTH(all); i++) {
		if (!strcmp(all[i].name, argv[1])) {
			all[i].run();
			return 0;
		}
	}
	// A wrong name must not pass.
	failed(__FILE__, __LINE__, "there is no case \"%s\"", argv[1]);
}

void failed(const char *file, int line, const char *format, ...)
{
	const struct wasm_bpf_error *last = wasm_bpf_last_error();
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (last)
		fprintf(stderr, "the last error: %s: %s\n%s", last->kind, last->message,
			last->verifier_log ? last->verifier_log : "");
	exit(1);
}

const char *code_name(const wasm_bpf_bpf_types_error_code_t *code)
{
	static const char *const names[] = {
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_GRANTED] = "not-granted",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_PERMITTED] = "not-permitted",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_ACCESS_DENIED] = "access-denied",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_REJECTED_BY_VERIFIER] = "rejected-by-verifier",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_MALFORMED] = "malformed",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_WRONG_SIZE] = "wrong-size",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_INVALID_ARGUMENT] = "invalid-argument",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND] = "not-found",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_ALREADY_EXISTS] = "already-exists",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_BUSY] = "busy",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_FULL] = "full",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NO_SPACE] = "no-space",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_OUT_OF_MEMORY] = "out-of-memory",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_LIMIT_EXCEEDED] = "limit-exceeded",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_WOULD_BLOCK] = "would-block",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_INTERRUPTED] = "interrupted",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NO_SUCH_DEVICE] = "no-such-device",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NO_SUCH_PROCESS] = "no-such-process",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_SUPPORTED] = "not-supported",
		[WASM_BPF_BPF_TYPES_ERROR_CODE_OTHER] = "other",
	};

	return code->tag < LENGTH(names) ? names[code->tag] : "unknown";
}

void check_failure(const char *file, int line, int error, const char *kind, const char *const *parts)
{
	const struct wasm_bpf_error *last = wasm_bpf_last_error();

	if (!last)
		failed(file, line, "errno %d, and no error is known", error);
	if (error != last->error_number)
		failed(file, line, "errno is %d, and that of the error is %d", error, last->error_number);
	if (strcmp(last->kind, kind))
		failed(file, line, "%s in place of %s", last->kind, kind);
	for (; *parts; parts++) {
		if (!strstr(last->message, *parts) && !(last->verifier_log && strstr(last->verifier_log, *parts)))
			failed(file, line, "the message does not have \"%s\"", *parts);
	}
	saw(kind);
}

void check_code(const char *file, int line, const wasm_bpf_bpf_types_error_code_t *code, const char *kind)
{
	if (strcmp(code_name(code), kind))
		failed(file, line, "%s in place of %s", code_name(code), kind);
	saw(kind);
}

void check_error(const char *file, int line, wasm_bpf_bpf_types_error_t *error, const char *kind, const char *const *parts)
{
	char *message = strndup((char *)error->message.ptr, error->message.len);

	if (!message)
		failed(file, line, "no memory");
	if (strcmp(code_name(&error->code), kind))
		failed(file, line, "%s in place of %s: %s", code_name(&error->code), kind, message);
	for (; *parts; parts++) {
		if (!strstr(message, *parts))
			failed(file, line, "the message does not have \"%s\": %s", *parts, message);
	}
	free(message);
	saw(kind);
}

const char *given(const char *name)
{
	size_t length = strlen(name);

	for (char **argument = arguments; *argument; argument++) {
		if (!strncmp(*argument, name, length) && (*argument)[length] == '=')
			return *argument + length + 1;
	}
	failed(__FILE__, __LINE__, "the runner gave no %s", name);
}

unsigned long long number(const char *name)
{
	const char *value = given(name);
	unsigned long long result;
	char *end;

	errno = 0;
	result = strtoull(value, &end, 0);
	if (errno || end == value || *end)
		failed(__FILE__, __LINE__, "%s=%s is no number", name, value);
	return result;
}

int cpus(int *list, int room)
{
	const char *next = given("cpus");
	int count = 0;

	while (*next) {
		char *end;
		long cpu = strtol(next, &end, 10);

		if (end == next || (*end && *end != ','))
			failed(__FILE__, __LINE__, "cpus=%s is no list", given("cpus"));
		if (count < room)
			list[count] = cpu;
		count++;
		next = *end ? end + 1 : end;
	}
	return count;
}

static void print_line(const char *start, const char *format, va_list args)
{
	fputs(start, stdout);
	vprintf(format, args);
	putchar('\n');
	if (fflush(stdout))
		failed(__FILE__, __LINE__, "standard output is closed");
}

static void ask_list(const char *format, va_list args)
{
	char answer[64];

	print_line("> ", format, args);
	if (!fgets(answer, sizeof(answer), stdin))
		failed(__FILE__, __LINE__, "standard input is closed");
	if (strcmp(answer, "done\n"))
		failed(__FILE__, __LINE__, "the answer to \"%s\": %s", format, answer);
}

void ask(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ask_list(format, args);
	va_end(args);
}

void pull(unsigned long long count)
{
	ask("pull %llu", count);
}

void pull_on(int cpu, unsigned long long count)
{
	ask("pull %llu on %d", count, cpu);
}

void begin_to_pull(unsigned long long count)
{
	ask("begin %llu", count);
}

void call_target(unsigned long long count)
{
	ask("call %llu", count);
}

void call_in_process(unsigned long long count)
{
	ask("serve %llu", count);
}

void in_cgroup(const char *outcome, const char *format, ...)
{
	char action[512];
	va_list args;

	va_start(args, format);
	vsnprintf(action, sizeof(action), format, args);
	va_end(args);
	ask("in-cgroup %s %s", outcome, action);
}

void packets(unsigned long long count)
{
	packets_through(count, "wb1", "wb0");
}

void packets_out(unsigned long long count)
{
	packets_through(count, "wb0", "wb1");
}

void packets_through(unsigned long long count, const char *through, const char *to)
{
	ask("packets %llu through %s to %s", count, through, to);
}

void unplug(void)
{
	ask("unplug");
}

void has_filters(unsigned long long count)
{
	ask("filters %llu", count);
}

void has_no_qdisc(void)
{
	ask("filters none");
}

void stop_soon(void)
{
	ask("stop");
}

void is_held(const char *format, ...)
{
	char what[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	ask("held %s", what);
}

void holds(struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object) {
		if (bpf_program__fd(program) >= 0)
			is_held("program=%u", program_id(bpf_program__fd(program)));
	}
	bpf_object__for_each_map(map, object) {
		if (bpf_map__fd(map) >= 0)
			is_held("map=%u", map_id(bpf_map__fd(map)));
	}
}

void is_gone(const char *format, ...)
{
	char what[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	ask("gone %s", what);
}

void traps_now(void)
{
	puts("= trap");
	fflush(stdout);
}

void saw(const char *kind)
{
	printf("= error %s\n", kind);
	fflush(stdout);
}

void wait_a_little(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	nanosleep(&time, NULL);
}

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

uint32_t link_id(const struct bpf_link *link)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &size));
	return info.id;
}

uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_map_get_info_by_fd(fd, &info, &size));
	return info.id;
}

uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_prog_get_info_by_fd(fd, &info, &size));
	return info.id;
}

wasm_bpf_bpf_maps_borrow_map_t raw_map(int fd)
{
	wasm_bpf_bpf_maps_borrow_map_t map = {};

	CHECK(wb_map_of(fd, &map));
	return map;
}

wasm_bpf_bpf_programs_borrow_program_t raw_program(int fd)
{
	wasm_bpf_bpf_programs_borrow_program_t program = {};

	CHECK(wb_program_of(fd, &program));
	return program;
}

wasm_bpf_bpf_links_borrow_link_t raw_link(int fd)
{
	wasm_bpf_bpf_links_borrow_link_t link = {};

	CHECK(wb_link_of(fd, &link));
	return link;
}

bool is_bytes(wasm_bpf_option_list_u8_t *answer, const void *expected, size_t length)
{
	bool is = answer->is_some && answer->val.len == length && !memcmp(answer->val.ptr, expected, length);

	if (answer->is_some)
		wasm_bpf_option_list_u8_free(answer);
	return is;
}
