/* alloc.c - see peal/alloc.h */
#include "peal/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *from_libc(void *ptr, size_t size, void *arg)
{
	(void)arg;
	if (size == 0) {
		free(ptr);
		return NULL;
	}
	return realloc(ptr, size);
}

static struct {
	peal_alloc_fn fn;
	void *arg;
} hook = { from_libc, NULL };

void peal_alloc_set(peal_alloc_fn fn, void *arg)
{
	hook.fn = fn ? fn : from_libc;
	hook.arg = fn ? arg : NULL;
}

void *peal_alloc(size_t size)
{
	return hook.fn(NULL, size ? size : 1, hook.arg);
}

void *peal_zalloc(size_t size)
{
	void *p = peal_alloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *peal_calloc(size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return peal_zalloc(n * size);
}

void *peal_realloc(void *ptr, size_t size)
{
	return hook.fn(ptr, size ? size : 1, hook.arg);
}

void peal_free(void *ptr)
{
	if (ptr)
		hook.fn(ptr, 0, hook.arg);
}

char *peal_strdup(const char *text)
{
	return peal_memdup0(text, strlen(text));
}

char *peal_memdup0(const void *bytes, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	copy = peal_alloc(len + 1);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void peal_wipe(void *p, size_t len)
{
	if (len == 0)
		return;
	memset(p, 0, len);
	/* the compiler must assume that the zeros are read */
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

int peal_equal_secret(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;
	size_t i;

	for (i = 0; i < len; i++)
		diff |= (unsigned char)(x[i] ^ y[i]);
	return diff == 0;
}
