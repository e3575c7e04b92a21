/* issue_parts.c - the parts of a certificate to be. See issue_parts.h */
#include "trust/issue_parts.h"

#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <stdio.h>
#include <string.h>

#include "decode/crypto.h"
#include "profile/utf8.h"
#include "trust/key.h"
#include "trust/trust.h"

/* RFC 5280: upper bounds of names (A.1), the year up to which two digits of it
 * are written (4.1.2.5); RFC 7093 2: octets of a key identifier. */
enum { NAME_MOST = 64, UTC_BEGIN = 1950, UTC_END = 2050, KEY_ID_SIZE = 20 };

/* Bits of keyUsage, the first one on top (RFC 5280 4.2.1.3). */
enum { USE_SIGN = 0x80, USE_ENCIPHER = 0x20, USE_CERT = 0x04, USE_CRL = 0x02 };

struct oid {
	const char *name;
	const char *bytes;
	size_t len;
	int tag; /* of a name's text */
};

static const struct oid name_types[] = {
	{ "CN", PEAL_OID(MBEDTLS_OID_AT_CN), MBEDTLS_ASN1_UTF8_STRING },
	{ "O", PEAL_OID(MBEDTLS_OID_AT_ORGANIZATION),
	  MBEDTLS_ASN1_UTF8_STRING },
	{ "OU", PEAL_OID(MBEDTLS_OID_AT_ORG_UNIT), MBEDTLS_ASN1_UTF8_STRING },
	{ "L", PEAL_OID(MBEDTLS_OID_AT_LOCALITY), MBEDTLS_ASN1_UTF8_STRING },
	{ "ST", PEAL_OID(MBEDTLS_OID_AT_STATE), MBEDTLS_ASN1_UTF8_STRING },
	{ "C", PEAL_OID(MBEDTLS_OID_AT_COUNTRY),
	  MBEDTLS_ASN1_PRINTABLE_STRING },
	{ "serialNumber", PEAL_OID(MBEDTLS_OID_AT_SERIAL_NUMBER),
	  MBEDTLS_ASN1_PRINTABLE_STRING },
};

static const struct oid purposes[] = {
	{ "serverAuth", PEAL_OID(MBEDTLS_OID_SERVER_AUTH), 0 },
	{ "clientAuth", PEAL_OID(MBEDTLS_OID_CLIENT_AUTH), 0 },
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const struct oid *find(const struct oid *list, size_t n,
			      const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

/* --- names --- */

static int is_printable(const char *text)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789 '()+,-./:=?";

	return text[strspn(text, set)] == '\0';
}

static enum peal_err put_name_part(struct peal_der *w,
				   const struct peal_name_part *part,
				   struct peal_reason *reason)
{
	const struct oid *type =
		find(name_types, COUNT(name_types), part->type);
	const unsigned char *end = w->p;
	size_t len = strlen(part->value);

	if (!type)
		return peal_fail(reason, PEAL_EINVAL,
				 "no such part of a name: %s", part->type);
	if (len == 0 || len > NAME_MOST ||
	    (type->tag == MBEDTLS_ASN1_PRINTABLE_STRING &&
	     !is_printable(part->value)) ||
	    (strcmp(part->type, "C") == 0 && len != 2) ||
	    peal_utf8_check((const unsigned char *)part->value, len) != len)
		return peal_fail(reason, PEAL_EINVAL,
				 "not a value of %s in a certificate: %.80s",
				 part->type, part->value);
	peal_der_bytes(w, type->tag, part->value, len);
	peal_der_oid(w, type->bytes, type->len);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	peal_der_wrap(w, end, PEAL_DER_SET);
	return PEAL_OK;
}

enum peal_err peal_put_subject(struct peal_der *w, const struct peal_issue *o,
			       struct peal_reason *reason)
{
	const unsigned char *end = w->p;
	enum peal_err err = PEAL_OK;
	unsigned i;

	for (i = o->subject_n; i-- > 0 && !err;)
		err = put_name_part(w, &o->subject[i], reason);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	return err;
}

/* --- times --- */

static enum peal_err put_time(struct peal_der *w, int64_t when,
			      struct peal_reason *reason)
{
	mbedtls_x509_time t;
	char text[32];

	if (peal_cert_date(when, &t) || t.year < UTC_BEGIN)
		return peal_fail(reason, PEAL_EINVAL,
				 "a certificate cannot tell this time: %lld",
				 (long long)when);
	snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", t.year, t.mon,
		 t.day, t.hour, t.min, t.sec);
	if (t.year < UTC_END)
		peal_der_bytes(w, MBEDTLS_ASN1_UTC_TIME, text + 2, 13);
	else
		peal_der_bytes(w, MBEDTLS_ASN1_GENERALIZED_TIME, text, 15);
	return PEAL_OK;
}

enum peal_err peal_put_validity(struct peal_der *w, const struct peal_issue *o,
				struct peal_reason *reason)
{
	const unsigned char *end = w->p;
	enum peal_err err;

	if (o->to < o->from)
		return peal_fail(reason, PEAL_EINVAL,
				 "a certificate cannot end before it begins");
	err = put_time(w, o->to, reason);
	if (!err)
		err = put_time(w, o->from, reason);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	return err;
}

/* --- extensions --- */

/* Extension ::= SEQUENCE { OID, [critical TRUE,] OCTET STRING }; the contents
 * were written since `end`. */
static void wrap_extension(struct peal_der *w, const unsigned char *end,
			   const char *oid, size_t len, int critical)
{
	peal_der_wrap(w, end, MBEDTLS_ASN1_OCTET_STRING);
	if (critical)
		peal_der_bool(w, 1);
	peal_der_oid(w, oid, len);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
}

static enum peal_err put_address(struct peal_der *w, const char *text,
				 struct peal_reason *reason)
{
	unsigned char octets[16];
	size_t len = 4;

	if (inet_pton(AF_INET, text, octets) != 1) {
		if (inet_pton(AF_INET6, text, octets) != 1)
			return peal_fail(reason, PEAL_EINVAL,
					 "not an IP address: %.80s", text);
		len = 16;
	}
	peal_der_bytes(w, PEAL_DER_CONTEXT | 7, octets, len);
	return PEAL_OK;
}

/* IA5String: ASCII. What is not visible has no place in a name. */
static int is_ia5(const char *text)
{
	for (; *text > ' ' && *text < 127; text++)
		;
	return *text == '\0';
}

static enum peal_err put_san(struct peal_der *w, const char *text,
			     struct peal_reason *reason)
{
	static const struct {
		const char *prefix;
		int tag;
	} kinds[] = { { "email:", 1 }, { "DNS:", 2 }, { "URI:", 6 } };
	size_t i, len;

	if (strncmp(text, "IP:", 3) == 0)
		return put_address(w, text + 3, reason);
	for (i = 0; i < COUNT(kinds); i++) {
		len = strlen(kinds[i].prefix);
		if (strncmp(text, kinds[i].prefix, len) != 0)
			continue;
		if (!text[len] || !is_ia5(text + len))
			break;
		peal_der_bytes(w, PEAL_DER_CONTEXT | kinds[i].tag, text + len,
			       strlen(text + len));
		return PEAL_OK;
	}
	return peal_fail(reason, PEAL_EINVAL,
			 "not a name for a certificate: %.80s", text);
}

/* Critical when there is no subject beside it (RFC 5280 4.2.1.6). */
static enum peal_err put_sans(struct peal_der *w, const struct peal_issue *o,
			      struct peal_reason *reason)
{
	const unsigned char *end = w->p;
	enum peal_err err = PEAL_OK;
	unsigned i;

	if (o->sans_n == 0)
		return PEAL_OK;
	for (i = o->sans_n; i-- > 0 && !err;)
		err = put_san(w, o->sans[i], reason);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	wrap_extension(w, end, PEAL_OID(MBEDTLS_OID_SUBJECT_ALT_NAME),
		       o->subject_n == 0);
	return err;
}

static enum peal_err put_purpose(struct peal_der *w, const char *text,
				 struct peal_reason *reason)
{
	const struct oid *known = find(purposes, COUNT(purposes), text);
	mbedtls_asn1_buf oid = { 0 };
	int rc;

	if (known) {
		peal_der_oid(w, known->bytes, known->len);
		return PEAL_OK;
	}
	rc = mbedtls_oid_from_numeric_string(&oid, text, strlen(text));
	if (rc)
		return peal_fail(reason, peal_err_pk(rc, PEAL_EINVAL),
				 "not a purpose of a certificate: %.80s", text);
	peal_der_oid(w, (const char *)oid.p, oid.len);
	mbedtls_free(oid.p);
	return PEAL_OK;
}

static enum peal_err put_purposes(struct peal_der *w,
				  const struct peal_issue *o,
				  struct peal_reason *reason)
{
	const unsigned char *end = w->p;
	enum peal_err err = PEAL_OK;
	unsigned i;

	if (o->purposes_n == 0)
		return PEAL_OK;
	for (i = o->purposes_n; i-- > 0 && !err;)
		err = put_purpose(w, o->purposes[i], reason);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	wrap_extension(w, end, PEAL_OID(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0);
	return err;
}

static void put_usage(struct peal_der *w, const struct peal_issue *o)
{
	const unsigned char *end = w->p;
	unsigned flags = USE_SIGN;

	if (o->is_ca)
		flags = USE_CERT | USE_CRL;
	else if (mbedtls_pk_get_type(&o->key->pk) == MBEDTLS_PK_RSA)
		flags |= USE_ENCIPHER;
	peal_der_flags(w, (unsigned char)flags);
	wrap_extension(w, end, PEAL_OID(MBEDTLS_OID_KEY_USAGE), 1);
}

static void put_constraints(struct peal_der *w, const struct peal_issue *o)
{
	const unsigned char *end = w->p;

	if (o->is_ca && o->pathlen >= 0)
		peal_der_int(w, o->pathlen);
	if (o->is_ca)
		peal_der_bool(w, 1);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	wrap_extension(w, end, PEAL_OID(MBEDTLS_OID_BASIC_CONSTRAINTS), 1);
}

/* RFC 7093 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
static enum peal_err key_id(const struct peal_key *k,
			    unsigned char out[KEY_ID_SIZE])
{
	unsigned char hash[PEAL_SHA256_SIZE], der[1024];
	unsigned char *p = der + sizeof(der);
	int n = mbedtls_pk_write_pubkey(&p, der, &k->pk);
	enum peal_err err;

	if (n < 0)
		return peal_err_pk(n, PEAL_EINTERNAL);
	err = peal_sha256(p, (size_t)n, hash);
	memcpy(out, hash, KEY_ID_SIZE);
	return err;
}

/* ca: NULL, or who signs; its own identifier is what ours must name. */
static enum peal_err put_key_ids(struct peal_der *w, const struct peal_issue *o,
				 const mbedtls_x509_crt *ca)
{
	const unsigned char *end = w->p;
	unsigned char own[KEY_ID_SIZE];
	enum peal_err err = key_id(o->key, own);

	if (err)
		return err;
	if (!ca)
		peal_der_bytes(w, PEAL_DER_CONTEXT | 0, own, sizeof(own));
	else if (ca->subject_key_id.len)
		peal_der_bytes(w, PEAL_DER_CONTEXT | 0, ca->subject_key_id.p,
			       ca->subject_key_id.len);
	if (w->p != end) {
		peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
		wrap_extension(w, end,
			       PEAL_OID(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER),
			       0);
	}
	end = w->p;
	peal_der_bytes(w, MBEDTLS_ASN1_OCTET_STRING, own, sizeof(own));
	wrap_extension(w, end, PEAL_OID(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER), 0);
	return PEAL_OK;
}

enum peal_err peal_put_extensions(struct peal_der *w,
				  const struct peal_issue *o,
				  const mbedtls_x509_crt *ca,
				  struct peal_reason *reason)
{
	const unsigned char *end = w->p;
	enum peal_err err = put_sans(w, o, reason);

	if (!err)
		err = put_purposes(w, o, reason);
	if (!err)
		err = put_key_ids(w, o, ca);
	put_usage(w, o);
	put_constraints(w, o);
	peal_der_wrap(w, end, PEAL_DER_SEQUENCE);
	peal_der_wrap(w, end, PEAL_DER_CONTEXT | MBEDTLS_ASN1_CONSTRUCTED | 3);
	return err;
}
