/* numbers.c - the numeric types: see registry.h */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/registry.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

int peal_parse_uint(const char *text, size_t len, int hex, uint64_t *out)
{
	unsigned base = 10;
	uint64_t n = 0;
	size_t i;

	if (hex && len > 2 && text[0] == '0' &&
	    (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		len -= 2;
	}
	for (i = 0; i < len; i++) {
		unsigned d = (unsigned)digit(text[i]);

		if (d >= base || n > (UINT64_MAX - d) / base)
			return 0;
		n = n * base + d;
	}
	*out = n;
	return len > 0;
}

static enum peal_err add_uint(struct peal_buf *out, uint64_t n)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return peal_buf_add(out, text + at, sizeof(text) - at);
}

static unsigned width(const struct peal_param *p)
{
	return p->bits ? p->bits : 32;
}

enum peal_err peal_check_uns(const struct peal_param *p, const char *text,
			     size_t len, struct peal_buf *out,
			     struct peal_reason *reason)
{
	uint64_t lo = 0, hi = UINT64_MAX >> (64 - width(p)), n;

	if (p->lo <= p->hi) {
		lo = p->lo > 0 ? (uint64_t)p->lo : 0;
		if (p->hi >= 0 && (uint64_t)p->hi < hi)
			hi = (uint64_t)p->hi;
	}
	if (!peal_parse_uint(text, len, 1, &n) || n < lo || n > hi)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a whole number from %" PRIu64
				 " to %" PRIu64,
				 lo, hi);
	return add_uint(out, n);
}

enum peal_err peal_check_sig(const struct peal_param *p, const char *text,
			     size_t len, struct peal_buf *out,
			     struct peal_reason *reason)
{
	int64_t hi = INT64_MAX >> (64 - width(p)), lo = -hi - 1;
	uint64_t size = 0, most = (uint64_t)hi;
	int minus = len && text[0] == '-', ok;
	size_t sign = len && (minus || text[0] == '+');

	ok = peal_parse_uint(text + sign, len - sign, 0, &size);
	ok = ok && size <= most + (unsigned)minus;
	if (p->lo <= p->hi) {
		lo = p->lo > lo ? p->lo : lo;
		hi = p->hi < hi ? p->hi : hi;
	}
	/* -(size - 1) - 1 is at home in the type even for the least number */
	if (ok && minus && size)
		ok = -(int64_t)(size - 1) - 1 >= lo &&
		     -(int64_t)(size - 1) - 1 <= hi;
	else if (ok)
		ok = (int64_t)size >= lo && (int64_t)size <= hi;
	if (!ok)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a whole number from %" PRId64
				 " to %" PRId64,
				 lo, hi);
	if (minus && size) {
		enum peal_err err = peal_buf_add(out, "-", 1);

		if (err)
			return err;
	}
	return add_uint(out, size);
}

enum peal_err peal_check_port(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason)
{
	uint64_t n;

	(void)p;
	if (!peal_parse_uint(text, len, 1, &n) || n > 65535)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a port from 0 to 65535");
	return add_uint(out, n);
}

/* --- decimals --- */

struct decimal {
	int minus;
	const char *whole, *part;
	size_t n_whole, n_part;
};

static size_t digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

/* [+-] digits [. digits]; leading and trailing zeros fall away. */
static int parse_decimal(const char *text, size_t len, struct decimal *d)
{
	const char *end = text + len;

	memset(d, 0, sizeof(*d));
	if (len && (*text == '-' || *text == '+'))
		d->minus = *text++ == '-';
	d->whole = text;
	d->n_whole = digits(text, (size_t)(end - text));
	text += d->n_whole;
	if (text < end && *text == '.') {
		d->part = ++text;
		d->n_part = digits(text, (size_t)(end - text));
		text += d->n_part;
		if (!d->n_part)
			return 0;
	}
	if (text != end || d->n_whole + d->n_part == 0)
		return 0;
	while (d->n_whole && *d->whole == '0') {
		d->whole++;
		d->n_whole--;
	}
	return d->n_whole <= 15;
}

static void drop_zeros(struct decimal *d)
{
	while (d->n_part && d->part[d->n_part - 1] == '0')
		d->n_part--;
}

static enum peal_err add_decimal(struct peal_buf *out, const struct decimal *d)
{
	enum peal_err err = PEAL_OK;

	if (d->minus && d->n_whole + d->n_part)
		err = peal_buf_add(out, "-", 1);
	if (!err && d->n_whole)
		err = peal_buf_add(out, d->whole, d->n_whole);
	else if (!err)
		err = peal_buf_add(out, "0", 1);
	if (!err && d->n_part)
		err = peal_buf_add(out, ".", 1);
	if (!err && d->n_part)
		err = peal_buf_add(out, d->part, d->n_part);
	return err;
}

enum peal_err peal_check_decimal(const struct peal_param *p, const char *text,
				 size_t len, struct peal_buf *out,
				 struct peal_reason *reason)
{
	unsigned places = p->type == PEAL_T_PWR ? 1 : p->max;
	int time = p->type == PEAL_T_TIME, ok;
	struct decimal d;

	ok = parse_decimal(text, len, &d);
	/* the guide has the decimals of a time dropped, not refused */
	if (ok && time && d.n_part > places)
		d.n_part = places;
	drop_zeros(&d);
	if (!ok || d.n_part > places || (time && d.minus))
		return peal_fail(reason, PEAL_ETYPE,
				 time ? "wants seconds with up to %u decimals" :
					"wants a number with up to %u decimals",
				 places);
	return add_decimal(out, &d);
}

/* --- schedules --- */

/* One number, blanks round it; 0 when there is none. */
static const char *take_number(const char *text, const char *end,
			       struct peal_buf *out, enum peal_err *err)
{
	uint64_t n;
	size_t len;

	while (text < end && *text == ' ')
		text++;
	len = digits(text, (size_t)(end - text));
	if (!peal_parse_uint(text, len, 0, &n) || n > UINT32_MAX)
		return NULL;
	*err = add_uint(out, n);
	text += len;
	while (text < end && *text == ' ')
		text++;
	return text;
}

/* item { "," item }, item = number [ "+" number ] */
enum peal_err peal_check_schedule(const struct peal_param *p, const char *text,
				  size_t len, struct peal_buf *out,
				  struct peal_reason *reason)
{
	const char *end = text + len;
	enum peal_err err = PEAL_OK;
	int extra = 0; /* the number after a "+" */

	(void)p;
	for (;;) {
		text = take_number(text, end, out, &err);
		if (err)
			return err;
		if (text == end)
			return PEAL_OK;
		if (!text || !(*text == ',' || (*text == '+' && !extra)))
			return peal_fail(reason, PEAL_ETYPE,
					 "wants seconds such as 3600 or "
					 "600,1200+300");
		extra = *text == '+';
		err = peal_buf_add(out, text++, 1);
		if (err)
			return err;
	}
}
