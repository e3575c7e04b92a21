/* inflate.c - gzip files and the codings gzip and deflate.
 *
 * RFC 1952: members follow each other, header fields are skipped, CRC and
 * length are checked (by zlib). Zeros behind the last member are padding of
 * tapes and blocks, as gzip(1) takes it; anything else there is a fault. */
#include <string.h>
#include <zlib.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "stage.h"

enum { ANY_GZIP = 16 + MAX_WBITS };

struct inflate {
	struct peal_stage stage;
	enum peal_inflate kind;
	z_stream z;
	int ready;   /* z is set up */
	int between; /* a member has ended, none begun */
	int zeros;   /* padding has begun */
	unsigned char head[2];
	size_t head_len;
	size_t total; /* pushed on */
	unsigned char out[PEAL_DECODE_WINDOW];
};

void *peal_z_alloc(void *arg, unsigned n, unsigned size)
{
	(void)arg;
	return peal_calloc(n, size);
}

void peal_z_free(void *arg, void *p)
{
	(void)arg;
	peal_free(p);
}

static enum peal_err corrupt(struct inflate *s, const char *text)
{
	return peal_fail(s->stage.chain->reason, PEAL_ECORRUPT, "%s", text);
}

static enum peal_err push_window(struct inflate *s, int last)
{
	size_t n = sizeof(s->out) - s->z.avail_out;

	if (n > PEAL_LIMIT_INFLATED - s->total)
		return peal_fail(s->stage.chain->reason, PEAL_ETOOBIG,
				 "inflates to more than %d bytes",
				 PEAL_LIMIT_INFLATED);
	if (s->kind == PEAL_INFLATE_FILE && s->total == 0 && n >= 2 &&
	    s->out[0] == 0x1f && s->out[1] == 0x8b)
		return corrupt(s, "a gzip file inside a gzip file");
	s->total += n;
	s->z.next_out = s->out;
	s->z.avail_out = sizeof(s->out);
	return peal_push(s->stage.next, s->out, n, last);
}

/* Does a deflate coding begin with the header of RFC 1950? Those who send raw
 * data instead are served since browsers do so too. */
static int zlib_header(const unsigned char head[2])
{
	return (head[0] & 0x0f) == Z_DEFLATED && head[0] >> 4 <= 7 &&
	       (head[0] * 256u + head[1]) % 31 == 0;
}

static enum peal_err start(struct inflate *s)
{
	int bits = ANY_GZIP;

	if (s->kind == PEAL_INFLATE_DEFLATE)
		bits = zlib_header(s->head) ? MAX_WBITS : -MAX_WBITS;
	if (inflateInit2(&s->z, bits) != Z_OK)
		return PEAL_ENOMEM;
	s->ready = 1;
	s->z.next_out = s->out;
	s->z.avail_out = sizeof(s->out);
	return PEAL_OK;
}

/* Skip padding; begin the next member. */
static enum peal_err next_member(struct inflate *s)
{
	while (s->z.avail_in && *s->z.next_in == 0 &&
	       s->kind != PEAL_INFLATE_DEFLATE) {
		s->zeros = 1;
		s->z.next_in++;
		s->z.avail_in--;
	}
	if (s->z.avail_in == 0)
		return PEAL_OK;
	if (s->zeros || s->kind == PEAL_INFLATE_DEFLATE)
		return corrupt(s, "something follows the compressed data");
	inflateReset(&s->z);
	s->between = 0;
	return PEAL_OK;
}

static enum peal_err run(struct inflate *s)
{
	enum peal_err err = PEAL_OK;
	int z;

	while (s->z.avail_in && !err) {
		if (s->between) {
			err = next_member(s);
			continue;
		}
		z = inflate(&s->z, Z_NO_FLUSH);
		if (z == Z_STREAM_END)
			s->between = 1;
		else if (z == Z_MEM_ERROR)
			err = PEAL_ENOMEM;
		else if (z != Z_OK && z != Z_BUF_ERROR)
			err = corrupt(s, "damaged compressed data");
		if (!err && s->z.avail_out == 0)
			err = push_window(s, 0);
	}
	return err;
}

static enum peal_err feed(struct inflate *s, const unsigned char *p, size_t len)
{
	s->z.next_in = (unsigned char *)p;
	s->z.avail_in = (unsigned)len;
	return run(s);
}

/* All input is in, but a full window may have held some output back. */
static enum peal_err finish(struct inflate *s)
{
	enum peal_err err = PEAL_OK;
	unsigned before;
	int z;

	while (!s->between && !err) {
		before = s->z.avail_out;
		z = inflate(&s->z, Z_NO_FLUSH);
		if (z == Z_STREAM_END)
			s->between = 1;
		else if (z != Z_OK || s->z.avail_out == before)
			return corrupt(s, "the compressed data is cut off");
		if (s->z.avail_out == 0)
			err = push_window(s, 0);
	}
	return err ? err : push_window(s, 1);
}

static enum peal_err push(struct peal_stage *stage, const unsigned char *p,
			  size_t len, int last)
{
	struct inflate *s = (struct inflate *)stage;
	enum peal_err err = PEAL_OK;

	while (len && s->head_len < sizeof(s->head)) {
		s->head[s->head_len++] = *p++;
		len--;
		if (s->head_len < sizeof(s->head))
			continue;
		err = start(s);
		if (!err)
			err = feed(s, s->head, sizeof(s->head));
	}
	if (!err && len)
		err = feed(s, p, len);
	if (err || !last)
		return err;
	return s->ready ? finish(s) :
			  corrupt(s, "the compressed data is cut off");
}

static void fini(struct peal_stage *stage)
{
	struct inflate *s = (struct inflate *)stage;

	if (s->ready)
		inflateEnd(&s->z);
}

struct peal_stage *peal_stage_inflate(struct peal_chain *c,
				      enum peal_inflate kind,
				      struct peal_stage *next)
{
	struct inflate *s = peal_chain_add(c, sizeof(*s), next);

	if (!s)
		return NULL;
	s->kind = kind;
	s->z.zalloc = peal_z_alloc;
	s->z.zfree = peal_z_free;
	s->stage.push = push;
	s->stage.fini = fini;
	return &s->stage;
}
