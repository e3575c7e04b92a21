/* buf.h - a buffer that grows up to a named maximum.
 *
 * `data` is NULL while the buffer is empty and never has been used; it is not
 * NUL-terminated unless peal_buf_cstr() was asked for it. */
#ifndef PEAL_BUF_H
#define PEAL_BUF_H

#include <stddef.h>

#include "peal/error.h"

struct peal_buf {
	unsigned char *data;
	size_t len;
	size_t cap;
	size_t max;
};

void peal_buf_init(struct peal_buf *b, size_t max);
void peal_buf_fini(struct peal_buf *b);
/* Wipes the bytes before they are freed: for keys and plain text of secrets. */
void peal_buf_fini_secret(struct peal_buf *b);

/* PEAL_ELIMIT past max, PEAL_ENOMEM; the buffer is unchanged then. */
enum peal_err peal_buf_add(struct peal_buf *b, const void *bytes, size_t len);
enum peal_err peal_buf_add_str(struct peal_buf *b, const char *text);
enum peal_err peal_buf_printf(struct peal_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for `len` more bytes behind data + len. */
enum peal_err peal_buf_reserve(struct peal_buf *b, size_t len);
void peal_buf_clear(struct peal_buf *b);
/* The text with a NUL behind it, which is not counted in len; NULL when there
 * is no memory for the NUL. Borrowed until the next change. */
const char *peal_buf_cstr(struct peal_buf *b);

#endif
