/* tftp_packet.c - see tftp_packet.h */
#include "fetch/tftp_packet.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static unsigned get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(unsigned char *p, unsigned n)
{
	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
}

/* Length of the UTF-8 character at p, 0: there is none. C1 controls are
 * none: terminals obey them. */
static size_t utf8(const unsigned char *p, size_t len)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 :
		   p[0] < 0xc2 ? 0 :
		   p[0] < 0xe0 ? 2 :
		   p[0] < 0xf0 ? 3 :
		   p[0] < 0xf5 ? 4 :
				 0;
	unsigned code;
	size_t i;

	if (n == 0 || n > len)
		return 0;
	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f;
	code = p[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || code < 0xa0 ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

/* The text of a stranger goes to logs and screens. */
static void sanitise(char *out, size_t size, const unsigned char *p, size_t len)
{
	size_t used = 0, n;

	while (len > 0 && *p) {
		n = utf8(p, len);
		if (used + (n ? n : 1) >= size)
			break;
		if (n)
			memcpy(out + used, p, n);
		else
			out[used] = '?';
		n = n ? n : 1;
		used += n;
		p += n;
		len -= n;
	}
	out[used] = '\0';
}

int tftp_packet_parse(const unsigned char *bytes, size_t len,
		      struct tftp_packet *out)
{
	memset(out, 0, sizeof(*out));
	if (len < 2)
		return 0;
	out->op = (enum tftp_op)get16(bytes);
	if (out->op == TFTP_OACK) {
		out->bytes = bytes + 2;
		out->len = len - 2;
		return 1;
	}
	if (len < TFTP_HEADER)
		return 0;
	switch (out->op) {
	case TFTP_DATA:
		out->block = (uint16_t)get16(bytes + 2);
		out->bytes = bytes + TFTP_HEADER;
		out->len = len - TFTP_HEADER;
		return 1;
	case TFTP_ACK:
		/* octets behind it are padding of a careless server */
		out->block = (uint16_t)get16(bytes + 2);
		return 1;
	case TFTP_ERROR:
		out->code = get16(bytes + 2);
		sanitise(out->text, sizeof(out->text), bytes + TFTP_HEADER,
			 len - TFTP_HEADER);
		return 1;
	default:
		return 0;
	}
}

/* The text at *p, up to its NUL, and *p behind that; NULL: no NUL. */
static const char *next_text(const unsigned char **p, size_t *len)
{
	const unsigned char *start = *p;
	const unsigned char *end = *len ? memchr(start, '\0', *len) : NULL;

	if (!end)
		return NULL;
	*len -= (size_t)(end - start) + 1;
	*p = end + 1;
	return (const char *)start;
}

/* Decimal digits only: strtoull() would take signs and blanks. */
static int number(const char *text, uint64_t *out)
{
	uint64_t n = 0;

	if (!*text)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > UINT64_MAX / 10 - 1)
			return 0;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*out = n;
	return 1;
}

/* A number from lo to hi for an option that was asked for and has not been
 * seen before. */
static int granted(unsigned asked, unsigned *out, uint64_t n, unsigned lo)
{
	if (!asked || *out || n < lo || n > asked)
		return 0;
	*out = (unsigned)n;
	return 1;
}

static int take_option(const char *name, uint64_t n,
		       const struct tftp_options *asked,
		       struct tftp_options *out)
{
	if (strcasecmp(name, "blksize") == 0)
		return granted(asked->blksize, &out->blksize, n,
			       TFTP_BLOCK_MIN);
	if (strcasecmp(name, "timeout") == 0)
		return granted(asked->timeout_s, &out->timeout_s, n, 1);
	if (strcasecmp(name, "tsize") != 0 || !asked->has_tsize ||
	    out->has_tsize)
		return 0;
	/* a reader asks with 0, a writer announces what it sends */
	if (asked->tsize && n > asked->tsize)
		return 0;
	out->has_tsize = 1;
	out->tsize = n;
	return 1;
}

enum peal_err tftp_packet_options(const struct tftp_packet *oack,
				  const struct tftp_options *asked,
				  struct tftp_options *out,
				  struct peal_reason *reason)
{
	const unsigned char *p = oack->bytes;
	size_t len = oack->len;
	const char *name, *value;
	uint64_t n;

	memset(out, 0, sizeof(*out));
	while (len > 0) {
		name = next_text(&p, &len);
		value = name ? next_text(&p, &len) : NULL;
		if (!value)
			return peal_fail(reason, PEAL_EBADOPT,
					 "the server's options are cut short");
		if (!number(value, &n) || !take_option(name, n, asked, out))
			return peal_fail(reason, PEAL_EBADOPT,
					 "the server grants what was not asked "
					 "for: %.40s=%.40s",
					 name, value);
	}
	return PEAL_OK;
}

/* A writer with a place to fail once. */
struct writer {
	unsigned char *out;
	size_t size, len;
	int full;
};

static void put_text(struct writer *w, const char *text)
{
	size_t n = strlen(text) + 1;

	if (w->full || n > w->size - w->len) {
		w->full = 1;
		return;
	}
	memcpy(w->out + w->len, text, n);
	w->len += n;
}

static void put_option(struct writer *w, const char *name, uint64_t n)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	put_text(w, name);
	put_text(w, digits);
}

size_t tftp_packet_request(unsigned char *out, size_t size, enum tftp_op op,
			   const char *name, const struct tftp_options *asked)
{
	struct writer w = { out, size, 2, 0 };

	if (size < 2 || strlen(name) > TFTP_NAME_MAX)
		return 0;
	put16(out, op);
	put_text(&w, name);
	put_text(&w, "octet");
	if (asked && asked->has_tsize)
		put_option(&w, "tsize", asked->tsize);
	if (asked && asked->blksize)
		put_option(&w, "blksize", asked->blksize);
	if (asked && asked->timeout_s)
		put_option(&w, "timeout", asked->timeout_s);
	return w.full ? 0 : w.len;
}

size_t tftp_packet_error(unsigned char *out, size_t size, enum tftp_code code,
			 const char *text)
{
	struct writer w = { out, size, TFTP_HEADER, 0 };

	if (size < TFTP_HEADER)
		return 0;
	put16(out, TFTP_ERROR);
	put16(out + 2, code);
	put_text(&w, text);
	return w.full ? 0 : w.len;
}

size_t tftp_packet_block(unsigned char *out, enum tftp_op op, uint16_t block)
{
	put16(out, op);
	put16(out + 2, block);
	return TFTP_HEADER;
}
