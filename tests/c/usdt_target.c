// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program with a USDT probe, wasm_bpf:step, which it passes as often as its argument says: with a number, a text and a third argument.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// What <sys/sdt.h> does, for one probe: a nop where it is, and a note that tells where that is and what holds the arguments.
__attribute__((noinline)) static void step(long number, const char *text, long third)
{
	__asm__ volatile("990: nop\n"
			 ".pushsection .note.stapsdt,\"?\",\"note\"\n"
			 ".balign 4\n"
			 ".4byte 992f-991f, 994f-993f, 3\n"
			 "991: .asciz \"stapsdt\"\n"
			 "992: .balign 4\n"
			 "993: .8byte 990b\n"
			 ".8byte _.stapsdt.base\n"
			 ".8byte 0\n"
			 ".asciz \"wasm_bpf\"\n"
			 ".asciz \"step\"\n"
			 ".asciz \"-8@%0 8@%1 -8@%2\"\n"
			 "994: .balign 4\n"
			 ".popsection\n"
			 ".ifndef _.stapsdt.base\n"
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
			 ".weak _.stapsdt.base\n"
			 ".hidden _.stapsdt.base\n"
			 "_.stapsdt.base: .space 1\n"
			 ".size _.stapsdt.base,1\n"
			 ".popsection\n"
			 ".endif\n"
			 :
			 : "r"(number), "r"(text), "r"(third));
}

int main(int argc, char **argv)
{
	static const char *const texts[] = { "one", "two", "three" };
	long times = argc > 1 ? strtol(argv[1], NULL, 10) : 1;

	for (long i = 0; i < times; i++) {
		// A probe cannot bring in a page that was never touched.
		*(volatile const char *)texts[i % 3];
		step(i % 3, texts[i % 3], -i);
	}
	return 0;
}
