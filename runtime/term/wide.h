/* wide.h - UTF-8 and the wide characters of a line editor, and where they come
 * to stand. Private. */
#ifndef PEAL_TERM_WIDE_H
#define PEAL_TERM_WIDE_H

#include <wchar.h>

#include "peal/buf.h"

/* The character at p; 0 bytes: none that is whole. */
size_t peal_wide_one(const unsigned char *p, size_t len, wchar_t *out);
/* A text for peal_free(), with a NUL; what is no UTF-8 becomes U+FFFD. NULL: no
 * memory. */
wchar_t *peal_wide_dup(const char *text, size_t len);
/* UTF-8 of n characters, added to `out`. */
enum peal_err peal_wide_put(struct peal_buf *out, const wchar_t *text,
			    size_t n);

/* Where the cursor stands behind n characters, as libedit draws them: control
 * characters as ^X, a wide one never across the margin.
 *   at   where it stood before */
struct peal_place_on_screen {
	unsigned row, column;
};
void peal_wide_place(struct peal_place_on_screen *at, const wchar_t *text,
		     size_t n, unsigned width);

#endif
