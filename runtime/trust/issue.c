/* issue.c - certificates and requests. See peal/issue.h */
#include "peal/issue.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <string.h>

#include "trust/issue_parts.h"
#include "trust/key.h"

/* What does not depend on the caller: keys and signatures up to RSA-4096 take
 * 600 bytes each. */
enum { DER_FIXED = 4096, DER_PER_TEXT = 32 };

/* --- keys and signatures --- */

static void put_public(struct peal_der *w, const struct peal_key *k)
{
	int n = mbedtls_pk_write_pubkey_der(&k->pk, w->start,
					    (size_t)(w->p - w->start));

	/* it writes to the end of the room that it is given */
	if (n > 0)
		w->p -= n;
	else if (!w->rc)
		w->rc = n;
}

static mbedtls_md_type_t digest_for(const struct peal_key *k)
{
	return strcmp(k->kind, "P-384") == 0 ? MBEDTLS_MD_SHA384 :
					       MBEDTLS_MD_SHA256;
}

static void put_algorithm(struct peal_der *w, const struct peal_key *k)
{
	mbedtls_pk_type_t type = MBEDTLS_PK_RSA;
	const unsigned char *end = w->p;
	const char *oid = NULL;
	size_t len = 0;
	int rc;

	if (mbedtls_pk_can_do(&k->pk, MBEDTLS_PK_ECDSA))
		type = MBEDTLS_PK_ECDSA;
	rc = mbedtls_oid_get_oid_by_sig_alg(type, digest_for(k), &oid, &len);
	if (rc && !w->rc)
		w->rc = rc;
	if (type == MBEDTLS_PK_RSA) /* RFC 4055 5: NULL, it may not be absent */
		peal_der_bytes(w, MBEDTLS_ASN1_NULL, NULL, 0);
	peal_der_oid(w, oid, len);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
}

static enum peal_err sign(const struct peal_key *k, const struct peal_der *what,
			  unsigned char sig[MBEDTLS_PK_SIGNATURE_MAX_SIZE],
			  size_t *len)
{
	mbedtls_md_type_t md = digest_for(k);
	unsigned char hash[MBEDTLS_MD_MAX_SIZE];
	/* it does not change the key, but mbedTLS does not say so */
	mbedtls_pk_context *pk = (mbedtls_pk_context *)&k->pk;
	int rc = mbedtls_md(mbedtls_md_info_from_type(md), what->p,
			    peal_der_len(what), hash);

	if (rc == 0)
		rc = mbedtls_pk_sign(pk, md, hash, 0, sig,
				     MBEDTLS_PK_SIGNATURE_MAX_SIZE, len,
				     peal_key_dice, NULL);
	return rc ? peal_err_pk(rc, PEAL_EINTERNAL) : PEAL_OK;
}

/* SEQUENCE { what, algorithm, BIT STRING signature }, added to `out`. */
static enum peal_err add_signed(const struct peal_key *k,
				const struct peal_der *what,
				struct peal_buf *out)
{
	unsigned char sig[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	struct peal_der w = { 0 };
	const unsigned char *end;
	size_t len = 0;
	enum peal_err err = peal_der_error(what);

	if (!err)
		err = sign(k, what, sig, &len);
	if (!err)
		err = peal_der_init(&w, peal_der_len(what) + DER_FIXED);
	if (err)
		return err;
	end = w.p;
	peal_der_raw(&w, sig, len);
	peal_der_wrap_bits(&w, end);
	put_algorithm(&w, k);
	peal_der_raw(&w, what->p, peal_der_len(what));
	peal_der_wrap(&w, end, PEAL_DER_SEQUENCE);
	err = peal_der_error(&w);
	if (!err)
		err = peal_buf_add(out, w.p, peal_der_len(&w));
	peal_der_fini(&w);
	return err;
}

/* --- a certificate --- */

/* RFC 5280 4.1.2.2: positive. DER: no zero octets in front. */
static void put_serial(struct peal_der *w, const struct peal_issue *o)
{
	unsigned char serial[PEAL_SERIAL_SIZE];

	memcpy(serial, o->serial, sizeof(serial));
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	peal_der_bytes(w, MBEDTLS_ASN1_INTEGER, serial, sizeof(serial));
}

static enum peal_err put_body(struct peal_der *w, const struct peal_issue *o,
			      const mbedtls_x509_crt *ca,
			      struct peal_reason *reason)
{
	const unsigned char *end = w->p, *version;
	enum peal_err err = peal_put_extensions(w, o, ca, reason);

	put_public(w, o->key);
	if (!err)
		err = peal_put_subject(w, o, reason);
	if (!err)
		err = peal_put_validity(w, o, reason);
	if (err)
		return err;
	if (ca)
		peal_der_raw(w, ca->subject_raw.p, ca->subject_raw.len);
	else
		err = peal_put_subject(w, o, reason);
	put_algorithm(w, ca ? o->ca_key : o->key);
	put_serial(w, o);
	version = w->p;
	peal_der_int(w, 2); /* v3 */
	peal_der_wrap(w, version,
		      PEAL_DER_CONTEXT | MBEDTLS_ASN1_CONSTRUCTED | 0);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	return err;
}

static size_t room_for(const struct peal_issue *o, const mbedtls_x509_crt *ca)
{
	size_t size = DER_FIXED + (ca ? ca->raw.len : 0);
	unsigned i;

	for (i = 0; i < o->subject_n; i++)
		size += 2 * (strlen(o->subject[i].value) + DER_PER_TEXT);
	for (i = 0; i < o->sans_n; i++)
		size += strlen(o->sans[i]) + DER_PER_TEXT;
	for (i = 0; i < o->purposes_n; i++)
		size += strlen(o->purposes[i]) + DER_PER_TEXT;
	return size;
}

static enum peal_err parse(mbedtls_x509_crt *crt, const void *der, size_t len,
			   const char *what, struct peal_reason *reason)
{
	int rc = mbedtls_x509_crt_parse_der(crt, der, len);

	if (rc == 0)
		return PEAL_OK;
	return peal_fail(reason, peal_err_pk(rc, PEAL_EINVAL),
			 "%s cannot be read", what);
}

static enum peal_err check_ca(const struct peal_issue *o, mbedtls_x509_crt *ca,
			      struct peal_reason *reason)
{
	enum peal_err err = parse(ca, o->ca_cert, o->ca_cert_len,
				  "the CA's certificate", reason);

	if (err)
		return err;
	if (!ca->MBEDTLS_PRIVATE(ca_istrue))
		return peal_fail(reason, PEAL_EKEY,
				 "the certificate that is to sign is no CA's");
	err = peal_key_check(o->ca_key, &ca->pk);
	if (err == PEAL_EKEY)
		peal_fail(reason, err,
			  "the CA's key does not belong to its certificate");
	return err;
}

static enum peal_err write_certificate(const struct peal_issue *o,
				       const mbedtls_x509_crt *ca,
				       struct peal_buf *out,
				       struct peal_reason *reason)
{
	struct peal_der w;
	enum peal_err err = peal_der_init(&w, room_for(o, ca));

	if (!err)
		err = put_body(&w, o, ca, reason);
	if (!err)
		err = add_signed(ca ? o->ca_key : o->key, &w, out);
	peal_der_fini(&w);
	return err;
}

enum peal_err peal_issue_certificate(const struct peal_issue *what,
				     struct peal_buf *out,
				     struct peal_reason *reason)
{
	mbedtls_x509_crt crt, *ca = NULL;
	enum peal_err err = PEAL_OK;

	peal_reason_clear(reason);
	if (!what || !what->key || !out || !what->ca_cert != !what->ca_key)
		return PEAL_EINVAL;
	if (what->subject_n == 0 && (what->sans_n == 0 || what->is_ca))
		return peal_fail(reason, PEAL_EINVAL,
				 "a certificate without a name");
	mbedtls_x509_crt_init(&crt);
	if (what->ca_cert) {
		ca = &crt;
		err = check_ca(what, ca, reason);
	}
	if (!err)
		err = write_certificate(what, ca, out, reason);
	mbedtls_x509_crt_free(&crt);
	return err;
}

/* --- a request --- */

/* The whole subjectAltName extension of a certificate; len 0: it has none. */
static void find_san(const mbedtls_x509_crt *crt, const unsigned char **der,
		     size_t *len)
{
	static const char oid[] = MBEDTLS_OID_SUBJECT_ALT_NAME;
	unsigned char *p = crt->v3_ext.p, *one, *end = p + crt->v3_ext.len;
	size_t n;

	*len = 0;
	/* what was parsed before cannot be broken now */
	if (!p || mbedtls_asn1_get_tag(&p, end, &n, PEAL_DER_SEQUENCE))
		return;
	while (p < end) {
		one = p;
		if (mbedtls_asn1_get_tag(&p, end, &n, PEAL_DER_SEQUENCE))
			return;
		p += n;
		if (n > sizeof(oid) && p[-(ptrdiff_t)n] == MBEDTLS_ASN1_OID &&
		    p[1 - (ptrdiff_t)n] == sizeof(oid) - 1 &&
		    memcmp(p - n + 2, oid, sizeof(oid) - 1) == 0) {
			*der = one;
			*len = (size_t)(p - one);
			return;
		}
	}
}

/* attributes [0] { extensionRequest { SAN } }, which may be empty */
static void put_attributes(struct peal_der *w, const mbedtls_x509_crt *like)
{
	const unsigned char *end = w->p, *san = NULL;
	size_t len;

	find_san(like, &san, &len);
	if (len) {
		peal_der_raw(w, san, len);
		peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
		peal_der_wrap(w, end, PEAL_DER_SET);
		peal_der_oid(w, PEAL_OID(MBEDTLS_OID_PKCS9_CSR_EXT_REQ));
		peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	}
	peal_der_wrap(w, end, PEAL_DER_CONTEXT | MBEDTLS_ASN1_CONSTRUCTED | 0);
}

static enum peal_err write_request(const struct peal_key *key,
				   const mbedtls_x509_crt *like,
				   struct peal_buf *out)
{
	struct peal_der w;
	enum peal_err err = peal_der_init(&w, like->raw.len + DER_FIXED);
	const unsigned char *end = w.p;

	if (err)
		return err;
	put_attributes(&w, like);
	put_public(&w, key);
	peal_der_raw(&w, like->subject_raw.p, like->subject_raw.len);
	peal_der_int(&w, 0); /* v1 */
	peal_der_wrap(&w, end, PEAL_DER_SEQUENCE);
	err = add_signed(key, &w, out);
	peal_der_fini(&w);
	return err;
}

enum peal_err peal_issue_request(const struct peal_key *key, const void *cert,
				 size_t len, struct peal_buf *out,
				 struct peal_reason *reason)
{
	mbedtls_x509_crt like;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!key || !cert || !out)
		return PEAL_EINVAL;
	mbedtls_x509_crt_init(&like);
	err = parse(&like, cert, len, "the certificate to be renewed", reason);
	if (!err)
		err = write_request(key, &like, out);
	mbedtls_x509_crt_free(&like);
	return err;
}
