/* identity.c - client certificate and key. See peal/trust.h, peal/identity.h */
#include "peal/identity.h"

#include <fcntl.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "trust/file.h"
#include "trust/key.h"
#include "trust/signer.h"
#include "trust/trust.h"

/* With where its key comes from: one of the two. base.key is a view of it,
 * made for mbedTLS and not freed. */
struct identity {
	struct peal_identity base; /* first: cast back from it */
	struct peal_key *key;
	struct peal_signer signer;
};

static struct identity *identity_alloc(void)
{
	struct identity *id = peal_zalloc(sizeof(*id));

	if (!id)
		return NULL;
	id->base.refs = 1;
	mbedtls_x509_crt_init(&id->base.chain);
	mbedtls_pk_init(&id->base.key);
	return id;
}

struct peal_identity *peal_identity_ref(struct peal_identity *i)
{
	if (i)
		i->refs++;
	return i;
}

void peal_identity_unref(struct peal_identity *i)
{
	struct identity *id = (struct identity *)i;

	if (!i || --i->refs)
		return;
	mbedtls_x509_crt_free(&i->chain);
	peal_key_unref(id->key);
	if (id->signer.drop)
		id->signer.drop(id->signer.arg);
	peal_free(id);
}

void peal_identity_begin(struct peal_identity *i)
{
	((struct identity *)i)->signer.failed = 0;
}

const struct peal_reason *peal_identity_trouble(const struct peal_identity *i)
{
	const struct identity *id = (const struct identity *)i;

	return i && id->signer.failed ? &id->signer.reason : NULL;
}

/* --- its parts --- */

static enum peal_err parse_chain(struct peal_identity *i, const void *pem,
				 size_t len, struct peal_reason *reason)
{
	char *text = peal_memdup0(pem, len);
	int rc;

	if (!text)
		return PEAL_ENOMEM;
	rc = mbedtls_x509_crt_parse(&i->chain, (unsigned char *)text, len + 1);
	peal_wipe(text, len); /* the key may be in the same file */
	peal_free(text);
	if (rc < 0)
		return peal_fail(reason, peal_err_pk(rc, PEAL_EKEY),
				 "not a PEM certificate");
	if (rc > 0)
		return peal_fail(reason, PEAL_EKEY,
				 "%d of the PEM certificates cannot be read",
				 rc);
	return peal_sha256(i->chain.raw.p, i->chain.raw.len, i->digest);
}

/* A key that a server of today would refuse is of no use as an identity. */
static enum peal_err check_size(const struct peal_identity *i,
				struct peal_reason *reason)
{
	const mbedtls_pk_context *pk = &i->chain.pk;
	size_t bits = mbedtls_pk_get_bitlen(pk);

	if (mbedtls_pk_get_type(pk) == MBEDTLS_PK_RSA &&
	    bits < PEAL_OWN_RSA_BITS)
		return peal_fail(reason, PEAL_EKEY,
				 "the certificate's RSA key has %zu bits; at "
				 "least %d are needed",
				 bits, PEAL_OWN_RSA_BITS);
	return PEAL_OK;
}

static enum peal_err use_key(struct identity *id, struct peal_key *key,
			     struct peal_reason *reason)
{
	enum peal_err err = peal_key_check(key, &id->base.chain.pk);

	if (err == PEAL_EKEY)
		peal_fail(reason, err,
			  "the key does not belong to the first certificate");
	if (err)
		return err;
	id->key = peal_key_ref(key);
	id->base.key = key->pk;
	return PEAL_OK;
}

static enum peal_err make(struct identity **out, const void *pem, size_t len,
			  struct peal_reason *reason)
{
	struct identity *id;
	enum peal_err err = peal_crypto_init();

	if (err)
		return err;
	id = identity_alloc();
	if (!id)
		return PEAL_ENOMEM;
	err = parse_chain(&id->base, pem, len, reason);
	if (!err)
		err = check_size(&id->base, reason);
	if (err)
		peal_identity_unref(&id->base);
	else
		*out = id;
	return err;
}

/* --- the three ways to one --- */

enum peal_err peal_identity_new(struct peal_identity **out,
				const void *cert_pem, size_t len,
				struct peal_key *key,
				struct peal_reason *reason)
{
	struct identity *id = NULL;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !cert_pem || !key)
		return PEAL_EINVAL;
	err = make(&id, cert_pem, len, reason);
	if (!err)
		err = use_key(id, key, reason);
	if (err) {
		peal_identity_unref((struct peal_identity *)id);
		return err;
	}
	*out = &id->base;
	return PEAL_OK;
}

enum peal_err peal_identity_signer(struct peal_identity **out,
				   const void *cert_pem, size_t len,
				   peal_sign_fn fn, void *arg,
				   void (*drop)(void *arg),
				   struct peal_reason *reason)
{
	struct identity *id = NULL;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !cert_pem || !fn)
		return PEAL_EINVAL;
	err = make(&id, cert_pem, len, reason);
	if (!err)
		err = peal_signer_setup(&id->signer, &id->base.key,
					&id->base.chain.pk, reason);
	if (err) {
		peal_identity_unref((struct peal_identity *)id);
		return err;
	}
	id->signer.fn = fn;
	id->signer.arg = arg;
	id->signer.drop = drop;
	*out = &id->base;
	return PEAL_OK;
}

static enum peal_err load_pair(struct peal_identity **out,
			       struct peal_buf *cert, const char *cert_path,
			       struct peal_key *key, const char *key_path,
			       struct peal_reason *reason)
{
	struct peal_reason why;
	const char *text = peal_buf_cstr(cert);
	enum peal_err err;

	if (!text)
		return PEAL_ENOMEM;
	err = peal_identity_new(out, text, cert->len, key, &why);
	if (err && why.text[0])
		peal_fail(reason, err, "%s with the key %s: %s", cert_path,
			  key_path, why.text);
	return err;
}

enum peal_err peal_identity_load(struct peal_identity **out,
				 const char *cert_path, const char *key_path,
				 struct peal_reason *reason)
{
	struct peal_key *key = NULL;
	struct peal_buf cert;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !cert_path || !key_path)
		return PEAL_EINVAL;
	peal_buf_init(&cert, PEAL_LIMIT_PEM);
	err = peal_file_read(AT_FDCWD, cert_path, 0, &cert, reason);
	if (!err)
		err = peal_key_load(&key, key_path, reason);
	if (!err)
		err = load_pair(out, &cert, cert_path, key, key_path, reason);
	peal_key_unref(key);
	peal_buf_fini_secret(&cert); /* the key may be in the same file */
	return err;
}
