/*
 * Every kind of type that a skeleton must lay out as BPF does. What clang itself computes for sizes and offsets is in
 * the arrays named layout_*, where the program that uses the skeleton finds it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PACKED __attribute__((packed))
#define SIZE(type) sizeof(type)
#define AT(type, member) __builtin_offsetof(type, member)

enum state { STATE_IDLE, STATE_BUSY = 7 };
enum negative { NEGATIVE_LOW = -5, NEGATIVE_NONE = 0, self = 3 };
enum wide { WIDE_ZERO, WIDE_BIG = 0x123456789abcdef0ULL };
enum wide_negative { WIDE_NEGATIVE = -0x123456789abLL, WIDE_POSITIVE = 1 };
enum PACKED narrow { NARROW_A = 1, NARROW_B = 200 };

typedef struct {
	__u16 port;
	long since;
} endpoint_t;

struct inner {
	__u64 big;
	char small;
};

struct PACKED packed {
	__u8 tag;
	__u32 value;
	struct inner inside;
};

union address {
	__u32 v4;
	__u8 v6[16];
	struct inner *pointer;
};

struct bits {
	__u32 low : 3;
	__u32 high : 13;
	int negative : 5;
	_Bool yes : 1;
	enum state state : 4;
	__u64 wide : 40;
	unsigned char after;
	__u16 again : 9;
	unsigned long long full : 64;
};

struct flexible {
	__u32 length;
	__u64 data[];
};

struct aligned {
	char a;
	char b __attribute__((aligned(32)));
};

struct awkward {
	char first;
	long number;
	unsigned long size;
	void *pointer;
	struct inner nested;
	struct inner nested_array[2];
	short table[2][3];
	char text[5];
	signed char tiny;
	_Bool flag;
	enum state state;
	enum negative negative;
	enum wide wide;
	enum wide_negative wide_negative;
	enum narrow narrow;
	union address address;
	union {
		__u32 anonymous_a;
		__u16 anonymous_b;
	};
	struct {
		__u8 x;
		__u16 y;
	} unnamed;
	struct PACKED {
		__u8 p;
		__u32 q;
	} packed_unnamed;
	struct packed packed;
	endpoint_t endpoint;
	unsigned __int128 huge;
	struct aligned aligned;
	int type;
	int _pad0;
	int (*callback)(struct awkward *);
	const volatile int *const qualified;
};

/* A struct that has the name of a section, one that has the name of a Rust type, and a chain. */
struct data {
	int number;
};
struct u64 {
	int number;
};
struct node {
	struct node *next;
	struct only_behind_a_pointer *opaque;
};

const struct awkward *unused_awkward __attribute__((unused));
const struct flexible *unused_flexible __attribute__((unused));
const struct node *unused_nodes[2] __attribute__((unused));
const struct forward *unused_forward __attribute__((unused));

const volatile __u64 layout_inner[] = { SIZE(struct inner), AT(struct inner, small) };
const volatile __u64 layout_packed[] = { SIZE(struct packed), AT(struct packed, value), AT(struct packed, inside) };
const volatile __u64 layout_endpoint[] = { SIZE(endpoint_t), AT(endpoint_t, since) };
const volatile __u64 layout_address[] = { SIZE(union address) };
const volatile __u64 layout_bits[] = { SIZE(struct bits), AT(struct bits, after) };
const volatile __u64 layout_flexible[] = { SIZE(struct flexible), AT(struct flexible, data) };
const volatile __u64 layout_aligned[] = { SIZE(struct aligned), AT(struct aligned, b) };
const volatile __u64 layout_awkward[] = {
	SIZE(struct awkward),
	AT(struct awkward, number),
	AT(struct awkward, size),
	AT(struct awkward, pointer),
	AT(struct awkward, nested),
	AT(struct awkward, nested_array),
	AT(struct awkward, table),
	AT(struct awkward, text),
	AT(struct awkward, tiny),
	AT(struct awkward, flag),
	AT(struct awkward, state),
	AT(struct awkward, negative),
	AT(struct awkward, wide),
	AT(struct awkward, wide_negative),
	AT(struct awkward, narrow),
	AT(struct awkward, address),
	AT(struct awkward, anonymous_a),
	AT(struct awkward, unnamed),
	AT(struct awkward, packed_unnamed),
	AT(struct awkward, packed),
	AT(struct awkward, endpoint),
	AT(struct awkward, huge),
	AT(struct awkward, aligned),
	AT(struct awkward, type),
	AT(struct awkward, _pad0),
	AT(struct awkward, callback),
	AT(struct awkward, qualified),
};

/* One value of each type with something in every member, as clang writes it. */
struct bits bits_value = {
	.low = 5, .high = 0x1234, .negative = -3, .yes = 1, .state = STATE_BUSY,
	.wide = 0xabcdef0123, .after = 0x5a, .again = 0x155, .full = 0xfedcba9876543210ULL,
};
struct packed packed_value = { .tag = 1, .value = 0xdeadbeef, .inside = { .big = 2, .small = 'c' } };
union address address_value = { .v6 = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
endpoint_t endpoint_value = { .port = 443, .since = -1 };
enum negative negative_value = NEGATIVE_LOW;
enum wide wide_value = WIDE_BIG;
enum wide_negative wide_negative_value = WIDE_NEGATIVE;
enum narrow narrow_value = NARROW_B;
short table_value[2][3] = { { 1, 2, 3 }, { -4, -5, -6 } };
char text_value[8] = "awkward";
signed char tiny_value = -7;
unsigned __int128 huge_value = ((unsigned __int128)1 << 64) + 2;
struct { int x; } unnamed_value = { .x = 9 };
struct data data_value = { .number = 11 };
struct u64 u64_value = { .number = 12 };
int self_value = 13;
static int hidden_value = 21;

/* Ends with a byte, so that the section is no multiple of its alignment. */
const volatile long limit SEC(".rodata.cfg") = 1000;
const volatile _Bool enabled SEC(".rodata.cfg") = 1;
int counter SEC(".data.hits") = 5;
__u64 large[65536];

struct key {
	__u32 pid;
	char comm[3];
};
enum verdict { PASS, DROP };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, enum verdict);
} verdicts SEC(".maps");

struct inner_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct { __u16 a; __u64 b; });
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner_map);
} type SEC(".maps");

SEC("socket")
int manual(void *ctx)
{
	static int calls = 3;

	bpf_printk("call %d of %d", calls, hidden_value);
	hidden_value++;
	return calls++;
}

SEC("socket")
int match(void *ctx)
{
	large[bpf_get_smp_processor_id() & 0xffff]++;
	return limit + enabled + counter++;
}

SEC("socket")
int fails_to_attach(void *ctx)
{
	return 0;
}

SEC("socket")
int unreached(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
