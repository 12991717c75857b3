// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The other side of globals.bpf.c, for native libbpf and for guests alike: what it writes into the global data of the program arrives there,
// and what the program writes arrives here, each in its place.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "globals.h"
#include "globals.skel.h"

static int failures;

#define WANT(condition) \
	do { \
		if (!(condition)) { \
			failures++; \
			fprintf(stderr, "globals.c:%d: not so: %s\n", __LINE__, #condition); \
		} \
	} while (0)

// A pointer of BPF is a pointer in one skeleton, a number in the other.
#define POINTER(variable, value) ((variable) = (__typeof__(variable))(value))
#define NUMBER(pointer) ((__u64)(pointer))

static __u64 half(const void *number, int which)
{
	__u64 halves[2];

	memcpy(halves, number, sizeof(halves));
	return halves[which];
}

// As the object has them.
static void check_initial(struct globals_bpf *skel)
{
	WANT(skel->rodata->ro_char == 'a');
	WANT(skel->rodata->ro_long == -1);
	WANT(!skel->rodata->ro_bool);
	WANT(skel->rodata->ro_array[2] == 3);
	WANT(strcmp((const char *)skel->rodata->ro_text, "text of the object") == 0);
	WANT(skel->rodata->ro_nested.tail.number == 2 && skel->rodata->ro_nested.tail.letter == 'b');
	WANT(skel->rodata->ro_wide == WIDE_LOW);
	WANT(skel->rodata_cfg->cfg_char == 7);
	WANT(skel->rodata_cfg->cfg_long == 8);

	WANT(skel->data->data_char == 'd');
	WANT(skel->data->data_long == -0x123456789abLL);
	WANT(skel->data->data_short == -2);
	WANT(skel->data->data_array[1][1] == 4);
	WANT(strcmp(skel->data->data_text, "data") == 0);
	WANT(skel->data->data_nested.tail.number == 6 && skel->data->data_nested.between == 7);
	WANT(skel->data->data_nested.bytes[1] == 9 && skel->data->data_nested.wide == WIDE_HIGH);
	WANT(skel->data->data_nested.point[1].y == 4);
	WANT(skel->data->data_bits.three == 5 && skel->data->data_bits.thirteen == 4099);
	WANT(skel->data->data_bits.forty == 0x8000000001ULL && skel->data->data_bits.one == 1);
	WANT(skel->data->data_packed.number == 0x1122334455667788ULL && skel->data->data_packed.rest == 0x99aa);
	WANT(skel->data->data_pair.total == -9 && strcmp(skel->data->data_pair.name, "pair") == 0);
	WANT(skel->data->data_double == 0.5);
	WANT(skel->data->data_wide == WIDE_HIGH);
	WANT(skel->data_foo->foo_int == 10 && skel->data_foo->foo_long == 11);

	WANT(skel->bss->bss_char == 0 && NUMBER(skel->bss->bss_pointer) == 0 && skel->bss->bss_inline.number == 0);
}

static void set_constants(struct globals_bpf *skel)
{
	skel->rodata->ro_char = 'A';
	skel->rodata->ro_long = -0x7766554433221100LL;
	skel->rodata->ro_bool = true;
	skel->rodata->ro_array[1] = 0xa000000000000002ULL;
	memcpy((void *)skel->rodata->ro_text, TEXT, sizeof(TEXT));
	skel->rodata->ro_nested.first = 0xf1;
	skel->rodata->ro_nested.tail.number = 0xf2f2f2f2f2f2f2f2ULL;
	skel->rodata->ro_nested.tail.letter = 0xf3;
	skel->rodata->ro_nested.between = 0xf4f4;
	for (int i = 0; i < 8; i++)
		skel->rodata->ro_nested.bytes[i] = i + 1;
	skel->rodata->ro_nested.wide = WIDE_HIGH;
	skel->rodata->ro_nested.point[1].x = -3;
	skel->rodata->ro_nested.point[1].y = -4;
	skel->rodata->ro_below = BELOW_ZERO;
	skel->rodata->ro_wide = WIDE_HIGH;
	skel->rodata_cfg->cfg_char = 0xc1;
	skel->rodata_cfg->cfg_long = 0xc2c2c2c2c2c2c2c2ULL;
}

static void set_data(struct globals_bpf *skel)
{
	skel->data->data_char = 'D';
	skel->data->data_long = 0x7766554433221100LL;
	skel->data->data_short = -200;
	skel->data->data_array[1][0] = 0xd000000000000003ULL;
	memcpy(skel->data->data_text, "DATA", 5);
	skel->data->data_nested.tail.letter = 'F';
	skel->data->data_nested.between = 0x7070;
	skel->data->data_nested.wide = WIDE_LOW;
	skel->data->data_nested.point[0].y = -2;
	skel->data->data_bits.three = 2;
	skel->data->data_bits.thirteen = 8191;
	skel->data->data_bits.forty = 0xfffffffffeULL;
	skel->data->data_bits.one = 0;
	skel->data->data_packed.byte = 0xee;
	skel->data->data_packed.number = 0xddddddddddddddddULL;
	skel->data->data_packed.rest = 0xcccc;
	skel->data->data_pair.total = -0x100000000LL;
	skel->data->data_pair.name[4] = '!';
	skel->data->data_double = -2.0;
	skel->data->data_wide = WIDE_LOW;
	skel->data_foo->foo_int = -10;
	skel->data_foo->foo_long = -11;
}

static void set_zeroes(struct globals_bpf *skel)
{
	const __u64 halves[2] = { 0xb00000000000000aULL, 0xb00000000000000bULL };

	skel->bss->bss_char = 'B';
	POINTER(skel->bss->bss_pointer, 0xb000000000000001ULL);
	skel->bss->bss_char_again = 'b';
	POINTER(skel->bss->bss_function, 0xb000000000000002ULL);
	skel->bss->bss_tails[1].number = 0xb000000000000003ULL;
	skel->bss->bss_tails[1].letter = 0xb4;
	skel->bss->bss_bits.three = 1;
	skel->bss->bss_bits.thirteen = 2;
	skel->bss->bss_bits.forty = 3;
	skel->bss->bss_bits.one = 1;
	skel->bss->bss_inline.mark = 'i';
	skel->bss->bss_inline.number = -0xb00000000005LL;
	skel->bss->bss_inline.bytes[0] = 0x6b;
	skel->bss->bss_inline.bytes[11] = 0x7b;
	skel->bss->bss_inline.fields[1].low = 0x100000008ULL;
	skel->bss->bss_inline.fields[1].high = 0x49;
	skel->bss->bss_inline.fields[1].end = 'e';
	memcpy(&skel->bss->bss_wide_number, halves, sizeof(halves));
	skel->bss->bss_last = 0x1a571a57;
#ifndef ONE_BSS
	skel->bss_x->x_char = 'x';
	skel->bss_x->x_long = 0xb00000000000000cULL;
#endif
}

// As the program leaves them.
static void check_final(struct globals_bpf *skel)
{
	WANT(skel->data->data_char == 1);
	WANT(skel->data->data_long == -2);
	WANT(skel->data->data_short == 3);
	WANT(skel->data->data_array[0][1] == 0x4000000000000004ULL && skel->data->data_array[1][0] == 0xd000000000000003ULL);
	WANT(skel->data->data_text[0] == 5 && skel->data->data_text[1] == 'A' && skel->data->data_text[4] == 6);
	WANT(skel->data->data_nested.first == 7);
	WANT(skel->data->data_nested.tail.number == 0x8000000000000008ULL && skel->data->data_nested.tail.letter == 9);
	WANT(skel->data->data_nested.between == 0x7070);
	WANT(skel->data->data_nested.word == 0x0a0a0a0a && skel->data->data_nested.bytes[4] == 0);
	WANT(skel->data->data_nested.wide == WIDE_HIGH);
	WANT(skel->data->data_nested.point[1].y == 11);
	WANT(skel->data->data_bits.three == 4 && skel->data->data_bits.thirteen == 12);
	WANT(skel->data->data_bits.forty == 0xcc0000000cULL && skel->data->data_bits.one == 1);
	WANT(skel->data->data_packed.byte == 13 && skel->data->data_packed.rest == 14);
	WANT(skel->data->data_packed.number == 0xd00000000000000dULL);
	WANT(skel->data->data_pair.total == (__s64)0xe00000000000000eULL && skel->data->data_pair.name[4] == 15);
	WANT(skel->data->data_double == 100.0);
	WANT(skel->data->data_wide == WIDE_HIGH);
	WANT(skel->data_foo->foo_int == 16 && skel->data_foo->foo_long == 0x1000000000000011LL);

	WANT(skel->bss->bss_char == 18);
	WANT(NUMBER(skel->bss->bss_pointer) == 0x1300000000000013ULL);
	WANT(skel->bss->bss_char_again == 20);
	WANT(NUMBER(skel->bss->bss_function) == 0x1500000000000015ULL);
	WANT(skel->bss->bss_tails[0].number == 0x1600000000000016ULL && skel->bss->bss_tails[0].letter == 23);
	WANT(skel->bss->bss_tails[1].number == 0xb000000000000003ULL && skel->bss->bss_tails[1].letter == 24);
	WANT(skel->bss->bss_bits.three == 7 && skel->bss->bss_bits.thirteen == 25);
	WANT(skel->bss->bss_bits.forty == 0xff0000001aULL && skel->bss->bss_bits.one == 0);
	WANT(skel->bss->bss_inline.mark == 27 && skel->bss->bss_inline.number == 0x1c0000000000001cLL);
	WANT(NUMBER(skel->bss->bss_inline.pointer) == 0x1d0000000000001dULL);
	WANT(skel->bss->bss_inline.bytes[11] == 30);
	WANT(skel->bss->bss_inline.fields[0].low == 0x10000001fULL && skel->bss->bss_inline.fields[0].high == 32);
	WANT(skel->bss->bss_inline.fields[1].low == 0x100000008ULL && skel->bss->bss_inline.fields[1].end == 33);
	WANT(half(&skel->bss->bss_wide_number, 0) == 35 && half(&skel->bss->bss_wide_number, 1) == 0x2200000000000022ULL);
	WANT(skel->bss->bss_last == 36);
#ifndef ONE_BSS
	WANT(skel->bss_x->x_char == 37 && skel->bss_x->x_long == 0x2600000000000026ULL);
#endif
	WANT(skel->bss->runs == 1);
	// What the program was not content with, by its line in globals.bpf.c.
	WANT(skel->bss->wrong_line == 0);
	if (skel->bss->wrong_line)
		fprintf(stderr, "globals.bpf.c:%d: not so\n", skel->bss->wrong_line);
	// Constants are still there.
	WANT(skel->rodata->ro_char == 'A' && skel->rodata_cfg->cfg_long == 0xc2c2c2c2c2c2c2c2ULL);
}

int main(void)
{
	struct globals_bpf *skel = globals_bpf__open();
	int err;

	if (!skel) {
		perror("globals_bpf__open");
		return 1;
	}
	check_initial(skel);
	set_constants(skel);
	// Some of the rest before the program is loaded, some after it.
	set_data(skel);
	err = globals_bpf__load(skel);
	if (err) {
		fprintf(stderr, "globals_bpf__load: %d\n", err);
		globals_bpf__destroy(skel);
		return 1;
	}
	set_zeroes(skel);

	LIBBPF_OPTS(bpf_test_run_opts, opts);
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.look), &opts);
	if (err) {
		fprintf(stderr, "bpf_prog_test_run_opts: %d\n", err);
		globals_bpf__destroy(skel);
		return 1;
	}
	check_final(skel);
	globals_bpf__destroy(skel);
	if (!failures)
		printf("both sides agree\n");
	return failures ? 1 : 0;
}
