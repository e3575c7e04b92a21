/* buf.c - see peal/buf.h */
#include "peal/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "peal/alloc.h"

void peal_buf_init(struct peal_buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void peal_buf_fini(struct peal_buf *b)
{
	peal_free(b->data);
	peal_buf_init(b, b->max);
}

void peal_buf_fini_secret(struct peal_buf *b)
{
	if (b->data)
		peal_wipe(b->data, b->cap);
	peal_buf_fini(b);
}

/* Grow to hold `need` bytes, one more than max at the most (for a NUL). Always
 * by doubling, or what comes in small pieces takes quadratic time. A fresh
 * block and a copy, not a realloc: what the buffer holds may be a secret, and
 * the old block is wiped. */
static enum peal_err grow(struct peal_buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 256;
	unsigned char *data;

	if (need > b->max)
		cap = need;
	while (cap < need)
		cap = cap < b->max / 2 ? cap * 2 : b->max;
	data = peal_alloc(cap);
	if (!data)
		return PEAL_ENOMEM;
	if (b->data) {
		memcpy(data, b->data, b->len);
		peal_wipe(b->data, b->len);
		peal_free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return PEAL_OK;
}

enum peal_err peal_buf_reserve(struct peal_buf *b, size_t len)
{
	if (len > b->max - b->len)
		return PEAL_ELIMIT;
	if (len <= b->cap - b->len)
		return PEAL_OK;
	return grow(b, b->len + len);
}

enum peal_err peal_buf_add(struct peal_buf *b, const void *bytes, size_t len)
{
	enum peal_err err = peal_buf_reserve(b, len);

	if (err || len == 0)
		return err;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	return PEAL_OK;
}

enum peal_err peal_buf_add_str(struct peal_buf *b, const char *text)
{
	return peal_buf_add(b, text, strlen(text));
}

enum peal_err peal_buf_printf(struct peal_buf *b, const char *fmt, ...)
{
	va_list args;
	char small[256];
	enum peal_err err;
	int n;

	va_start(args, fmt);
	n = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	if (n < 0)
		return PEAL_EINVAL;
	if ((size_t)n < sizeof(small))
		return peal_buf_add(b, small, (size_t)n);

	if ((size_t)n > b->max - b->len)
		return PEAL_ELIMIT;
	/* one byte more for the NUL, which may lie past max */
	if ((size_t)n + 1 > b->cap - b->len) {
		err = grow(b, b->len + (size_t)n + 1);
		if (err)
			return err;
	}
	va_start(args, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return PEAL_OK;
}

void peal_buf_clear(struct peal_buf *b)
{
	b->len = 0;
}

const char *peal_buf_cstr(struct peal_buf *b)
{
	if (b->len == b->cap && grow(b, b->len + 1))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}
