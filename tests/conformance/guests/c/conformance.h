// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the guests in C share: assertions, and talking with the runner. tests/conformance/README.md has the lines that they say to each other.
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <wasm-bpf.h>

#include "descriptors.h"
#include "wasm_bpf.h"

// The functions of the cases, as case.toml lists them: case_NAME.
#include "cases.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// ---- Assertions

// Ends the guest: where, what, and what the library said last.
_Noreturn void failed(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			failed(__FILE__, __LINE__, "not so: %s", #condition); \
	} while (0)

#define CHECK_EQ(value, expected) \
	do { \
		long long value_ = (long long)(value), expected_ = (long long)(expected); \
		if (value_ != expected_) \
			failed(__FILE__, __LINE__, "%s is %lld, not %lld (%s)", #value, value_, expected_, #expected); \
	} while (0)

#define CHECK_STR(value, expected) \
	do { \
		const char *value_ = (value), *expected_ = (expected); \
		if (!value_ || strcmp(value_, expected_)) \
			failed(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #value, value_ ? value_ : "(null)", expected_); \
	} while (0)

#define CHECK_MEM(value, expected, length) \
	do { \
		if (memcmp(value, expected, length)) \
			failed(__FILE__, __LINE__, "%s is not %s", #value, #expected); \
	} while (0)

// A call of the library that has to work: a result that is not negative.
#define OK(call) \
	({ \
		__typeof__(call) result_ = (call); \
		if (result_ < 0) \
			failed(__FILE__, __LINE__, "%s: %lld", #call, (long long)result_); \
		result_; \
	})

// The same for what returns a pointer.
#define SOME(call) \
	({ \
		__typeof__(call) result_ = (call); \
		if (!result_) \
			failed(__FILE__, __LINE__, "%s: errno %d", #call, errno); \
		result_; \
	})

// A call of the library that has to fail, with this case of an error ("not-found"): tells the runner that it was seen, and asserts that the message has each of
// these texts. A message has to name things; its wording is the host's.
#define FAILS(call, kind, ...) \
	do { \
		long long result_ = (long long)(call); \
		if (result_ >= 0) \
			failed(__FILE__, __LINE__, "%s should have failed", #call); \
		check_failure(__FILE__, __LINE__, (int)-result_, kind, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }); \
	} while (0)

// The same for what returns NULL.
#define FAILS_NULL(call, kind, ...) \
	do { \
		if ((call)) \
			failed(__FILE__, __LINE__, "%s should have failed", #call); \
		check_failure(__FILE__, __LINE__, errno, kind, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }); \
	} while (0)

void check_failure(const char *file, int line, int error, const char *kind, const char *const *parts);

// The same for functions of the generated bindings, whose last parameter is where an error goes: `err` is its name.
#define FAILS_CODE(call, err, kind) \
	do { \
		if ((call)) \
			failed(__FILE__, __LINE__, "%s should have failed", #call); \
		check_code(__FILE__, __LINE__, &(err), kind); \
	} while (0)

#define FAILS_ERROR(call, err, kind, ...) \
	do { \
		if ((call)) \
			failed(__FILE__, __LINE__, "%s should have failed", #call); \
		check_error(__FILE__, __LINE__, &(err), kind, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }); \
	} while (0)

void check_code(const char *file, int line, const wasm_bpf_bpf_types_error_code_t *code, const char *kind);
void check_error(const char *file, int line, wasm_bpf_bpf_types_error_t *error, const char *kind, const char *const *parts);

// The name of a case of an error: "not-found".
const char *code_name(const wasm_bpf_bpf_types_error_code_t *code);

// ---- What the runner says

// The value of an argument NAME=VALUE.
const char *given(const char *name);
// The same as a number.
unsigned long long number(const char *name);
// The CPUs that the runner may use: how many there are, and the first `room` of them.
int cpus(int *list, int room);

// ---- What the runner is asked to do

// Has the trigger's thread make its system call so many times.
void pull(unsigned long long count);
// The same on one CPU.
void pull_on(int cpu, unsigned long long count);
// Has the trigger's thread begin with that; does not wait for its end.
void begin_to_pull(unsigned long long count);
// Has the target of uprobes call its functions so many times.
void call_target(unsigned long long count);
// Has the process that runs the target call its functions so many times.
void call_in_process(unsigned long long count);
// Has a process in the cgroup do something, and the runner see what comes out: "ok", "ok=VALUE", or the number of an errno.
void in_cgroup(const char *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Has packets sent to the interface, out of it, and out of one to another.
void packets(unsigned long long count);
void packets_out(unsigned long long count);
void packets_through(unsigned long long count, const char *through, const char *to);
// Has the interface be taken away.
void unplug(void);
// Has the runner see that the interface has so many filters of traffic control, or no qdisc for them.
void has_filters(unsigned long long count);
void has_no_qdisc(void);
// Has the host be asked to stop in a moment.
void stop_soon(void);
// Has the runner see that something is in the kernel now ("link=7 map=3"); it also has to be gone in the end.
void is_held(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same for all that an object has.
void holds(struct bpf_object *object);
// Has the runner see that it is in the kernel no more.
void is_gone(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Any line that is not in this list.
void ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Says that what comes now has to end the guest. What follows must not be reached.
void traps_now(void);
// Says which case of an error was seen.
void saw(const char *kind);

// ---- Waiting and ids

// Waits until it is so: a packet may be dealt with a little after it was sent.
#define SOON(condition) \
	do { \
		for (int tries_ = 0; !(condition); tries_++) { \
			if (tries_ == 6000) \
				failed(__FILE__, __LINE__, "it did not come to be: %s", #condition); \
			wait_a_little(); \
		} \
	} while (0)

void wait_a_little(void);
uint64_t monotonic_ns(void);

// The kernel's ids.
uint32_t link_id(const struct bpf_link *link);
uint32_t map_id(int fd);
uint32_t program_id(int fd);

// Which system call of which thread makes programs act.
static inline uint32_t trigger_thread(void)
{
	return number("trigger-thread");
}

static inline uint64_t trigger_syscall(void)
{
	return number("trigger-syscall");
}

// ---- Handles for the generated bindings, of what the library has descriptors of.

wasm_bpf_bpf_maps_borrow_map_t raw_map(int fd);
wasm_bpf_bpf_programs_borrow_program_t raw_program(int fd);
wasm_bpf_bpf_links_borrow_link_t raw_link(int fd);

// Whether an answer of the generated bindings is there and is these bytes; it is freed.
bool is_bytes(wasm_bpf_option_list_u8_t *answer, const void *expected, size_t length);

// ---- Texts and bytes for the generated bindings: nothing is copied.

static inline wasm_bpf_string_t text(const char *characters)
{
	return (wasm_bpf_string_t){ (uint8_t *)characters, strlen(characters) };
}

static inline wasm_bpf_list_u8_t bytes(const void *data, size_t length)
{
	return (wasm_bpf_list_u8_t){ (uint8_t *)data, length };
}

#endif
