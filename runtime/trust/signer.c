/* signer.c - see signer.h */
#include "trust/signer.h"

#include <mbedtls/md.h>
#include <stdio.h>
#include <string.h>

#ifdef PEAL_MBEDTLS_SIGNER
#include <mbedtls/pk_wrap.h>

static struct peal_signer *signer_of(mbedtls_pk_context *pk)
{
	return pk->MBEDTLS_PRIVATE(pk_ctx);
}

static size_t get_bitlen(mbedtls_pk_context *pk)
{
	return signer_of(pk)->bits;
}

static int can_rsa(mbedtls_pk_type_t type)
{
	return type == MBEDTLS_PK_RSA || type == MBEDTLS_PK_RSASSA_PSS;
}

static int can_ecdsa(mbedtls_pk_type_t type)
{
	return type == MBEDTLS_PK_ECDSA;
}

static const char *digest_name(mbedtls_md_type_t md)
{
	switch (md) {
	case MBEDTLS_MD_SHA256:
		return "sha256";
	case MBEDTLS_MD_SHA384:
		return "sha384";
	case MBEDTLS_MD_SHA512:
		return "sha512";
	default:
		return NULL;
	}
}

static int sign(mbedtls_pk_context *pk, const char *scheme,
		mbedtls_md_type_t md, const unsigned char *hash,
		size_t hash_len, unsigned char *sig, size_t size, size_t *len)
{
	struct peal_signer *s = signer_of(pk);
	const char *digest = digest_name(md);
	unsigned char bytes[PEAL_SIGNATURE_MAX];
	char algorithm[32];
	enum peal_err err;

	if (!digest)
		return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
	snprintf(algorithm, sizeof(algorithm), "%s-%s", scheme, digest);
	peal_reason_clear(&s->reason);
	*len = 0;
	err = s->fn(algorithm, hash, hash_len, bytes, len, &s->reason, s->arg);
	if (!err && (*len == 0 || *len > size || *len > sizeof(bytes)))
		err = peal_fail(&s->reason, PEAL_EKEY,
				"a signature of %zu bytes by %s", *len,
				algorithm);
	s->failed = err != PEAL_OK;
	if (err)
		return MBEDTLS_ERR_PK_INVALID_ALG;
	memcpy(sig, bytes, *len);
	return 0;
}

static int sign_ecdsa(mbedtls_pk_context *pk, mbedtls_md_type_t md,
		      const unsigned char *hash, size_t hash_len,
		      unsigned char *sig, size_t size, size_t *len,
		      int (*dice)(void *, unsigned char *, size_t), void *arg)
{
	(void)dice;
	(void)arg;
	return sign(pk, "ecdsa", md, hash, hash_len, sig, size, len);
}

/* Without dice it is PSS that is asked for: see setup. */
static int sign_rsa(mbedtls_pk_context *pk, mbedtls_md_type_t md,
		    const unsigned char *hash, size_t hash_len,
		    unsigned char *sig, size_t size, size_t *len,
		    int (*dice)(void *, unsigned char *, size_t), void *arg)
{
	(void)arg;
	return sign(pk, dice ? "rsa-pkcs1" : "rsa-pss", md, hash, hash_len, sig,
		    size, len);
}

/* Types for which nobody takes the context for a key in memory. */
static const mbedtls_pk_info_t ecdsa = {
	.type = MBEDTLS_PK_OPAQUE,
	.name = "EC elsewhere",
	.get_bitlen = get_bitlen,
	.can_do = can_ecdsa,
	.sign_func = sign_ecdsa,
};

static const mbedtls_pk_info_t rsa = {
	.type = MBEDTLS_PK_RSA_ALT,
	.name = "RSA elsewhere",
	.get_bitlen = get_bitlen,
	.can_do = can_rsa,
	.sign_func = sign_rsa,
};

enum peal_err peal_signer_setup(struct peal_signer *s, mbedtls_pk_context *pk,
				const mbedtls_pk_context *public_,
				struct peal_reason *reason)
{
	int is_rsa = mbedtls_pk_get_type(public_) == MBEDTLS_PK_RSA;

	s->bits = mbedtls_pk_get_bitlen(public_);
	if (!is_rsa && s->bits != 256 && s->bits != 384)
		return peal_fail(reason, PEAL_EKEY,
				 "a key of %zu bits cannot sign elsewhere; "
				 "P-256, P-384 and RSA can",
				 s->bits);
	if (mbedtls_pk_setup(pk, is_rsa ? &rsa : &ecdsa))
		return PEAL_EINTERNAL;
	pk->MBEDTLS_PRIVATE(pk_ctx) = s;
	return PEAL_OK;
}

#else

enum peal_err peal_signer_setup(struct peal_signer *s, mbedtls_pk_context *pk,
				const mbedtls_pk_context *public_,
				struct peal_reason *reason)
{
	(void)s;
	(void)pk;
	(void)public_;
	return peal_fail(reason, PEAL_ESTATE,
			 "this mbedTLS has no place for keys that sign "
			 "elsewhere; build peal with the one that ./setup "
			 "makes");
}

#endif
