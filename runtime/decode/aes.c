/* aes.c - AES-256-CBC as `openssl enc` writes it.
 *
 * "Salted__", 8 bytes of salt, cipher text with PKCS#7 padding. Nothing in
 * the file says how key and IV were made of the passphrase: the beginning of
 * the plain text tells. It has to look like XML or gzip, which no wrong key
 * achieves in practice (about 1 in 10^8); the padding is deliberately not
 * asked, since a second, slow try after bad padding could be timed by whoever
 * alters the file on its way.
 * Source    MPP administration guide, "Profile encryption", which has
 *           openssl's -md md5; SHA-256 is openssl's default since 1.1.0;
 *           PBKDF2 is our extension. */
#include <string.h>

#include "peal/alloc.h"
#include "profile/utf8.h"
#include "stage.h"

enum {
	LOOK = 512,                /* cipher text gathered to choose by */
	SURE = 16,                 /* bytes of text that have to be text */
	PBKDF2_ITERATIONS = 10000, /* openssl's own figure */
	BLOCK = PEAL_AES_BLOCK
};

/*   head   header and the first cipher text
 *   part   cipher text of an incomplete block
 *   out    one block that may be the last, then the window */
struct aes {
	struct peal_stage stage;
	struct peal_cbc cbc;
	int chosen;
	int holds; /* a block at out */
	size_t head_len;
	size_t part_len;
	unsigned char head[PEAL_AES_HEADER + LOOK];
	unsigned char part[BLOCK];
	unsigned char out[BLOCK + PEAL_DECODE_WINDOW];
};

/* EVP_BytesToKey with one round: D1 = H(key, salt), Dn = H(Dn-1, key, salt). */
static enum peal_err bytes_to_key(enum peal_hash_kind kind, const char *key,
				  size_t key_len,
				  const unsigned char salt[PEAL_SALT],
				  unsigned char out[PEAL_AES_SECRET])
{
	const size_t size = kind == PEAL_HASH_MD5 ? PEAL_MD5_SIZE :
						    PEAL_SHA256_SIZE;
	unsigned char d[PEAL_SHA256_SIZE];
	enum peal_err err = PEAL_OK;
	struct peal_hash h;
	size_t have = 0, n;

	while (have < PEAL_AES_SECRET && !err) {
		peal_hash_init(&h, kind);
		peal_hash_add(&h, d, have ? size : 0);
		peal_hash_add(&h, key, key_len);
		peal_hash_add(&h, salt, PEAL_SALT);
		err = peal_hash_final(&h, d);
		peal_hash_fini(&h);
		n = PEAL_AES_SECRET - have;
		if (n > size)
			n = size;
		memcpy(out + have, d, n);
		have += n;
	}
	peal_wipe(d, sizeof(d));
	return err;
}

enum peal_err peal_aes_derive(enum peal_kdf kdf, const char *key,
			      size_t key_len,
			      const unsigned char salt[PEAL_SALT],
			      unsigned char out[PEAL_AES_SECRET])
{
	if (kdf == PEAL_KDF_PBKDF2)
		return peal_pbkdf2(key, key_len, salt, PEAL_SALT,
				   PBKDF2_ITERATIONS, out, PEAL_AES_SECRET);
	return bytes_to_key(kdf == PEAL_KDF_MD5 ? PEAL_HASH_MD5 :
						  PEAL_HASH_SHA256,
			    key, key_len, salt, out);
}

static int blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* `sure`: bytes that are no padding. */
static int looks_right(const unsigned char *p, size_t len, size_t sure)
{
	size_t at = 0, good;

	if (len >= 4 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
		return (p[3] & 0xe0) == 0; /* reserved flags */
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len && blank(p[at]))
		at++;
	if (at == len)
		return len == LOOK; /* no wrong key makes blanks only */
	if (p[at] != '<')
		return 0;
	if (sure > at + SURE)
		sure = at + SURE;
	good = peal_utf8_check(p, sure);
	return good + 3 >= sure; /* the end may cut a character */
}

/* Decrypt the beginning with one candidate; leaves the secret behind. */
static enum peal_err try(struct aes *s, enum peal_kdf kdf, int last,
			 unsigned char secret[PEAL_AES_SECRET], int *right)
{
	const struct peal_decode_options *o = s->stage.chain->options;
	size_t len = (s->head_len - PEAL_AES_HEADER) / BLOCK * BLOCK;
	unsigned char plain[LOOK];
	struct peal_cbc cbc;
	enum peal_err err;

	err = peal_aes_derive(kdf, o->key, o->key_len, s->head + PEAL_SALT,
			      secret);
	if (err)
		return err;
	err = peal_cbc_init(&cbc, PEAL_DECRYPT, secret,
			    secret + PEAL_AES256_KEY);
	if (!err)
		err = peal_cbc_run(&cbc, s->head + PEAL_AES_HEADER, len, plain);
	peal_cbc_fini(&cbc);
	if (!err)
		*right = looks_right(plain, len, last ? len - BLOCK : len);
	peal_wipe(plain, sizeof(plain));
	return err;
}

static enum peal_err corrupt(const struct aes *s)
{
	/* the caller's text stands for all faults from here on */
	return peal_fail(s->stage.chain->reason, PEAL_ECORRUPT, "%s", "");
}

static enum peal_err choose(struct aes *s, int last)
{
	static const struct {
		enum peal_kdf kdf;
		const char *step;
	} tries[] = {
		{ PEAL_KDF_MD5, "aes-256-cbc (md5)" },
		{ PEAL_KDF_SHA256, "aes-256-cbc (sha256)" },
		{ PEAL_KDF_PBKDF2, "aes-256-cbc (pbkdf2)" },
	};
	unsigned char secret[PEAL_AES_SECRET];
	enum peal_err err = PEAL_OK;
	int right = 0;
	unsigned i;

	for (i = 0; i < 3 && !err && !right; i++)
		err = try(s, tries[i].kdf, last, secret, &right);
	if (!err && !right)
		err = corrupt(s);
	if (!err) {
		peal_chain_step(s->stage.chain, tries[i - 1].step);
		err = peal_cbc_init(&s->cbc, PEAL_DECRYPT, secret,
				    secret + PEAL_AES256_KEY);
		s->chosen = 1;
	}
	peal_wipe(secret, sizeof(secret));
	return err;
}

/* Whole blocks, at most a window of them. The last one is held back: it may
 * be the end of the file, with the padding in it. */
static enum peal_err decrypt(struct aes *s, const unsigned char *p, size_t len)
{
	unsigned char *from = s->holds ? s->out : s->out + BLOCK;
	size_t n = (s->holds ? BLOCK : 0) + len - BLOCK;
	enum peal_err err;

	err = peal_cbc_run(&s->cbc, p, len, s->out + BLOCK);
	if (!err && n)
		err = peal_push(s->stage.next, from, n, 0);
	memcpy(s->out, s->out + len, BLOCK);
	s->holds = 1;
	return err;
}

static enum peal_err cipher(struct aes *s, const unsigned char *p, size_t len)
{
	enum peal_err err = PEAL_OK;
	size_t n;

	while (len && !err) {
		if (s->part_len || len < BLOCK) {
			n = BLOCK - s->part_len;
			if (n > len)
				n = len;
			memcpy(s->part + s->part_len, p, n);
			s->part_len += n;
			if (s->part_len == BLOCK) {
				err = decrypt(s, s->part, BLOCK);
				s->part_len = 0;
			}
		} else {
			n = len < PEAL_DECODE_WINDOW ? len : PEAL_DECODE_WINDOW;
			n -= n % BLOCK;
			err = decrypt(s, p, n);
		}
		p += n;
		len -= n;
	}
	return err;
}

/* Length of the padding, or 0 when it is wrong. No branch and no index
 * depends on the block. */
static unsigned padding(const unsigned char block[BLOCK])
{
	unsigned n = block[BLOCK - 1], bad, i, inside;

	bad = (n - 1u) >> 4; /* not 0 unless 1..16 */
	for (i = 0; i < BLOCK; i++) {
		/* all ones where i is among the last n bytes */
		inside = 0u - ((BLOCK - 1u - i - n) >> 31);
		bad |= inside & (block[i] ^ n);
	}
	/* 1 when bad is 0, shifted out of a borrow */
	return n & (0u - ((bad - 1u) >> 31 & ~bad >> 31));
}

/* Bad padding is told only after the stages behind have had their say: it
 * takes no less time than any other fault. */
static enum peal_err finish(struct aes *s)
{
	unsigned n;
	enum peal_err err;

	if (s->part_len || !s->holds)
		return corrupt(s);
	n = padding(s->out);
	err = peal_push(s->stage.next, s->out, BLOCK - n, 1);
	if (!err && n == 0)
		err = corrupt(s);
	return err;
}

static int begins(const struct aes *s, const char *text)
{
	size_t len = strlen(text);

	return s->head_len >= len && memcmp(s->head, text, len) == 0;
}

static enum peal_err check_header(struct aes *s, int last)
{
	struct peal_reason *r = s->stage.chain->reason;

	if (begins(s, "\x1f\x8b"))
		return peal_fail(r, PEAL_ECORRUPT,
				 "not recognised: gzip outside, but a key is "
				 "given; compress first, then encrypt");
	if (begins(s, "<") || begins(s, "\xef\xbb\xbf<"))
		return peal_fail(r, PEAL_ECORRUPT,
				 "not encrypted, but a key is given");
	if (!begins(s, "Salted__"))
		return peal_fail(r, PEAL_ECORRUPT,
				 "a key is given, but the file is not as "
				 "openssl enc writes it (no \"Salted__\")");
	s->stage.chain->cbc = 1;
	if (s->head_len < PEAL_AES_HEADER + BLOCK ||
	    (last && s->head_len % BLOCK))
		return corrupt(s);
	return PEAL_OK;
}

static enum peal_err push(struct peal_stage *stage, const unsigned char *p,
			  size_t len, int last)
{
	struct aes *s = (struct aes *)stage;
	enum peal_err err = PEAL_OK;
	size_t n;

	if (!s->chosen) {
		n = sizeof(s->head) - s->head_len;
		if (n > len)
			n = len;
		memcpy(s->head + s->head_len, p, n);
		s->head_len += n;
		p += n;
		len -= n;
		if (s->head_len < sizeof(s->head) && !last)
			return PEAL_OK;
		err = check_header(s, last && len == 0);
		if (!err)
			err = choose(s, last && len == 0);
		if (!err)
			err = cipher(s, s->head + PEAL_AES_HEADER,
				     s->head_len - PEAL_AES_HEADER);
	}
	if (!err)
		err = cipher(s, p, len);
	if (!err && last)
		err = finish(s);
	return err;
}

static void fini(struct peal_stage *stage)
{
	struct aes *s = (struct aes *)stage;

	if (s->chosen)
		peal_cbc_fini(&s->cbc);
}

struct peal_stage *peal_stage_aes(struct peal_chain *c, struct peal_stage *next)
{
	struct aes *s = peal_chain_add(c, sizeof(*s), next);

	if (!s)
		return NULL;
	s->stage.push = push;
	s->stage.fini = fini;
	return &s->stage;
}
