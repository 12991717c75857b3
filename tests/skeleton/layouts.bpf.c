/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Layouts of types without a name, all of which the skeleton has to write out: enums of every size, packed structs, bit-fields that leave
 * gaps, alignment that someone asked for. That the skeleton compiles says that they came out right.
 */
#include "layouts.h"

#define SEC(name) __attribute__((section(name), used))

char _license[] SEC("license") = "Dual BSD/GPL";

enum { BELOW = -5, ABOVE = 7, LEAST = -2147483647 - 1 } enum_signed;
enum { FULL = 4294967295U } enum_full;
enum { BIG = 0x8000000000000000ULL, SMALL = 1 } enum_big;
enum { LEAST_OF_ALL = -0x7fffffffffffffffLL - 1, NONE = 0 } enum_least;
enum { BYTE = 200 } __attribute__((packed)) enum_byte;
enum { TWO_BYTES = 2000 } __attribute__((packed)) enum_two_bytes;

struct {
	unsigned int a : 3;
	unsigned int : 13;
	unsigned int b : 4;
	char c;
	long d : 33;
	long : 0;
	int e;
} bits_apart;

struct {
	unsigned int a : 20;
	unsigned int b : 20;
} __attribute__((packed)) bits_packed;

struct {
	_Bool a : 1, b : 1;
	unsigned char c : 7;
	unsigned short d : 9;
	enum { FIRST, SECOND } e : 2;
} bits_of_all_kinds;

struct {
	char a;
	int b;
	long c;
} __attribute__((packed)) packed[2][3];

struct {
	char a;
	struct {
		char b;
		long c;
	} __attribute__((packed)) in;
	struct {
		char d;
		__int128 e;
	} aligned;
	struct {
		char f;
		union {
			long g;
			struct {
				short h;
				void *i[2];
			};
		};
	};
} nested;

struct {
	int a __attribute__((aligned(32)));
	char b;
} aligned_field;

union {
	char a[3];
	struct {
		long b;
	};
	int c : 5;
} __attribute__((aligned(16))) aligned_union;

typedef int unaligned_int __attribute__((aligned(1)));
struct {
	char a;
	unaligned_int b;
} unaligned_field;

typedef const volatile long *pointer_t;
pointer_t pointers[2];
typedef char text_t[16];
text_t text;
text_t texts[2];
float single;
int nothing[0];

/* Of BTF one can only tell the array's length in the type, not in the variable. */
struct numbers numbers = { 2, { 1, 2 } };
int after_numbers = 3;

/* Types from the kernel's headers, which may be other ones for the other side. */
struct opaque opaque;
struct other_names other_names;

extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
extern const unsigned long CONFIG_HZ __attribute__((section(".kconfig"), weak));
extern _Bool CONFIG_BPF __attribute__((section(".kconfig"), weak));

SEC("socket") int program(void *context)
{
	return LINUX_KERNEL_VERSION + CONFIG_HZ + CONFIG_BPF;
}
