// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program to look into, for the tests of probes: about a thousand times in a second it calls its functions and passes its USDT probes.
#include <unistd.h>

// Not inlined, and with results that the compiler does not know.
__attribute__((noinline)) int probed_add(int first, int second)
{
	__asm__ volatile("" : "+r"(first), "+r"(second));
	return first + second;
}

__attribute__((noinline)) int probed_double(int number)
{
	__asm__ volatile("" : "+r"(number));
	return number * 2;
}

__attribute__((noinline)) int other_function(int number)
{
	__asm__ volatile("" : "+r"(number));
	return number + 3;
}

// Counted up by the kernel as long as somebody looks at the probe `wanted`. On a page of its own: one that two segments share is mapped
// twice.
__attribute__((section(".probes"), aligned(4096), used)) static volatile unsigned short semaphore[2048];

// What <sys/sdt.h> does: a nop where the probe is, and a note that tells where that is, where the semaphore is, and what holds the
// arguments.
#define PROBE(NAME, SEMAPHORE, ARGUMENT) \
	__asm__ volatile("990: nop\n" \
			 ".pushsection .note.stapsdt,\"?\",\"note\"\n" \
			 ".balign 4\n" \
			 ".4byte 992f-991f, 994f-993f, 3\n" \
			 "991: .asciz \"stapsdt\"\n" \
			 "992: .balign 4\n" \
			 "993: .8byte 990b\n" \
			 ".8byte _.stapsdt.base\n" \
			 ".8byte " SEMAPHORE "\n" \
			 ".asciz \"wasm_bpf\"\n" \
			 ".asciz \"" NAME "\"\n" \
			 ".asciz \"-4@%0\"\n" \
			 "994: .balign 4\n" \
			 ".popsection\n" \
			 ".ifndef _.stapsdt.base\n" \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
			 ".weak _.stapsdt.base\n" \
			 ".hidden _.stapsdt.base\n" \
			 "_.stapsdt.base: .space 1\n" \
			 ".size _.stapsdt.base,1\n" \
			 ".popsection\n" \
			 ".endif\n" \
			 : \
			 : "r"(ARGUMENT))

static __attribute__((noinline)) void pass(int number)
{
	PROBE("step", "0", number);
	if (semaphore[0])
		PROBE("wanted", "semaphore", number * 10);
}

int main(void)
{
	for (;;) {
		probed_add(40, 2);
		probed_double(21);
		other_function(1);
		pass(5);
		usleep(1000);
	}
}
