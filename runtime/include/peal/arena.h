/* arena.h - memory of one parse: many small pieces that die together.
 *
 * Pieces are aligned for any type and come zeroed. There is no free of one
 * piece. The arena has a named maximum (limits.h); past it, and when memory is
 * short, peal_arena_alloc() returns NULL. */
#ifndef PEAL_ARENA_H
#define PEAL_ARENA_H

#include <stddef.h>

struct peal_arena_block;

struct peal_arena {
	struct peal_arena_block *last;
	size_t used; /* bytes handed out, padding included */
	size_t max;
};

void peal_arena_init(struct peal_arena *a, size_t max);
void peal_arena_fini(struct peal_arena *a); /* also after a failed use */
void *peal_arena_alloc(struct peal_arena *a, size_t size);
/* Copy of len bytes with a NUL behind. */
char *peal_arena_dup(struct peal_arena *a, const char *bytes, size_t len);

#endif
