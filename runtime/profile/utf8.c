/* utf8.c - see utf8.h; RFC 3629, and XML 1.0 section 2.2 */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

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

size_t peal_utf8_check(const unsigned char *p, size_t len)
{
	const uint64_t ones = 0x0101010101010101u;
	size_t i = 0, n;
	uint64_t v;

	while (i < len) {
		/* eight plain characters at once: no high bit before or
		 * after 0x20 is taken from each byte */
		while (len - i >= 8) {
			memcpy(&v, p + i, 8);
			if ((v | (v - ones * 0x20)) & (ones * 0x80))
				break;
			i += 8;
		}
		/* to behind whatever stopped that: a line end, mostly */
		while (i < len && p[i] >= 0x20 && p[i] < 0x80)
			i++;
		if (i == len)
			break;
		n = p[i] == '\n' ? 1 : peal_utf8_one(p + i, len - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}
