/* words.c - see words.h */
#include "store/words.h"

#include <string.h>

#include "store/registry.h"

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte behind a backslash; -1: no such escape. */
static int unescape(struct peal_cursor *c)
{
	int high, low, x = c->p < c->end ? *c->p++ : -1;

	switch (x) {
	case '"':
	case '\\':
		return x;
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		if (c->end - c->p < 2)
			return -1;
		high = hex(c->p[0]);
		low = hex(c->p[1]);
		c->p += 2;
		return high < 0 || low < 0 ? -1 : high * 16 + low;
	default:
		return -1;
	}
}

int peal_take_quoted(struct peal_cursor *c, struct peal_piece *out)
{
	unsigned char *to = ++c->p;
	int x;

	out->text = (char *)to;
	for (;;) {
		if (c->p == c->end)
			return 0;
		x = *c->p++;
		if (x == '"')
			break;
		if (x == '\\')
			x = unescape(c);
		if (x < 0)
			return 0;
		*to++ = (unsigned char)x;
	}
	out->len = (size_t)((char *)to - out->text);
	return 1;
}

int peal_take(struct peal_cursor *c, int equals, struct peal_piece *out)
{
	if (c->p < c->end && *c->p == '"')
		return peal_take_quoted(c, out);
	out->text = (char *)c->p;
	while (c->p < c->end && *c->p != ' ' && !(equals && *c->p == '='))
		c->p++;
	out->len = (size_t)((char *)c->p - out->text);
	return out->len > 0;
}

int peal_take_number(struct peal_cursor *c, uint64_t *out)
{
	struct peal_piece w;

	return peal_take(c, 0, &w) && peal_parse_uint(w.text, w.len, 0, out);
}

int peal_take_attribute(struct peal_cursor *c, struct peal_piece *name,
			int *valued)
{
	peal_skip_blanks(c);
	if (c->p == c->end)
		return 0;
	if (!peal_take(c, 1, name))
		return -1;
	*valued = c->p < c->end && *c->p == '=';
	c->p += *valued;
	return 1;
}
