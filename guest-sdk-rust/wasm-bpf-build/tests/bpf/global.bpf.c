/*
 * Global variables in every kind of section. The skeleton's type for .data has the name of a type in the guest crate.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct point {
	short x;
	short y;
};
enum level { LOW = 1, HIGH = 2 };

/* The names that the skeleton itself uses. */
__u8 section = 1;
__u64 get = 2;
int type = -3;
__u16 new[3] = { 4, 5, 6 };
__u32 object = 7;
static __u32 value = 8;
struct point points[2] = { { 9, 10 }, { 11, 12 } };
struct { __s8 sign; } unnamed = { -13 };
enum level level = HIGH;
const char *text = 0;

__u32 count;
__u64 self;

const volatile __u32 limit = 14;
const volatile struct point origin = { 15, 16 };

__u8 first SEC(".data.foo") = 17;
__u64 second SEC(".data.foo") = 18;
const volatile __u16 third SEC(".rodata.foo") = 19;
__u32 fourth SEC(".bss.foo");

/* Sections whose names are the same in Rust. */
int fifth SEC(".data.a_b") = 20;
int sixth SEC(".data.a.b") = 21;
int seventh SEC(".data.aB") = 22;

/* Nothing but static variables. */
static volatile __u32 hidden SEC(".data.only") = 23;
static volatile __u8 alone SEC(".data.only") = 24;

/* Ends inside of its alignment. */
long wide SEC(".data.odd") = 25;
_Bool yes SEC(".data.odd") = 1;

SEC("socket")
int look(void *ctx)
{
	static int calls = 26;

	bpf_printk("%d %d", hidden++, alone++);
	value++;
	return calls++;
}

char LICENSE[] SEC("license") = "GPL";
