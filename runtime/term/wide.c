/* wide.c - see wide.h */
#include "wide.h"

#include <wctype.h>

#include "peal/alloc.h"

enum { REPLACEMENT = 0xfffd };

/* Bits of a lead byte, and how many bytes follow; -1: none. */
static int lead(unsigned char c, wchar_t *bits)
{
	if (c < 0x80) {
		*bits = c;
		return 0;
	}
	if (c < 0xc2 || c > 0xf4)
		return -1;
	if (c < 0xe0) {
		*bits = c & 0x1f;
		return 1;
	}
	*bits = c & (c < 0xf0 ? 0x0f : 0x07);
	return c < 0xf0 ? 2 : 3;
}

/* RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF. */
size_t peal_wide_one(const unsigned char *p, size_t len, wchar_t *out)
{
	static const wchar_t least[] = { 0, 0x80, 0x800, 0x10000 };
	int more = len ? lead(*p, out) : -1, i;

	if (more < 0 || (size_t)more >= len)
		return 0;
	for (i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (p[i] & 0x3f);
	}
	if (*out < least[more] || *out > 0x10ffff ||
	    (*out >= 0xd800 && *out <= 0xdfff))
		return 0;
	return (size_t)more + 1;
}

wchar_t *peal_wide_dup(const char *text, size_t len)
{
	wchar_t *out = peal_alloc((len + 1) * sizeof(*out));
	size_t at = 0, n = 0, bytes;

	while (out && at < len) {
		bytes = peal_wide_one((const unsigned char *)text + at,
				      len - at, &out[n]);
		if (!bytes)
			out[n] = REPLACEMENT;
		n++;
		at += bytes ? bytes : 1;
	}
	if (out)
		out[n] = L'\0';
	return out;
}

static size_t encode(wchar_t c, unsigned char out[4])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; c >>= 6)
		out[i] = (unsigned char)(0x80 | (c & 0x3f));
	out[0] = (unsigned char)(leads[n] | c);
	return n;
}

enum peal_err peal_wide_put(struct peal_buf *out, const wchar_t *text, size_t n)
{
	enum peal_err err = PEAL_OK;
	unsigned char bytes[4];
	size_t i;

	for (i = 0; i < n && !err; i++)
		err = peal_buf_add(out, bytes, encode(text[i], bytes));
	return err;
}

static unsigned columns_of(wchar_t c, unsigned column)
{
	int n;

	if (c == L'\t')
		return 8 - column % 8;
	if (c < L' ' || c == 0x7f)
		return 2; /* ^X */
	if (!iswprint((wint_t)c))
		return c > 0xffff ? 8 : 7; /* \U+XXXX */
	n = wcwidth(c);
	return n < 0 ? 0 : (unsigned)n;
}

static void advance(struct peal_place_on_screen *at, unsigned n, unsigned width)
{
	at->column += n;
	if (at->column >= width) {
		at->row += at->column / width;
		at->column %= width;
	}
}

void peal_wide_place(struct peal_place_on_screen *at, const wchar_t *text,
		     size_t n, unsigned width)
{
	unsigned columns;
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] == L'\n') {
			at->row++;
			at->column = 0;
			continue;
		}
		columns = columns_of(text[i], at->column);
		if (columns == 2 && at->column + columns > width &&
		    iswprint((wint_t)text[i]))
			advance(at, width - at->column, width);
		advance(at, columns, width);
	}
}
