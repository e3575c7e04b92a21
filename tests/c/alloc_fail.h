/* alloc_fail.h - make the n-th allocation fail, and count what lives.
 *
 *	static int work(void *arg)  0 when it all went well
 *	{ ... }
 *	alloc_fail_each(work, arg);
 *
 * runs `work` with the first, second, third ... allocation failing, until a
 * run needs no more; each n twice: only that one fails, or it and all after
 * it. After every run nothing may be left over.
 * Blocks come from the C library, so that ones made before the hook may be
 * freed under it, and the other way round. */
#ifndef PEAL_ALLOC_FAIL_H
#define PEAL_ALLOC_FAIL_H

#include <malloc.h>
#include <stdlib.h>

#include "peal/alloc.h"
#include "test.h"

struct alloc_fail {
	long nth;  /* fails, counted from 1; 0: none */
	int stay;  /* and every one after it */
	long made; /* allocations asked for so far */
	long failed;
	long live;  /* blocks */
	long bytes; /* in them, as the C library rounds */
	long peak;
};

static inline void *alloc_fail_hook(void *ptr, size_t size, void *arg)
{
	struct alloc_fail *a = arg;
	size_t before = ptr ? malloc_usable_size(ptr) : 0;
	void *p;

	if (size == 0) {
		a->bytes -= (long)before;
		a->live -= ptr != NULL;
		free(ptr);
		return NULL;
	}
	a->made++;
	if (a->nth && (a->made == a->nth || (a->stay && a->made > a->nth))) {
		a->failed++;
		return NULL;
	}
	p = realloc(ptr, size);
	if (!p)
		return NULL;
	a->live += ptr == NULL;
	a->bytes += (long)malloc_usable_size(p) - (long)before;
	if (a->bytes > a->peak)
		a->peak = a->bytes;
	return p;
}

static inline void alloc_fail_begin(struct alloc_fail *a, long nth, int stay)
{
	memset(a, 0, sizeof(*a));
	a->nth = nth;
	a->stay = stay;
	peal_alloc_set(alloc_fail_hook, a);
}

static inline void alloc_fail_end(struct alloc_fail *a)
{
	(void)a; /* its figures stay readable */
	peal_alloc_set(NULL, NULL);
}

typedef int (*alloc_fail_fn)(void *arg);

/* One run; 1 when the failure was reached. */
static inline int alloc_fail_once(alloc_fail_fn work, void *arg, long nth,
				  int stay)
{
	struct alloc_fail a;
	int result;

	alloc_fail_begin(&a, nth, stay);
	result = work(arg);
	alloc_fail_end(&a);
	if (!CHECK_INT(a.live, 0))
		fprintf(stderr, "\t(allocation %ld failing%s)\n", nth,
			stay ? " and all after it" : "");
	if (!a.failed)
		CHECK_INT(result, 0);
	return a.failed > 0;
}

/* Each of the first `each` allocations fails in turn, then every `step`-th.
 * Returns how many allocations a run without failure makes, roughly. */
static inline long alloc_fail_some(alloc_fail_fn work, void *arg, long each,
				   long step)
{
	long nth = 1;

	while (alloc_fail_once(work, arg, nth, 0)) {
		alloc_fail_once(work, arg, nth, 1);
		nth += nth < each ? 1 : step;
	}
	CHECK(nth > 1); /* the hook was never asked: nothing was tested */
	return nth - 1;
}

/* Returns how many allocations a run without failure makes. */
static inline long alloc_fail_each(alloc_fail_fn work, void *arg)
{
	return alloc_fail_some(work, arg, 1, 1);
}

#endif
