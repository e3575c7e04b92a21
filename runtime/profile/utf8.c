/* utf8.c - see utf8.h; RFC 3629, and XML 1.0 section 2.2 */
#include "utf8.h"

#include <stdint.h>

enum { BLOCK = 64 };

size_t peal_utf8_one(const unsigned char *p, size_t len)
{
	uint32_t c;
	size_t n, i;

	if (p[0] < 0x80)
		return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' ||
		       p[0] == '\r';
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	if ((c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return n;
}

/* Are there plain characters and line ends only? Without a branch inside, so
 * that the compiler can take many bytes at once; signed, one comparison finds
 * what is below the blank and what is not ASCII. */
static int plain_block(const unsigned char *p)
{
	const signed char *c = (const signed char *)p;
	unsigned char other = 0;
	size_t i;

	for (i = 0; i < BLOCK; i++)
		other |= (unsigned char)((c[i] < 0x20) & (c[i] != '\n'));
	return !other;
}

size_t peal_utf8_check(const unsigned char *p, size_t len)
{
	size_t i = 0, n, end;

	while (i < len) {
		while (len - i >= BLOCK && plain_block(p + i))
			i += BLOCK;
		/* to behind whatever stopped that */
		end = len - i < BLOCK ? len : i + BLOCK;
		while (i < end) {
			n = peal_utf8_one(p + i, len - i);
			if (n == 0)
				return i;
			i += n;
		}
	}
	return i;
}
