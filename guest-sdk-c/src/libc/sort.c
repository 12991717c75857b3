// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qsort() that keeps the order of what is equal, as glibc's does: what a tool prints after sorting is the same as natively.
#include <stdlib.h>
#include <string.h>

typedef int (*compare_with)(const void *one, const void *other, void *context);

// Without memory for more.
static void insert(char *elements, size_t count, size_t size, compare_with compare, void *context)
{
	for (size_t i = 1; i < count; i++) {
		for (char *at = elements + i * size; at > elements && compare(at - size, at, context) > 0; at -= size) {
			for (size_t byte = 0; byte < size; byte++) {
				char kept = at[byte];

				at[byte] = at[byte - size];
				at[byte - size] = kept;
			}
		}
	}
}

// Two sorted parts, the first of `half` elements, become one. `other` has room for the first.
static void merge(char *elements, size_t half, size_t count, size_t size, char *other, compare_with compare, void *context)
{
	const char *first = other, *first_end = other + half * size, *second = elements + half * size, *second_end = elements + count * size;

	memcpy(other, elements, half * size);
	while (first < first_end) {
		if (second < second_end && compare(first, second, context) > 0) {
			memcpy(elements, second, size);
			second += size;
		} else {
			memcpy(elements, first, size);
			first += size;
		}
		elements += size;
	}
}

static void sort(char *elements, size_t count, size_t size, char *other, compare_with compare, void *context)
{
	size_t half = count / 2;

	if (count < 2)
		return;
	sort(elements, half, size, other, compare, context);
	sort(elements + half * size, count - half, size, other, compare, context);
	merge(elements, half, count, size, other, compare, context);
}

void qsort_r(void *elements, size_t count, size_t size, compare_with compare, void *context)
{
	char *other;

	if (count < 2 || !size)
		return;
	other = malloc(count / 2 * size);
	if (other)
		sort(elements, count, size, other, compare, context);
	else
		insert(elements, count, size, compare, context);
	free(other);
}

static int without_context(const void *one, const void *other, void *compare)
{
	return ((int (*)(const void *, const void *))compare)(one, other);
}

void qsort(void *elements, size_t count, size_t size, int (*compare)(const void *one, const void *other))
{
	qsort_r(elements, count, size, without_context, (void *)compare);
}
