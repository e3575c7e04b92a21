/* alloc.h - the one way to memory.
 *
 * All allocation of the runtime goes through here, so that a test can make the
 * n-th one fail and a maker can hand in a pool. libcurl, c-ares, libxml2
 * and mbedTLS are pointed here by peal_alloc_hook_libraries(); libuv is not,
 * it ends the process when it gets no memory.
 * The hook is the one process-wide setting of peal (with the initialisation of
 * PSA and libcurl): set it before anything else, and not again. */
#ifndef PEAL_ALLOC_H
#define PEAL_ALLOC_H

#include <stddef.h>

#include "peal/error.h"

/* As realloc(): ptr NULL allocates, size 0 frees and returns NULL. */
typedef void *(*peal_alloc_fn)(void *ptr, size_t size, void *arg);

/* fn NULL: back to the C library's realloc(). */
void peal_alloc_set(peal_alloc_fn fn, void *arg);

/* Call once at the start of a process, before any library has allocated.
 * Without it they use the C library. PEAL_EINTERNAL */
enum peal_err peal_alloc_hook_libraries(void);

/* NULL when there is no memory. Free with peal_free(), which takes NULL. */
void *peal_alloc(size_t size) __attribute__((malloc));
void *peal_zalloc(size_t size) __attribute__((malloc));
void *peal_calloc(size_t n, size_t size) __attribute__((malloc));
void *peal_realloc(void *ptr, size_t size);
void peal_free(void *ptr);
char *peal_strdup(const char *text);
/* Copies len bytes and adds a NUL. */
char *peal_memdup0(const void *bytes, size_t len);

/* Overwrite len bytes in a way that the compiler keeps. p may be NULL if len
 * is 0. */
void peal_wipe(void *p, size_t len);

/* 1 when equal; the time does not depend on the contents. */
int peal_equal_secret(const void *a, const void *b, size_t len);

#endif
