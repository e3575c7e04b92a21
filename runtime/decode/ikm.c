/* ikm.c - keying material as text.
 *
 * The documents do not say how IKM_HTTP_Encrypt_Content is written: the bytes
 * of the text count, unless a prefix names a coding (our choice). */
#include <string.h>

#include "stage.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum peal_err from_hex(const char *s, size_t len, unsigned char *out,
			      size_t *out_len)
{
	size_t i;

	if (len % 2)
		return PEAL_EINVAL;
	for (i = 0; i < len; i++)
		if (hex(s[i]) < 0)
			return PEAL_EINVAL;
	for (i = 0; i < len / 2; i++)
		out[i] =
			(unsigned char)(hex(s[2 * i]) << 4 | hex(s[2 * i + 1]));
	*out_len = len / 2;
	return PEAL_OK;
}

static int sixbits(char c, int url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

static enum peal_err from_base64(const char *s, size_t len, int url,
				 unsigned char *out, size_t *out_len)
{
	unsigned bits = 0, have = 0;
	size_t i, n = 0;
	int v;

	for (i = 0; i < 2 && len && s[len - 1] == '='; i++)
		len--;
	if (len % 4 == 1)
		return PEAL_EINVAL;
	for (i = 0; i < len; i++) {
		v = sixbits(s[i], url);
		if (v < 0)
			return PEAL_EINVAL;
		bits = (bits << 6 | (unsigned)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	*out_len = n;
	return PEAL_OK;
}

static int prefix(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(text, with, n) == 0;
}

enum peal_err peal_ikm_decode(const char *text, size_t len,
			      unsigned char out[PEAL_IKM_MAX], size_t *out_len)
{
	enum peal_err err = PEAL_OK;

	if (len > PEAL_IKM_MAX)
		return PEAL_EINVAL;
	if (prefix(text, len, "base64:"))
		err = from_base64(text + 7, len - 7, 0, out, out_len);
	else if (prefix(text, len, "base64url:"))
		err = from_base64(text + 10, len - 10, 1, out, out_len);
	else if (prefix(text, len, "hex:"))
		err = from_hex(text + 4, len - 4, out, out_len);
	else {
		memcpy(out, text, len);
		*out_len = len;
	}
	return !err && *out_len == 0 ? PEAL_EINVAL : err;
}
