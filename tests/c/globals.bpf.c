/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Variables of all the kinds that a compiler for 32 bits lays out in another way than one for BPF. The program looks for what the other side
 * put into them, and then puts something else into each that it may write.
 */
#include "globals.h"

#define SEC(name) __attribute__((section(name), used))

char _license[] SEC("license") = "Dual BSD/GPL";

/* .rodata: set by the other side before the program is loaded. */
const volatile char ro_char = 'a';
const volatile long ro_long = -1;
const volatile _Bool ro_bool = 0;
const volatile unsigned long ro_array[3] = { 1, 2, 3 };
const volatile char ro_text[20] = "text of the object";
const volatile struct nested ro_nested = { .first = 1, .tail = { 2, 'b' } };
const volatile enum below ro_below = BELOW_NONE;
static const volatile int ro_hidden = 6;
const volatile enum wide ro_wide = WIDE_LOW;

SEC(".rodata.cfg") const volatile unsigned char cfg_char = 7;
SEC(".rodata.cfg") const volatile unsigned long cfg_long = 8;

/* .data: with values from the start. */
char data_char = 'd';
long data_long = -0x123456789abLL;
short data_short = -2;
unsigned long data_array[2][2] = { { 1, 2 }, { 3, 4 } };
char data_text[] = "data";
struct nested data_nested = { .first = 5, .tail = { 6, 'f' }, .between = 7, .bytes = { 8, 9 }, .wide = WIDE_HIGH,
	.point = { { 1, 2 }, { 3, 4 } } };
struct bits data_bits = { .three = 5, .thirteen = 4099, .forty = 0x8000000001ULL, .one = 1 };
struct packed data_packed = { .byte = 1, .number = 0x1122334455667788ULL, .rest = 0x99aa };
pair_t data_pair = { .total = -9, .name = "pair" };
double data_double = 0.5;
static int data_hidden = 77;
volatile enum wide data_wide = WIDE_HIGH;

SEC(".data.foo") int foo_int = 10;
SEC(".data.foo") long foo_long = 11;

/* .bss: zeroes. */
char bss_char;
void *bss_pointer;
char bss_char_again;
long (*bss_function)(long);
struct tail bss_tails[2];
static char bss_hidden;
struct bits bss_bits;
struct {
	char mark;
	long number;
	union {
		void *pointer;
		char bytes[12];
	};
	struct {
		unsigned long low : 33;
		unsigned long high : 7;
		char end;
	} fields[2];
} bss_inline;
__int128 bss_wide_number;
int bss_last;

/* The line of the first check that failed, and how often the program ran. */
int wrong_line;
int runs;

#ifndef ONE_BSS
SEC(".bss.x") char x_char;
SEC(".bss.x") unsigned long x_long;
#endif

#define WANT(condition) \
	do { \
		if (!(condition) && !wrong_line) \
			wrong_line = __LINE__; \
	} while (0)

/* In a function of its own, so that no compiler thinks that it knows the answer. */
static __attribute__((noinline)) int same(const volatile char *text, const char *expected, int length)
{
	for (int i = 0; i < 20 && i < length; i++)
		if (text[i] != expected[i])
			return 0;
	return 1;
}

SEC("raw_tp/sys_enter") int look(void *context)
{
	static const char text[] = TEXT;

	WANT(ro_char == 'A');
	WANT(ro_long == -0x7766554433221100L);
	WANT(ro_bool == 1);
	WANT(ro_array[0] == 1 && ro_array[1] == 0xa000000000000002 && ro_array[2] == 3);
	WANT(same(ro_text, text, sizeof(text)));
	WANT(ro_nested.first == 0xf1);
	WANT(ro_nested.tail.number == 0xf2f2f2f2f2f2f2f2);
	WANT(ro_nested.tail.letter == 0xf3);
	WANT(ro_nested.between == 0xf4f4);
	WANT(ro_nested.bytes[0] == 1 && ro_nested.bytes[7] == 8);
	WANT(ro_nested.wide == WIDE_HIGH);
	WANT(ro_nested.point[1].x == -3 && ro_nested.point[1].y == -4);
	WANT(ro_below == BELOW_ZERO);
	WANT(ro_hidden == 6);
	WANT(ro_wide == WIDE_HIGH);
	WANT(cfg_char == 0xc1);
	WANT(cfg_long == 0xc2c2c2c2c2c2c2c2);

	WANT(data_char == 'D');
	WANT(data_long == 0x7766554433221100);
	WANT(data_short == -200);
	WANT(data_array[1][0] == 0xd000000000000003 && data_array[1][1] == 4);
	WANT(same(data_text, "DATA", 5));
	WANT(data_nested.tail.letter == 'F' && data_nested.between == 0x7070);
	WANT(data_nested.wide == WIDE_LOW);
	WANT(data_nested.point[0].y == -2);
	WANT(data_bits.three == 2 && data_bits.thirteen == 8191 && data_bits.forty == 0xfffffffffe && data_bits.one == 0);
	WANT(data_packed.byte == 0xee && data_packed.number == 0xdddddddddddddddd && data_packed.rest == 0xcccc);
	WANT(data_pair.total == -0x100000000 && data_pair.name[4] == '!');
	WANT(*(unsigned long *)&data_double == 0xc000000000000000); /* -2.0 */
	WANT(data_hidden == 77);
	WANT(data_wide == WIDE_LOW);
	WANT(foo_int == -10);
	WANT(foo_long == -11);

	WANT(bss_char == 'B');
	WANT(bss_pointer == (void *)0xb000000000000001);
	WANT(bss_char_again == 'b');
	WANT(bss_function == (void *)0xb000000000000002);
	WANT(bss_tails[1].number == 0xb000000000000003 && bss_tails[1].letter == 0xb4);
	WANT(bss_bits.three == 1 && bss_bits.thirteen == 2 && bss_bits.forty == 3 && bss_bits.one == 1);
	WANT(bss_inline.mark == 'i' && bss_inline.number == -0xb00000000005);
	WANT(bss_inline.bytes[0] == 0x6b && bss_inline.bytes[11] == 0x7b);
	WANT(bss_inline.fields[1].low == 0x100000008 && bss_inline.fields[1].high == 0x49 && bss_inline.fields[1].end == 'e');
	WANT((unsigned long)bss_wide_number == 0xb00000000000000a && (unsigned long)(bss_wide_number >> 64) == 0xb00000000000000b);
	WANT(bss_last == 0x1a571a57);
#ifndef ONE_BSS
	WANT(x_char == 'x');
	WANT(x_long == 0xb00000000000000c);
#endif

	data_char = 1;
	data_long = -2;
	data_short = 3;
	data_array[0][1] = 0x4000000000000004;
	data_text[0] = 5;
	data_text[4] = 6;
	data_nested.first = 7;
	data_nested.tail.number = 0x8000000000000008;
	data_nested.tail.letter = 9;
	data_nested.word = 0x0a0a0a0a;
	data_nested.wide = WIDE_HIGH;
	data_nested.point[1].y = 11;
	data_bits.three = 4;
	data_bits.thirteen = 12;
	data_bits.forty = 0xcc0000000c;
	data_bits.one = 1;
	data_packed.byte = 13;
	data_packed.number = 0xd00000000000000d;
	data_packed.rest = 14;
	data_pair.total = 0xe00000000000000e;
	data_pair.name[4] = 15;
	*(unsigned long *)&data_double = 0x4059000000000000; /* 100.0 */
	data_wide = WIDE_HIGH;
	foo_int = 16;
	foo_long = 0x1000000000000011;

	bss_char = 18;
	bss_pointer = (void *)0x1300000000000013;
	bss_char_again = 20;
	bss_function = (void *)0x1500000000000015;
	bss_tails[0].number = 0x1600000000000016;
	bss_tails[0].letter = 23;
	bss_tails[1].letter = 24;
	bss_bits.three = 7;
	bss_bits.thirteen = 25;
	bss_bits.forty = 0xff0000001a;
	bss_bits.one = 0;
	bss_inline.mark = 27;
	bss_inline.number = 0x1c0000000000001c;
	bss_inline.pointer = (void *)0x1d0000000000001d;
	bss_inline.bytes[11] = 30;
	bss_inline.fields[0].low = 0x10000001f;
	bss_inline.fields[0].high = 32;
	bss_inline.fields[1].end = 33;
	bss_wide_number = ((__int128)0x2200000000000022 << 64) | 35;
	bss_last = 36;
#ifndef ONE_BSS
	x_char = 37;
	x_long = 0x2600000000000026;
#endif
	bss_hidden++;
	runs++;
	return 0;
}
