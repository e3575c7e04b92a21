/* rfc8188.c - the coding aes128gcm.
 *
 * Records are opened one by one and passed on only when their tag fits. The
 * key id is ignored: a phone has one key. */
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "stage.h"

enum {
	SALT = 16,
	FIXED = SALT + 4 + 1, /* salt, record size, length of the key id */
	SMALLEST = 18         /* RFC 8188, 2: a tag, a delimiter, one octet */
};

/*   seq    records opened so far
 *   ended  the last record was seen
 *   held   cipher text of a record that is not complete */
struct gcm {
	struct peal_stage stage;
	struct peal_gcm gcm;
	struct peal_record_keys keys;
	size_t head_len;
	size_t record_size;
	unsigned long long seq;
	int ready;
	int ended;
	struct peal_buf held;
	struct peal_buf plain;
	unsigned char head[FIXED + 255];
};

static enum peal_err expand(const unsigned char prk[PEAL_SHA256_SIZE],
			    const char *info, size_t info_len,
			    unsigned char *out, size_t len)
{
	unsigned char block[PEAL_SHA256_SIZE];
	enum peal_err err;

	err = peal_hmac_sha256(prk, PEAL_SHA256_SIZE, info, info_len, block);
	memcpy(out, block, len);
	peal_wipe(block, sizeof(block));
	return err;
}

enum peal_err peal_record_derive(const char *ikm, size_t ikm_len,
				 const unsigned char salt[SALT],
				 struct peal_record_keys *out)
{
	/* each with its NUL, then the counter of HKDF */
	static const char cek[] = "Content-Encoding: aes128gcm\0\1";
	static const char nonce[] = "Content-Encoding: nonce\0\1";
	unsigned char key[PEAL_IKM_MAX], prk[PEAL_SHA256_SIZE];
	size_t key_len = 0;
	enum peal_err err;

	err = peal_ikm_decode(ikm, ikm_len, key, &key_len);
	if (!err)
		err = peal_hmac_sha256(salt, SALT, key, key_len, prk);
	if (!err)
		err = expand(prk, cek, sizeof(cek) - 1, out->cek,
			     sizeof(out->cek));
	if (!err)
		err = expand(prk, nonce, sizeof(nonce) - 1, out->nonce,
			     sizeof(out->nonce));
	peal_wipe(key, sizeof(key));
	peal_wipe(prk, sizeof(prk));
	return err;
}

void peal_record_nonce(const struct peal_record_keys *k, unsigned long long n,
		       unsigned char out[PEAL_GCM_NONCE])
{
	unsigned i;

	memcpy(out, k->nonce, PEAL_GCM_NONCE);
	for (i = 0; i < 8; i++)
		out[PEAL_GCM_NONCE - 1 - i] ^= (unsigned char)(n >> (8 * i));
}

static enum peal_err corrupt(const struct gcm *s, const char *text)
{
	return peal_fail(s->stage.chain->reason, PEAL_ECORRUPT, "aes128gcm: %s",
			 text);
}

/* The plain text ends with a delimiter, 2 in the last record, and zeros. */
static enum peal_err deliver(struct gcm *s, const unsigned char *p, size_t len)
{
	while (len && p[len - 1] == 0)
		len--;
	if (len == 0 || p[len - 1] > 2)
		return corrupt(s, "a record without a delimiter");
	s->ended = p[len - 1] == 2;
	return len == 1 ? PEAL_OK : peal_push(s->stage.next, p, len - 1, 0);
}

static enum peal_err record(struct gcm *s, const unsigned char *p, size_t len)
{
	unsigned char nonce[PEAL_GCM_NONCE];
	enum peal_err err;

	if (s->ended)
		return corrupt(s, "something follows the last record");
	if (len <= PEAL_GCM_TAG)
		return corrupt(s, "the last record is cut off");
	peal_buf_clear(&s->plain);
	err = peal_buf_reserve(&s->plain, len - PEAL_GCM_TAG);
	if (err)
		return err;
	peal_record_nonce(&s->keys, s->seq++, nonce);
	err = peal_gcm_open(&s->gcm, nonce, p, len, s->plain.data);
	if (err == PEAL_ECORRUPT)
		return corrupt(s, "wrong key, or altered on the way");
	if (!err) {
		s->plain.len = len - PEAL_GCM_TAG;
		err = deliver(s, s->plain.data, s->plain.len);
	}
	return err;
}

/* Records that lie in one piece are not copied. */
static enum peal_err records(struct gcm *s, const unsigned char *p, size_t len,
			     int last)
{
	enum peal_err err = PEAL_OK;
	size_t n;

	while (len && !err) {
		n = s->record_size - s->held.len;
		if (s->held.len == 0 && (len >= n || last)) {
			n = n < len ? n : len;
			err = record(s, p, n);
		} else {
			n = n < len ? n : len;
			err = peal_buf_add(&s->held, p, n);
			if (!err && s->held.len == s->record_size) {
				err = record(s, s->held.data, s->held.len);
				peal_buf_clear(&s->held);
			}
		}
		p += n;
		len -= n;
	}
	if (!err && last && s->held.len)
		err = record(s, s->held.data, s->held.len);
	return err;
}

static enum peal_err start(struct gcm *s)
{
	const struct peal_decode_options *o = s->stage.chain->options;
	const unsigned char *size = s->head + SALT;
	enum peal_err err;

	s->record_size = (size_t)size[0] << 24 | (size_t)size[1] << 16 |
			 (size_t)size[2] << 8 | size[3];
	if (s->record_size < SMALLEST)
		return corrupt(s, "a record size below 18");
	err = peal_record_derive(o->ikm, o->ikm_len, s->head, &s->keys);
	if (err == PEAL_EINVAL)
		return peal_fail(s->stage.chain->reason, err,
				 "the keying material is not as its prefix "
				 "says");
	if (!err)
		err = peal_gcm_init(&s->gcm, PEAL_DECRYPT, s->keys.cek,
				    PEAL_GCM_KEY);
	s->ready = !err;
	return err;
}

static enum peal_err push(struct peal_stage *stage, const unsigned char *p,
			  size_t len, int last)
{
	struct gcm *s = (struct gcm *)stage;
	enum peal_err err = PEAL_OK;

	for (; !s->ready && !err && len; len--) {
		s->head[s->head_len++] = *p++;
		if (s->head_len >= FIXED &&
		    s->head_len == FIXED + (size_t)s->head[FIXED - 1])
			err = start(s);
	}
	if (!err && s->ready)
		err = records(s, p, len, last);
	if (err || !last)
		return err;
	if (!s->ended)
		return corrupt(s, "the last record is missing");
	return peal_push(s->stage.next, p, 0, 1);
}

static void fini(struct peal_stage *stage)
{
	struct gcm *s = (struct gcm *)stage;

	peal_gcm_fini(&s->gcm);
	peal_buf_fini(&s->held);
	peal_buf_fini_secret(&s->plain);
}

struct peal_stage *peal_stage_aes128gcm(struct peal_chain *c,
					struct peal_stage *next)
{
	struct gcm *s = peal_chain_add(c, sizeof(*s), next);

	if (!s)
		return NULL;
	s->stage.push = push;
	s->stage.fini = fini;
	peal_buf_init(&s->held, PEAL_LIMIT_INFLATED);
	peal_buf_init(&s->plain, PEAL_LIMIT_INFLATED);
	return &s->stage;
}
