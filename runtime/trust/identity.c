/* identity.c - client certificate and key. See peal/trust.h */
#include <mbedtls/pem.h>
#include <sys/stat.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "trust.h"

static int entropy(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	return peal_random(out, len) ? MBEDTLS_ERR_PK_BAD_INPUT_DATA : 0;
}

static enum peal_err load_chain(struct peal_identity *id, const char *path,
				struct peal_reason *reason)
{
	unsigned char *text;
	size_t len;
	enum peal_err err = peal_read_pem(path, 0, &text, &len, reason);
	int rc;

	if (err)
		return err;
	rc = mbedtls_x509_crt_parse(&id->chain, text, len + 1);
	peal_free(text);
	if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED ||
	    rc == MBEDTLS_ERR_PEM_ALLOC_FAILED)
		return PEAL_ENOMEM;
	if (rc)
		return peal_fail(reason, PEAL_EKEY,
				 "%s is not a PEM certificate", path);
	return peal_sha256(id->chain.raw.p, id->chain.raw.len, id->digest);
}

static enum peal_err load_key(struct peal_identity *id, const char *path,
			      struct peal_reason *reason)
{
	unsigned char *text;
	size_t len;
	enum peal_err err =
		peal_read_pem(path, S_IRWXG | S_IRWXO, &text, &len, reason);
	int rc;

	if (err)
		return err;
	/* the length counts the NUL: that is how PEM is told from DER */
	rc = mbedtls_pk_parse_key(&id->key, text, len + 1, NULL, 0, entropy,
				  NULL);
	peal_wipe(text, len);
	peal_free(text);
	if (rc == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return PEAL_ENOMEM;
	if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
		return peal_fail(reason, PEAL_EKEY,
				 "%s is protected by a password", path);
	if (rc)
		return peal_fail(reason, PEAL_EKEY,
				 "%s is not a PEM private key", path);
	return PEAL_OK;
}

static enum peal_err load_pair(struct peal_identity *id, const char *cert_path,
			       const char *key_path, struct peal_reason *reason)
{
	enum peal_err err = load_chain(id, cert_path, reason);

	if (!err)
		err = load_key(id, key_path, reason);
	if (!err &&
	    mbedtls_pk_check_pair(&id->chain.pk, &id->key, entropy, NULL))
		err = peal_fail(reason, PEAL_EKEY,
				"the key %s does not belong to the first "
				"certificate of %s",
				key_path, cert_path);
	return err;
}

enum peal_err peal_identity_load(struct peal_identity **out,
				 const char *cert_path, const char *key_path,
				 struct peal_reason *reason)
{
	struct peal_identity *id;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !cert_path || !key_path)
		return PEAL_EINVAL;
	err = peal_crypto_init();
	if (err)
		return err;
	id = peal_zalloc(sizeof(*id));
	if (!id)
		return PEAL_ENOMEM;
	id->refs = 1;
	mbedtls_x509_crt_init(&id->chain);
	mbedtls_pk_init(&id->key);

	err = load_pair(id, cert_path, key_path, reason);
	if (err) {
		peal_identity_unref(id);
		return err;
	}
	*out = id;
	return PEAL_OK;
}

struct peal_identity *peal_identity_ref(struct peal_identity *i)
{
	if (i)
		i->refs++;
	return i;
}

void peal_identity_unref(struct peal_identity *i)
{
	if (!i || --i->refs)
		return;
	mbedtls_x509_crt_free(&i->chain);
	mbedtls_pk_free(&i->key); /* wipes */
	peal_free(i);
}
