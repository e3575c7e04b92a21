/* arena.c - see peal/arena.h */
#include "peal/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "peal/alloc.h"

enum { BLOCK = 4096 };

struct peal_arena_block {
	struct peal_arena_block *before;
	size_t used;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

void peal_arena_init(struct peal_arena *a, size_t max)
{
	a->last = NULL;
	a->used = 0;
	a->max = max;
}

void peal_arena_fini(struct peal_arena *a)
{
	struct peal_arena_block *b, *before;

	for (b = a->last; b; b = before) {
		before = b->before;
		peal_free(b);
	}
	a->last = NULL;
	a->used = 0;
}

static struct peal_arena_block *grow(struct peal_arena *a, size_t size)
{
	size_t room = size > BLOCK / 4 ? size : BLOCK - sizeof(*a->last);
	struct peal_arena_block *b = peal_zalloc(sizeof(*b) + room);

	if (!b)
		return NULL;
	b->size = room;
	b->before = a->last;
	a->last = b;
	return b;
}

void *peal_arena_alloc(struct peal_arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct peal_arena_block *b = a->last;
	void *p;

	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (size > a->max - a->used)
		return NULL;
	if (!b || size > b->size - b->used)
		b = grow(a, size);
	if (!b)
		return NULL;
	p = b->bytes + b->used;
	b->used += size;
	a->used += size;
	return p;
}

char *peal_arena_dup(struct peal_arena *a, const char *bytes, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = peal_arena_alloc(a, len + 1);
	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}
