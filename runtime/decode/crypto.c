/* crypto.c - see crypto.h */
#include "crypto.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "peal/alloc.h"

static enum peal_err from_psa(psa_status_t status)
{
	switch (status) {
	case PSA_SUCCESS:
		return PEAL_OK;
	case PSA_ERROR_INSUFFICIENT_MEMORY:
		return PEAL_ENOMEM;
	case PSA_ERROR_INVALID_SIGNATURE:
		return PEAL_ECORRUPT;
	default:
		return PEAL_EINTERNAL;
	}
}

enum peal_err peal_crypto_init(void)
{
	return from_psa(psa_crypto_init());
}

enum peal_err peal_random(void *out, size_t len)
{
	unsigned char *p = out;
	ssize_t n;

	while (len > 0) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PEAL_EIO;
		p += n;
		len -= (size_t)n;
	}
	return PEAL_OK;
}

static enum peal_err digest(psa_algorithm_t alg, const void *bytes, size_t len,
			    unsigned char *out, size_t size)
{
	enum peal_err err = peal_crypto_init();
	size_t n;

	if (err)
		return err;
	return from_psa(psa_hash_compute(alg, bytes, len, out, size, &n));
}

enum peal_err peal_md5(const void *bytes, size_t len,
		       unsigned char out[PEAL_MD5_SIZE])
{
	return digest(PSA_ALG_MD5, bytes, len, out, PEAL_MD5_SIZE);
}

enum peal_err peal_sha1(const void *bytes, size_t len,
			unsigned char out[PEAL_SHA1_SIZE])
{
	return digest(PSA_ALG_SHA_1, bytes, len, out, PEAL_SHA1_SIZE);
}

enum peal_err peal_sha256(const void *bytes, size_t len,
			  unsigned char out[PEAL_SHA256_SIZE])
{
	return digest(PSA_ALG_SHA_256, bytes, len, out, PEAL_SHA256_SIZE);
}

void peal_hex(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (; len; len--, p++) {
		*out++ = digits[*p >> 4];
		*out++ = digits[*p & 15];
	}
	*out = '\0';
}

enum peal_err peal_hash_init(struct peal_hash *h, enum peal_hash_kind kind)
{
	h->op = psa_hash_operation_init();
	h->size = kind == PEAL_HASH_MD5 ? PEAL_MD5_SIZE : PEAL_SHA256_SIZE;
	h->err = peal_crypto_init();
	if (!h->err)
		h->err = from_psa(psa_hash_setup(
			&h->op,
			kind == PEAL_HASH_MD5 ? PSA_ALG_MD5 : PSA_ALG_SHA_256));
	return h->err;
}

void peal_hash_add(struct peal_hash *h, const void *bytes, size_t len)
{
	if (!h->err && len)
		h->err = from_psa(psa_hash_update(&h->op, bytes, len));
}

enum peal_err peal_hash_final(struct peal_hash *h, unsigned char *out)
{
	size_t n;

	if (!h->err)
		h->err = from_psa(psa_hash_finish(&h->op, out, h->size, &n));
	return h->err;
}

enum peal_err peal_hash_peek(const struct peal_hash *h, unsigned char *out)
{
	struct peal_hash copy = *h;

	copy.op = psa_hash_operation_init();
	if (!copy.err)
		copy.err = from_psa(psa_hash_clone(&h->op, &copy.op));
	peal_hash_final(&copy, out);
	peal_hash_fini(&copy);
	return copy.err;
}

void peal_hash_fini(struct peal_hash *h)
{
	psa_hash_abort(&h->op);
}

/* RFC 2104, with both padded keys hashed once: PBKDF2 starts from these two
 * states tens of thousands of times. */
struct hmac {
	psa_hash_operation_t inner;
	psa_hash_operation_t outer;
};

enum { HMAC_BLOCK = 64 };

static void hmac_fini(struct hmac *h)
{
	psa_hash_abort(&h->inner);
	psa_hash_abort(&h->outer);
}

static psa_status_t hmac_pad(psa_hash_operation_t *op,
			     const unsigned char key[HMAC_BLOCK],
			     unsigned char with)
{
	unsigned char block[HMAC_BLOCK];
	psa_status_t status;
	unsigned i;

	for (i = 0; i < HMAC_BLOCK; i++)
		block[i] = key[i] ^ with;
	status = psa_hash_setup(op, PSA_ALG_SHA_256);
	if (status == PSA_SUCCESS)
		status = psa_hash_update(op, block, sizeof(block));
	peal_wipe(block, sizeof(block));
	return status;
}

static psa_status_t hmac_init(struct hmac *h, const void *key, size_t len)
{
	unsigned char padded[HMAC_BLOCK] = { 0 };
	psa_status_t status = PSA_SUCCESS;
	size_t n;

	h->inner = psa_hash_operation_init();
	h->outer = psa_hash_operation_init();
	if (len > HMAC_BLOCK)
		/* not the whole of `padded`: PSA may scribble behind */
		status = psa_hash_compute(PSA_ALG_SHA_256, key, len, padded,
					  PEAL_SHA256_SIZE, &n);
	else if (len)
		memcpy(padded, key, len);
	if (status == PSA_SUCCESS)
		status = hmac_pad(&h->inner, padded, 0x36);
	if (status == PSA_SUCCESS)
		status = hmac_pad(&h->outer, padded, 0x5c);
	peal_wipe(padded, sizeof(padded));
	return status;
}

/* One message of two parts; `h` stays as it is. */
static psa_status_t hmac_run(const struct hmac *h, const void *a, size_t a_len,
			     const void *b, size_t b_len,
			     unsigned char out[PEAL_SHA256_SIZE])
{
	psa_hash_operation_t op = psa_hash_operation_init();
	psa_status_t status;
	size_t n;

	status = psa_hash_clone(&h->inner, &op);
	if (status == PSA_SUCCESS && a_len)
		status = psa_hash_update(&op, a, a_len);
	if (status == PSA_SUCCESS && b_len)
		status = psa_hash_update(&op, b, b_len);
	if (status == PSA_SUCCESS)
		status = psa_hash_finish(&op, out, PEAL_SHA256_SIZE, &n);
	psa_hash_abort(&op);
	if (status == PSA_SUCCESS)
		status = psa_hash_clone(&h->outer, &op);
	if (status == PSA_SUCCESS)
		status = psa_hash_update(&op, out, PEAL_SHA256_SIZE);
	if (status == PSA_SUCCESS)
		status = psa_hash_finish(&op, out, PEAL_SHA256_SIZE, &n);
	psa_hash_abort(&op);
	return status;
}

enum peal_err peal_hmac_sha256(const void *key, size_t key_len,
			       const void *bytes, size_t len,
			       unsigned char out[PEAL_SHA256_SIZE])
{
	enum peal_err err = peal_crypto_init();
	struct hmac h;
	psa_status_t status;

	if (err)
		return err;
	status = hmac_init(&h, key, key_len);
	if (status == PSA_SUCCESS)
		status = hmac_run(&h, bytes, len, NULL, 0, out);
	hmac_fini(&h);
	return from_psa(status);
}

/* One block of PBKDF2, RFC 8018 5.2 step 3. */
static psa_status_t pbkdf2_block(const struct hmac *h, const void *salt,
				 size_t salt_len, unsigned iterations,
				 unsigned number,
				 unsigned char out[PEAL_SHA256_SIZE])
{
	const unsigned char be[4] = { 0, 0, 0, (unsigned char)number };
	unsigned char u[PEAL_SHA256_SIZE];
	psa_status_t status;
	unsigned i, k;

	status = hmac_run(h, salt, salt_len, be, sizeof(be), u);
	memcpy(out, u, sizeof(u));
	for (i = 1; i < iterations && status == PSA_SUCCESS; i++) {
		status = hmac_run(h, u, sizeof(u), NULL, 0, u);
		for (k = 0; k < sizeof(u); k++)
			out[k] ^= u[k];
	}
	peal_wipe(u, sizeof(u));
	return status;
}

enum peal_err peal_pbkdf2(const void *password, size_t password_len,
			  const void *salt, size_t salt_len,
			  unsigned iterations, unsigned char *out, size_t len)
{
	enum peal_err err = peal_crypto_init();
	unsigned char block[PEAL_SHA256_SIZE];
	psa_status_t status;
	struct hmac h;
	unsigned number;
	size_t n;

	if (err)
		return err;
	if (len > 255 * sizeof(block))
		return PEAL_EINVAL;
	status = hmac_init(&h, password, password_len);
	for (number = 1; len && status == PSA_SUCCESS; number++) {
		status = pbkdf2_block(&h, salt, salt_len, iterations, number,
				      block);
		n = len < sizeof(block) ? len : sizeof(block);
		memcpy(out, block, n);
		out += n;
		len -= n;
	}
	hmac_fini(&h);
	peal_wipe(block, sizeof(block));
	return from_psa(status);
}

static psa_status_t import(psa_key_id_t *out, const unsigned char *key,
			   size_t len, psa_algorithm_t alg,
			   psa_key_usage_t usage)
{
	psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;

	psa_set_key_type(&a, PSA_KEY_TYPE_AES);
	psa_set_key_bits(&a, len * 8);
	psa_set_key_algorithm(&a, alg);
	psa_set_key_usage_flags(&a, usage);
	return psa_import_key(&a, key, len, out);
}

enum peal_err peal_cbc_init(struct peal_cbc *c, enum peal_way way,
			    const unsigned char key[PEAL_AES256_KEY],
			    const unsigned char iv[PEAL_AES_BLOCK])
{
	const psa_algorithm_t alg = PSA_ALG_CBC_NO_PADDING;
	const int enc = way == PEAL_ENCRYPT;
	enum peal_err err = peal_crypto_init();
	psa_key_id_t id = PSA_KEY_ID_NULL;
	psa_status_t status;

	c->op = psa_cipher_operation_init();
	if (err)
		return err;
	status = import(&id, key, PEAL_AES256_KEY, alg,
			enc ? PSA_KEY_USAGE_ENCRYPT : PSA_KEY_USAGE_DECRYPT);
	if (status == PSA_SUCCESS)
		status = enc ? psa_cipher_encrypt_setup(&c->op, id, alg) :
			       psa_cipher_decrypt_setup(&c->op, id, alg);
	/* the operation has the key schedule: the slot is free again */
	psa_destroy_key(id);
	if (status == PSA_SUCCESS)
		status = psa_cipher_set_iv(&c->op, iv, PEAL_AES_BLOCK);
	return from_psa(status);
}

enum peal_err peal_cbc_run(struct peal_cbc *c, const unsigned char *in,
			   size_t len, unsigned char *out)
{
	psa_status_t status;
	size_t n = 0;

	status = psa_cipher_update(&c->op, in, len, out, len, &n);
	if (status == PSA_SUCCESS && n != len)
		return PEAL_EINTERNAL;
	return from_psa(status);
}

void peal_cbc_fini(struct peal_cbc *c)
{
	psa_cipher_abort(&c->op);
}

enum peal_err peal_gcm_init(struct peal_gcm *g, enum peal_way way,
			    const unsigned char *key, size_t key_len)
{
	enum peal_err err = peal_crypto_init();

	g->key = PSA_KEY_ID_NULL;
	if (err)
		return err;
	return from_psa(import(&g->key, key, key_len, PSA_ALG_GCM,
			       way == PEAL_ENCRYPT ? PSA_KEY_USAGE_ENCRYPT :
						     PSA_KEY_USAGE_DECRYPT));
}

enum peal_err peal_gcm_open(struct peal_gcm *g,
			    const unsigned char nonce[PEAL_GCM_NONCE],
			    const unsigned char *in, size_t len,
			    unsigned char *out)
{
	size_t n;

	if (len < PEAL_GCM_TAG)
		return PEAL_ECORRUPT;
	return from_psa(psa_aead_decrypt(g->key, PSA_ALG_GCM, nonce,
					 PEAL_GCM_NONCE, NULL, 0, in, len, out,
					 len - PEAL_GCM_TAG, &n));
}

enum peal_err peal_gcm_seal(struct peal_gcm *g,
			    const unsigned char nonce[PEAL_GCM_NONCE],
			    const unsigned char *in, size_t len,
			    unsigned char *out)
{
	size_t n;

	return from_psa(psa_aead_encrypt(g->key, PSA_ALG_GCM, nonce,
					 PEAL_GCM_NONCE, NULL, 0, in, len, out,
					 len + PEAL_GCM_TAG, &n));
}

void peal_gcm_fini(struct peal_gcm *g)
{
	psa_destroy_key(g->key);
	g->key = PSA_KEY_ID_NULL;
}
