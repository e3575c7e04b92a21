/* seal.c - state at rest. See peal/encode.h */
#include "crypto.h"
#include "peal/encode.h"

/* A piece is a nonce, cipher text and a tag. */
enum { OVERHEAD = PEAL_GCM_NONCE + PEAL_GCM_TAG };

enum peal_err peal_seal(const unsigned char key[PEAL_SEAL_KEY],
			const void *bytes, size_t len, struct peal_buf *out)
{
	struct peal_gcm gcm = { PSA_KEY_ID_NULL };
	enum peal_err err = peal_buf_reserve(out, len + OVERHEAD);
	unsigned char *p = out->data + out->len;

	if (!err)
		err = peal_random(p, PEAL_GCM_NONCE);
	if (!err)
		err = peal_gcm_init(&gcm, PEAL_ENCRYPT, key, PEAL_SEAL_KEY);
	if (!err)
		err = peal_gcm_seal(&gcm, p, bytes, len, p + PEAL_GCM_NONCE);
	peal_gcm_fini(&gcm);
	if (!err)
		out->len += len + OVERHEAD;
	return err;
}

enum peal_err peal_stretch(const char *passphrase, size_t len, const void *salt,
			   size_t salt_len, unsigned iterations,
			   unsigned char key[PEAL_SEAL_KEY])
{
	if (!iterations || iterations > PEAL_STRETCH_MAX)
		return PEAL_EINVAL;
	return peal_pbkdf2(passphrase, len, salt, salt_len, iterations, key,
			   PEAL_SEAL_KEY);
}

enum peal_err peal_unseal(const unsigned char key[PEAL_SEAL_KEY],
			  const void *bytes, size_t len, struct peal_buf *out)
{
	struct peal_gcm gcm = { PSA_KEY_ID_NULL };
	const unsigned char *nonce = bytes;
	enum peal_err err;

	if (len < OVERHEAD)
		return PEAL_ECORRUPT;
	err = peal_buf_reserve(out, len);
	if (!err)
		err = peal_gcm_init(&gcm, PEAL_DECRYPT, key, PEAL_SEAL_KEY);
	if (!err)
		err = peal_gcm_open(&gcm, nonce, nonce + PEAL_GCM_NONCE,
				    len - PEAL_GCM_NONCE, out->data + out->len);
	peal_gcm_fini(&gcm);
	if (!err)
		out->len += len - OVERHEAD;
	return err;
}
