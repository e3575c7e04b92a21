/* read.c - certificates from bytes: PEM, DER, certs-only PKCS #7; their names
 * and purposes. See peal/trust.h
 *
 * RFC 7468, RFC 5652 section 5. The library's own PKCS #7 parser refuses
 * messages without a signer, which is what certificates come in. */
#include <arpa/inet.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "pem.h"
#include "trust.h"

enum {
	SEQUENCE = MBEDTLS_ASN1_SEQUENCE | MBEDTLS_ASN1_CONSTRUCTED,
	SET = MBEDTLS_ASN1_SET | MBEDTLS_ASN1_CONSTRUCTED,
	CONTEXT_0 = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED
};

/* A certificate has more than 127 bytes, so that its length takes several: a
 * text that begins with the digit 0 is told from it. */
int peal_is_der(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	return len > 2 && p[0] == SEQUENCE && p[1] > 0x80;
}

struct reader {
	const unsigned char *bytes;
	peal_cert_fn fn;
	void *arg;
	struct peal_reason *reason;
	unsigned n;
};

static enum peal_err broken(struct reader *r, unsigned n, size_t byte, int rc)
{
	char why[120] = "no certificate";

	if (rc)
		mbedtls_strerror(rc, why, sizeof(why));
	return peal_fail_at(r->reason, PEAL_ECORRUPT, 0, (long)byte,
			    "certificate %u, at byte %zu, is broken: %s", n,
			    byte, why);
}

static enum peal_err too_many(struct reader *r)
{
	return peal_fail(r->reason, PEAL_ETOOBIG, "more than %d certificates",
			 PEAL_LIMIT_CERTS);
}

/*   byte   where it, or its text, begins */
static enum peal_err read_one(struct reader *r, const unsigned char *der,
			      size_t len, size_t byte)
{
	struct peal_cert_facts facts;
	unsigned char sha256[PEAL_DIGEST_SIZE];
	mbedtls_x509_crt crt;
	enum peal_err err;
	int rc;

	if (++r->n > PEAL_LIMIT_CERTS)
		return too_many(r);
	mbedtls_x509_crt_init(&crt);
	rc = mbedtls_x509_crt_parse_der_nocopy(&crt, der, len);
	if (rc) {
		err = peal_no_memory(rc) ? PEAL_ENOMEM :
					   broken(r, r->n, byte, rc);
		goto out;
	}
	err = peal_sha256(crt.raw.p, crt.raw.len, sha256);
	if (err)
		goto out;
	peal_cert_facts_of(&crt, sha256, &facts);
	err = r->fn(&facts, r->arg);
out:
	mbedtls_x509_crt_free(&crt);
	return err;
}

static enum peal_err read_pem(struct reader *r, const char *text)
{
	struct peal_pem pem;
	enum peal_err err = PEAL_OK;

	peal_pem_init(&pem, text);
	while (!err && peal_pem_next(&pem)) {
		err = pem.err;
		if (err == PEAL_ECORRUPT)
			err = broken(r, pem.n, pem.byte, 0);
		else if (err == PEAL_ETOOBIG)
			err = too_many(r);
		else if (!err)
			err = read_one(r, pem.der, pem.len, pem.byte);
	}
	peal_pem_fini(&pem);
	return err;
}

/* The certificates are in [0] of SignedData; forms other than X.509 in it have
 * tags of their own and are passed over. */
static enum peal_err read_members(struct reader *r, unsigned char *p,
				  const unsigned char *end)
{
	const unsigned char *start;
	size_t len;
	enum peal_err err = PEAL_OK;
	int tag, rc;

	while (!err && p < end) {
		start = p;
		tag = *p;
		rc = mbedtls_asn1_get_tag(&p, end, &len, tag);
		if (rc)
			return broken(r, r->n + 1, (size_t)(start - r->bytes),
				      rc);
		p += len;
		if (tag == SEQUENCE)
			err = read_one(r, start, (size_t)(p - start),
				       (size_t)(start - r->bytes));
	}
	return err;
}

/* Goes into the next element, which has to have the tag. */
static int enter(unsigned char **p, const unsigned char **end, int tag)
{
	size_t len;
	int rc = mbedtls_asn1_get_tag(p, *end, &len, tag);

	if (!rc)
		*end = *p + len;
	return rc;
}

static int skip(unsigned char **p, const unsigned char *end, int tag)
{
	size_t len;
	int rc = mbedtls_asn1_get_tag(p, end, &len, tag);

	if (!rc)
		*p += len;
	return rc;
}

/* Is it ContentInfo with SignedData? Goes to what follows the type. */
static int is_signed_data(unsigned char **p, const unsigned char **end)
{
	size_t len;

	if (enter(p, end, SEQUENCE) ||
	    mbedtls_asn1_get_tag(p, *end, &len, MBEDTLS_ASN1_OID) ||
	    len != MBEDTLS_OID_SIZE(MBEDTLS_OID_PKCS7_SIGNED_DATA) ||
	    memcmp(*p, MBEDTLS_OID_PKCS7_SIGNED_DATA, len) != 0)
		return 0;
	*p += len;
	return 1;
}

static enum peal_err read_pkcs7(struct reader *r, unsigned char *p,
				const unsigned char *end)
{
	int rc = enter(&p, &end, CONTEXT_0);

	if (!rc)
		rc = enter(&p, &end, SEQUENCE);
	if (!rc)
		rc = skip(&p, end, MBEDTLS_ASN1_INTEGER);
	if (!rc)
		rc = skip(&p, end, SET);
	if (!rc)
		rc = skip(&p, end, SEQUENCE);
	if (rc)
		return peal_fail_at(r->reason, PEAL_ECORRUPT, 0,
				    (long)(p - r->bytes),
				    "the PKCS #7 message is broken at byte %zu",
				    (size_t)(p - r->bytes));
	if (p == end || *p != CONTEXT_0)
		return PEAL_OK; /* without certificates */
	rc = enter(&p, &end, CONTEXT_0);
	if (rc)
		return broken(r, 1, (size_t)(p - r->bytes), rc);
	return read_members(r, p, end);
}

static enum peal_err read_all(struct reader *r, unsigned char *bytes,
			      size_t len)
{
	unsigned char *p = bytes;
	const unsigned char *end = bytes + len;
	enum peal_err err;

	r->bytes = bytes;
	if (!peal_is_der(bytes, len))
		err = read_pem(r, (const char *)bytes);
	else if (is_signed_data(&p, &end))
		err = read_pkcs7(r, p, end);
	else
		err = read_one(r, bytes, len, 0);
	if (!err && r->n == 0)
		err = peal_fail(r->reason, PEAL_EINVAL,
				"there is no certificate in it");
	return err;
}

enum peal_err peal_certs_read(const void *bytes, size_t len, peal_cert_fn fn,
			      void *arg, struct peal_reason *reason)
{
	struct reader r = { .fn = fn, .arg = arg, .reason = reason };
	char *copy;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!bytes || !fn)
		return PEAL_EINVAL;
	if (len > PEAL_LIMIT_PEM)
		return peal_fail(reason, PEAL_ETOOBIG,
				 "certificates larger than %d bytes",
				 PEAL_LIMIT_PEM);
	copy = peal_memdup0(bytes, len);
	if (!copy)
		return PEAL_ENOMEM;
	err = read_all(&r, (unsigned char *)copy, len);
	peal_free(copy);
	return err;
}

/* --- names and purposes --- */

static enum peal_err parse(mbedtls_x509_crt *crt, const void *der, size_t len)
{
	int rc;

	mbedtls_x509_crt_init(crt);
	rc = mbedtls_x509_crt_parse_der_nocopy(crt, der, len);
	if (!rc)
		return PEAL_OK;
	return peal_no_memory(rc) ? PEAL_ENOMEM : PEAL_ECORRUPT;
}

/* "" where there is nothing to show. */
static void san_text(const mbedtls_x509_buf *san, char *out, size_t size)
{
	static const char *const kinds[] = {
		[1] = "email:", [2] = "DNS:", [6] = "URI:", [7] = "IP:"
	};
	unsigned kind = san->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
	size_t used;

	out[0] = '\0';
	if (kind >= sizeof(kinds) / sizeof(*kinds) || !kinds[kind] || !san->p)
		return;
	used = (size_t)snprintf(out, size, "%s", kinds[kind]);
	if (kind != 7)
		peal_cert_text(san, out + used, size - used);
	else if ((san->len != 4 && san->len != 16) ||
		 !inet_ntop(san->len == 4 ? AF_INET : AF_INET6, san->p,
			    out + used, (socklen_t)(size - used)))
		out[0] = '\0';
}

enum peal_err peal_cert_sans(const void *der, size_t len, peal_text_fn fn,
			     void *arg)
{
	const mbedtls_x509_sequence *san;
	mbedtls_x509_crt crt;
	char text[300];
	enum peal_err err = parse(&crt, der, len);

	san = &crt.subject_alt_names;
	for (; !err && san && san->buf.p; san = san->next) {
		san_text(&san->buf, text, sizeof(text));
		if (text[0])
			err = fn(text, arg);
	}
	mbedtls_x509_crt_free(&crt);
	return err;
}

static void purpose_text(const mbedtls_x509_buf *oid, char *out, size_t size)
{
	if (MBEDTLS_OID_CMP(MBEDTLS_OID_SERVER_AUTH, oid) == 0)
		snprintf(out, size, "serverAuth");
	else if (MBEDTLS_OID_CMP(MBEDTLS_OID_CLIENT_AUTH, oid) == 0)
		snprintf(out, size, "clientAuth");
	else if (mbedtls_oid_get_numeric_string(out, size, oid) < 0)
		snprintf(out, size, "(a long number)");
}

enum peal_err peal_cert_purposes(const void *der, size_t len, peal_text_fn fn,
				 void *arg)
{
	const mbedtls_x509_sequence *use;
	mbedtls_x509_crt crt;
	char text[128];
	enum peal_err err = parse(&crt, der, len);

	use = &crt.ext_key_usage;
	for (; !err && use && use->buf.p; use = use->next) {
		purpose_text(&use->buf, text, sizeof(text));
		err = fn(text, arg);
	}
	mbedtls_x509_crt_free(&crt);
	return err;
}
