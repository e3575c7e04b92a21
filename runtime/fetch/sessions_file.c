/* sessions_file.c - sessions as bytes, for the next start of the process.
 *
 *   magic, build, count, session ..., SHA-256 of all that
 *
 * Numbers are big-endian, of 8 bytes; texts and bytes have their length in
 * front. The sum finds damage, it is no protection: that is the seal's matter.
 * What another build has judged is not taken: its rules may have been others. */
#include <mbedtls/version.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "sessions.h"

static const char magic[8] = "pealses1";

static enum peal_err put(struct peal_buf *out, uint64_t n)
{
	unsigned char be[8];
	unsigned i;

	for (i = 0; i < sizeof(be); i++)
		be[i] = (unsigned char)(n >> (56 - 8 * i));
	return peal_buf_add(out, be, sizeof(be));
}

static enum peal_err put_bytes(struct peal_buf *out, const void *p, size_t len)
{
	enum peal_err err = put(out, len);

	return err ? err : peal_buf_add(out, p, len);
}

/* Bytes that are left to read. An error sticks. */
struct reader {
	const unsigned char *p;
	size_t len;
	int bad;
};

static const unsigned char *take(struct reader *r, size_t len)
{
	const unsigned char *p = r->p;

	if (r->bad || len > r->len) {
		r->bad = 1;
		return NULL;
	}
	r->p += len;
	r->len -= len;
	return p;
}

static uint64_t take_number(struct reader *r)
{
	const unsigned char *be = take(r, 8);
	uint64_t n = 0;
	unsigned i;

	for (i = 0; be && i < 8; i++)
		n = n << 8 | be[i];
	return n;
}

static const unsigned char *take_bytes(struct reader *r, size_t *len)
{
	*len = (size_t)take_number(r);
	return take(r, *len);
}

static void take_block(struct reader *r, void *to, size_t size)
{
	const unsigned char *p = take(r, size);

	if (p)
		memcpy(to, p, size);
}

static void take_text(struct reader *r, char *to, size_t size)
{
	size_t len;
	const unsigned char *p = take_bytes(r, &len);

	if (!p)
		return;
	if (len >= size) {
		r->bad = 1;
		return;
	}
	memcpy(to, p, len);
	to[len] = '\0';
}

/* The texts of a certificate, in the order of the file. */
#define TEXTS(X)      \
	X(subject)    \
	X(issuer)     \
	X(cn)         \
	X(serial)     \
	X(not_before) \
	X(not_after)  \
	X(sha256)     \
	X(sha1)       \
	X(key_type)

static enum peal_err put_cert(struct peal_buf *out,
			      const struct peal_cert_facts *c)
{
	enum peal_err err = put(out, (uint64_t)c->from);

	if (!err)
		err = put(out, (uint64_t)c->to);
	if (!err)
		err = put(out, c->key_bits);
	if (!err)
		err = put(out, c->is_ca);
	if (!err)
		err = put(out, c->self_signed);
#define PUT(field) \
	if (!err)  \
		err = put_bytes(out, c->field, strlen(c->field));
	TEXTS(PUT)
#undef PUT
	return err;
}

static void take_cert(struct reader *r, struct peal_cert_facts *c)
{
	c->from = (int64_t)take_number(r);
	c->to = (int64_t)take_number(r);
	c->key_bits = (unsigned)take_number(r);
	c->is_ca = take_number(r) == 1;
	c->self_signed = take_number(r) == 1;
#define TAKE(field) take_text(r, c->field, sizeof(c->field));
	TEXTS(TAKE)
#undef TAKE
}

static enum peal_err put_peer(struct peal_buf *out, const struct peal_peer *p)
{
	enum peal_err err = put(out, p->chain_n);
	unsigned i;

	if (!err)
		err = put(out, (uint64_t)p->checked);
	if (!err)
		err = put(out, (uint64_t)p->not_after);
	if (!err)
		err = put(out, p->pinned);
	if (!err)
		err = put(out, p->anchor_private);
	if (!err)
		err = put(out, p->client_cert_sent);
	if (!err)
		err = peal_buf_add(out, p->anchor_sha256,
				   sizeof(p->anchor_sha256));
	for (i = 0; !err && i < p->chain_n; i++)
		err = put_cert(out, &p->chain[i]);
	return err;
}

static struct peal_peer *take_peer(struct reader *r)
{
	uint64_t n = take_number(r);
	struct peal_peer *p;
	unsigned i;

	if (r->bad || n > PEAL_LIMIT_CHAIN || peal_peer_new(&p, (unsigned)n))
		return NULL;
	p->checked = (int64_t)take_number(r);
	p->not_after = (int64_t)take_number(r);
	p->pinned = take_number(r) == 1;
	p->anchor_private = take_number(r) == 1;
	p->client_cert_sent = take_number(r) == 1;
	take_block(r, p->anchor_sha256, sizeof(p->anchor_sha256));
	for (i = 0; i < p->chain_n; i++)
		take_cert(r, &p->chain[i]);
	return p;
}

static enum peal_err put_session(struct peal_buf *out,
				 const struct peal_session *x)
{
	enum peal_err err = peal_buf_add(out, x->key, sizeof(x->key));

	if (!err)
		err = put(out, (uint64_t)x->since);
	if (!err)
		err = put(out, (uint64_t)x->until);
	if (!err)
		err = put_bytes(out, x->bytes, x->len);
	return err ? err : put_peer(out, x->peer);
}

/* NULL: broken, or no memory */
static struct peal_session *take_session(struct reader *r)
{
	struct peal_session *x = peal_zalloc(sizeof(*x));
	const unsigned char *bytes;
	size_t len;

	if (!x)
		return NULL;
	take_block(r, x->key, sizeof(x->key));
	x->since = (int64_t)take_number(r);
	x->until = (int64_t)take_number(r);
	bytes = take_bytes(r, &len);
	if (bytes && len <= PEAL_LIMIT_SESSION)
		x->bytes = (unsigned char *)peal_memdup0(bytes, len);
	x->len = x->bytes ? len : 0;
	if (x->bytes)
		x->peer = take_peer(r);
	if (!x->peer || r->bad) {
		peal_session_free(x);
		return NULL;
	}
	return x;
}

static enum peal_err put_header(struct peal_buf *out, unsigned count)
{
	enum peal_err err = peal_buf_add(out, magic, sizeof(magic));

	if (!err)
		err = put(out, (uint64_t)peal_build_time());
	if (!err)
		err = put(out, MBEDTLS_VERSION_NUMBER);
	return err ? err : put(out, count);
}

enum peal_err peal_sessions_export(const struct peal_sessions *s,
				   struct peal_buf *out)
{
	unsigned char sum[PEAL_SHA256_SIZE];
	const struct peal_session *x;
	const size_t start = out->len;
	enum peal_err err;

	if (!s->first)
		return PEAL_OK;
	err = put_header(out, s->count);
	for (x = s->first; !err && x; x = x->next)
		err = put_session(out, x);
	if (!err)
		err = peal_sha256(out->data + start, out->len - start, sum);
	if (!err)
		err = peal_buf_add(out, sum, sizeof(sum));
	if (err)
		out->len = start;
	return err;
}

static int is_whole(struct reader *r)
{
	unsigned char sum[PEAL_SHA256_SIZE];

	if (r->len < sizeof(sum))
		return 0;
	r->len -= sizeof(sum);
	return peal_sha256(r->p, r->len, sum) == PEAL_OK &&
	       memcmp(sum, r->p + r->len, sizeof(sum)) == 0;
}

static int is_ours(struct reader *r)
{
	const unsigned char *p = take(r, sizeof(magic));

	return p && memcmp(p, magic, sizeof(magic)) == 0 &&
	       take_number(r) == (uint64_t)peal_build_time() &&
	       take_number(r) == MBEDTLS_VERSION_NUMBER;
}

unsigned peal_sessions_import(struct peal_sessions *s, const void *bytes,
			      size_t len)
{
	struct reader r = { .p = bytes, .len = len };
	struct peal_session *x;
	unsigned taken = 0;
	uint64_t n;

	if (!is_whole(&r) || !is_ours(&r))
		return 0;
	for (n = take_number(&r); n && !r.bad; n--) {
		x = take_session(&r);
		if (!x)
			break;
		if (peal_sessions_adopt(s, x))
			taken++;
		else
			peal_session_free(x);
	}
	return taken;
}
