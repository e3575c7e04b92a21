/* tftp_name.c - file names of TFTP URLs, see peal/tftp.h */
#include "peal/tftp.h"

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of the path, and *p behind it; -1: bad escape, or a NUL. */
static int next_char(const char **p)
{
	int hi, lo;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	hi = hex((unsigned char)(*p)[1]);
	lo = hi < 0 ? -1 : hex((unsigned char)(*p)[2]);
	if (lo < 0 || hi * 16 + lo == 0)
		return -1;
	*p += 3;
	return hi * 16 + lo;
}

enum peal_err peal_tftp_name(const char *path, char *out, size_t size)
{
	size_t n = 0;
	int c;

	if (*path == '/')
		path++;
	while (*path) {
		c = next_char(&path);
		if (c < 0)
			return PEAL_EBADOP;
		if (n + 1 >= size)
			return PEAL_ELIMIT;
		out[n++] = (char)c;
	}
	if (n == 0)
		return PEAL_EBADOP;
	out[n] = '\0';
	return PEAL_OK;
}
