// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// malloc() and its kin, in the place of wasi-libc's, whose allocator is a tenth of what a small component weighs.
//
// Blocks lie one behind the other, each with its size before its memory. A free one has its size at its end too, so that its neighbours
// find it, and is in the list of its class: two classes for each power of two.
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Of all memory that is given out, as for long double.
#define ALIGNMENT 16u
#define PAGE 65536u

// In the low bits of a size.
#define USED 1u
#define BEFORE_USED 2u
#define FLAGS (USED | BEFORE_USED)

// The memory of a block begins behind its size. In a free block there are the neighbours in its list.
struct block {
	uint32_t size;
	struct block *next, *previous;
};

#define HEADER offsetof(struct block, next)
#define CLASSES 64

static struct block *classes[CLASSES];
static uint64_t filled;
// Where the last region ends.
static uintptr_t end;

extern unsigned char __heap_base;

static uint32_t size_of(const struct block *block)
{
	return block->size & ~FLAGS;
}

static struct block *after(const struct block *block)
{
	return (struct block *)((uintptr_t)block + size_of(block));
}

static unsigned int class_of(uint32_t size)
{
	unsigned int power = 31 - __builtin_clz(size);

	return power * 2 + (size >> (power - 1) & 1);
}

static void insert(struct block *block, uint32_t size)
{
	unsigned int class = class_of(size);

	block->size = size | BEFORE_USED;
	block->previous = NULL;
	block->next = classes[class];
	if (block->next)
		block->next->previous = block;
	classes[class] = block;
	filled |= 1ULL << class;
	((uint32_t *)after(block))[-1] = size;
	after(block)->size &= ~BEFORE_USED;
}

static void take_out(struct block *block)
{
	unsigned int class = class_of(size_of(block));

	if (block->next)
		block->next->previous = block->previous;
	if (block->previous)
		block->previous->next = block->next;
	else
		classes[class] = block->next;
	if (!classes[class])
		filled &= ~(1ULL << class);
}

// Makes a block, which is in no list, a free one together with its neighbours.
static void give_back(struct block *block)
{
	uint32_t size = size_of(block);
	struct block *next = after(block);

	if (!(next->size & USED)) {
		take_out(next);
		size += size_of(next);
	}
	if (!(block->size & BEFORE_USED)) {
		uint32_t before = ((uint32_t *)block)[-1];

		block = (struct block *)((uintptr_t)block - before);
		take_out(block);
		size += before;
	}
	insert(block, size);
}

// Cuts a block that is in use to a size, if enough is left over for another one.
static void cut(struct block *block, uint32_t size)
{
	uint32_t rest = size_of(block) - size;
	struct block *other;

	if (rest < sizeof(struct block) + sizeof(uint32_t))
		return;
	block->size -= rest;
	other = after(block);
	other->size = rest | USED | BEFORE_USED;
	give_back(other);
}

// More memory of the host's, as a free block of at least this size. Behind it is the mark of its end: a block in use, without memory.
static bool grow(uint32_t size)
{
	uintptr_t old = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
	struct block *block, *mark;
	uint32_t before = BEFORE_USED;

	if (size > UINT32_MAX - 2 * PAGE || __builtin_wasm_memory_grow(0, (size + PAGE - 1) / PAGE + 1) == SIZE_MAX)
		return false;
	if (end == old) {
		// The mark becomes the new block: it may have a free one before it.
		block = (struct block *)(end - HEADER);
		before = block->size & BEFORE_USED;
	} else {
		// The first time there is also what the linker left of its last page; later, somebody else has grown the memory, too.
		if (!end)
			old = ((uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
		// The size lies before a multiple of ALIGNMENT.
		block = (struct block *)(old + ALIGNMENT - HEADER);
	}
	end = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
	mark = (struct block *)(end - HEADER);
	block->size = ((uintptr_t)mark - (uintptr_t)block) | USED | before;
	mark->size = HEADER | USED | BEFORE_USED;
	give_back(block);
	return true;
}

// The size of the block for so many bytes; 0 if nothing is that large.
static uint32_t block_size(size_t bytes)
{
	return bytes > INT32_MAX ? 0 : (bytes + HEADER + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static struct block *find(uint32_t size)
{
	unsigned int class = class_of(size);
	struct block *block = classes[class];
	uint64_t larger;

	// Of its own class some may be too small. A few are looked at, so that many that are do not make this slow.
	for (int i = 0; block && i < 16; i++) {
		if (size_of(block) >= size)
			return block;
		block = block->next;
	}
	larger = filled >> (class + 1);
	return larger ? classes[class + 1 + __builtin_ctzll(larger)] : NULL;
}

void *malloc(size_t bytes)
{
	uint32_t size = block_size(bytes);
	struct block *block = size ? find(size) : NULL;

	// What has grown is the first of its class.
	if (!block && size && grow(size))
		block = find(size);
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	take_out(block);
	block->size |= USED;
	after(block)->size |= BEFORE_USED;
	cut(block, size);
	return &block->next;
}

static struct block *block_of(void *memory)
{
	struct block *block = (struct block *)((uintptr_t)memory - HEADER);

	// Memory that was freed before, or never given out.
	if (!(block->size & USED) || (uintptr_t)memory % ALIGNMENT)
		__builtin_trap();
	return block;
}

void free(void *memory)
{
	if (memory)
		give_back(block_of(memory));
}

// A compiler that knows malloc() would make a call of calloc() of this.
__attribute__((no_builtin("malloc"))) void *calloc(size_t count, size_t bytes)
{
	size_t all;
	void *memory;

	if (__builtin_mul_overflow(count, bytes, &all))
		all = SIZE_MAX;
	memory = malloc(all);
	return memory ? memset(memory, 0, all) : NULL;
}

size_t malloc_usable_size(void *memory)
{
	return memory ? size_of(block_of(memory)) - HEADER : 0;
}

void *realloc(void *memory, size_t bytes)
{
	uint32_t size = block_size(bytes);
	struct block *block, *next;
	void *moved;

	if (!memory)
		return malloc(bytes);
	block = block_of(memory);
	next = after(block);
	if (size && !(next->size & USED) && size_of(block) + size_of(next) >= size && size > size_of(block)) {
		take_out(next);
		block->size += size_of(next);
		after(block)->size |= BEFORE_USED;
	}
	if (size && size <= size_of(block)) {
		cut(block, size);
		return memory;
	}
	moved = malloc(bytes);
	if (moved) {
		memcpy(moved, memory, size_of(block) - HEADER);
		free(memory);
	}
	return moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	struct block *block, *inside;
	uintptr_t memory;

	if (alignment <= ALIGNMENT)
		return malloc(bytes);
	if (alignment & (alignment - 1) || alignment > INT32_MAX || bytes > INT32_MAX - alignment) {
		errno = alignment & (alignment - 1) ? EINVAL : ENOMEM;
		return NULL;
	}
	memory = (uintptr_t)malloc(bytes + alignment);
	if (!memory)
		return NULL;
	block = (struct block *)(memory - HEADER);
	inside = (struct block *)(((memory + alignment - 1) & ~(uintptr_t)(alignment - 1)) - HEADER);
	if (inside != block) {
		uint32_t before = (uintptr_t)inside - (uintptr_t)block;

		// Sizes are multiples of ALIGNMENT: what is before it is a block of its own.
		inside->size = (size_of(block) - before) | USED | BEFORE_USED;
		block->size -= size_of(inside);
		give_back(block);
	}
	cut(inside, block_size(bytes));
	return &inside->next;
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
	int before = errno, result;
	void *made;

	if (alignment < sizeof(void *) || alignment & (alignment - 1))
		return EINVAL;
	made = aligned_alloc(alignment, bytes);
	result = made ? 0 : ENOMEM;
	errno = before;
	if (made)
		*memory = made;
	return result;
}

// What wasi-libc itself calls, for atexit() and locales.
void *__libc_malloc(size_t bytes) __attribute__((alias("malloc")));
void *__libc_calloc(size_t count, size_t bytes) __attribute__((alias("calloc")));
void __libc_free(void *memory) __attribute__((alias("free")));
