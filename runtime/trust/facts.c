/* facts.c - what a certificate says, as text, and the name rule on it. */
#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>

#include "decode/crypto.h"
#include "name.h"
#include "trust.h"

/* Tags of GeneralName, RFC 5280 4.2.1.6 */
enum { SAN_DNS = 2, SAN_IP = 7 };

static const mbedtls_x509_buf *common_name(const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_name *n;
	const mbedtls_x509_buf *last = NULL;

	for (n = &crt->subject; n; n = n->next)
		if (n->oid.p &&
		    MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0)
			last = &n->val;
	return last;
}

void peal_cert_label(const mbedtls_x509_crt *crt, char *out, size_t size)
{
	const mbedtls_x509_buf *cn = common_name(crt);

	if (cn && cn->len)
		peal_cert_text(cn, out, size);
	else if (mbedtls_x509_dn_gets(out, size, &crt->subject) <= 0)
		snprintf(out, size, "(no name)");
}

int peal_cert_may_be_root(const mbedtls_x509_crt *crt)
{
	return crt->MBEDTLS_PRIVATE(ca_istrue) || crt->version < 3;
}

int peal_cert_self_issued(const mbedtls_x509_crt *crt)
{
	return crt->issuer_raw.len == crt->subject_raw.len &&
	       memcmp(crt->issuer_raw.p, crt->subject_raw.p,
		      crt->issuer_raw.len) == 0;
}

/* The fields of a certificate are two digits each, the year four; the modulo
 * shows that to the compiler. */
static void date(char out[21], const mbedtls_x509_time *t)
{
	snprintf(out, 21, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		 (unsigned)t->year % 10000, (unsigned)t->mon % 100,
		 (unsigned)t->day % 100, (unsigned)t->hour % 100,
		 (unsigned)t->min % 100, (unsigned)t->sec % 100);
}

static const char *key_type(const mbedtls_x509_crt *crt)
{
	switch (mbedtls_pk_get_type(&crt->pk)) {
	case MBEDTLS_PK_RSA:
	case MBEDTLS_PK_RSASSA_PSS:
		return "RSA";
	case MBEDTLS_PK_ECKEY:
	case MBEDTLS_PK_ECKEY_DH:
	case MBEDTLS_PK_ECDSA:
		return "EC";
	default:
		return "";
	}
}

void peal_cert_text(const mbedtls_x509_buf *b, char *out, size_t size)
{
	size_t i;

	for (i = 0; b && i < b->len && i < size - 1; i++)
		out[i] = b->p[i] < ' ' || b->p[i] == 127 ? '?' : (char)b->p[i];
	out[i] = '\0';
}

static void names(const mbedtls_x509_crt *crt, struct peal_cert_facts *f)
{
	peal_cert_text(common_name(crt), f->cn, sizeof(f->cn));
	if (mbedtls_x509_dn_gets(f->subject, sizeof(f->subject),
				 &crt->subject) < 0)
		peal_cert_label(crt, f->subject, sizeof(f->subject));
	if (mbedtls_x509_dn_gets(f->issuer, sizeof(f->issuer), &crt->issuer) <
	    0)
		snprintf(f->issuer, sizeof(f->issuer), "(too long)");
	if (mbedtls_x509_serial_gets(f->serial, sizeof(f->serial),
				     &crt->serial) < 0)
		f->serial[0] = '\0';
}

void peal_cert_facts_of(const mbedtls_x509_crt *crt,
			const unsigned char sha256[PEAL_DIGEST_SIZE],
			struct peal_cert_facts *f)
{
	unsigned char sha1[PEAL_SHA1_SIZE];

	memset(f, 0, sizeof(*f));
	names(crt, f);
	date(f->not_before, &crt->valid_from);
	date(f->not_after, &crt->valid_to);
	f->from = peal_cert_time(&crt->valid_from);
	f->to = peal_cert_time(&crt->valid_to);
	peal_hex(sha256, PEAL_DIGEST_SIZE, f->sha256);
	if (peal_sha1(crt->raw.p, crt->raw.len, sha1) == PEAL_OK)
		peal_hex(sha1, sizeof(sha1), f->sha1);
	f->key_bits = (unsigned)mbedtls_pk_get_bitlen(&crt->pk);
	snprintf(f->key_type, sizeof(f->key_type), "%s", key_type(crt));
	f->is_ca = crt->MBEDTLS_PRIVATE(ca_istrue);
	f->self_signed = peal_cert_self_issued(crt);
	f->der = crt->raw.p;
	f->der_len = crt->raw.len;
}

const unsigned char *peal_identity_der(const struct peal_identity *i,
				       size_t *len)
{
	*len = i->chain.raw.len;
	return i->chain.raw.p;
}

void peal_identity_digest(const struct peal_identity *i, unsigned char out[32])
{
	memcpy(out, i->digest, PEAL_DIGEST_SIZE);
}

struct search {
	struct peal_name name;
	int seen; /* a DNS or IP name */
	int found;
	int nul; /* a name with a NUL inside: made to deceive */
	struct peal_reason *why;
	size_t listed;
};

static void list_dns(struct search *s, const char *dns, size_t len)
{
	char *text = s->why->text;
	size_t used = strlen(text);

	if (s->listed++ < 4)
		snprintf(text + used, sizeof(s->why->text) / 2 - used, "%s%.*s",
			 used ? ", " : "", (int)len, dns);
}

static void list_ip(struct search *s, const unsigned char *ip, size_t len)
{
	char text[46];

	if (len != 4 && len != 16)
		return;
	if (inet_ntop(len == 4 ? AF_INET : AF_INET6, ip, text, sizeof(text)))
		list_dns(s, text, strlen(text));
}

static void look_at(struct search *s, const mbedtls_x509_buf *san)
{
	const char *text = (const char *)san->p;

	switch (san->tag & MBEDTLS_ASN1_TAG_VALUE_MASK) {
	case SAN_DNS:
		s->seen = 1;
		s->nul |= memchr(text, '\0', san->len) != NULL;
		s->found |= peal_name_is_dns(&s->name, text, san->len);
		list_dns(s, text, san->len);
		break;
	case SAN_IP:
		s->seen = 1;
		s->found |= peal_name_is_ip(&s->name, san->p, san->len);
		list_ip(s, san->p, san->len);
		break;
	default:
		break;
	}
}

static void look_at_cn(struct search *s, const mbedtls_x509_buf *cn)
{
	const char *text = (const char *)cn->p;

	s->nul |= memchr(text, '\0', cn->len) != NULL;
	s->found |= peal_name_is_cn(&s->name, text, cn->len);
	list_dns(s, text, cn->len);
}

enum peal_err peal_cert_name_check(const mbedtls_x509_crt *crt,
				   const char *host, int cn_fallback,
				   struct peal_reason *why)
{
	const mbedtls_x509_sequence *san;
	const mbedtls_x509_buf *cn = common_name(crt);
	struct search s = { .why = why };
	struct peal_reason names;

	peal_reason_clear(why);
	if (!peal_name_init(&s.name, host))
		return peal_fail(why, PEAL_ECNAME, "no host name to compare");
	if (crt->MBEDTLS_PRIVATE(ext_types) & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)
		for (san = &crt->subject_alt_names; san; san = san->next)
			if (san->buf.p)
				look_at(&s, &san->buf);
	if (!s.seen && cn && cn->p && cn_fallback)
		look_at_cn(&s, cn);
	if (s.nul)
		return peal_fail(why, PEAL_ECNAME,
				 "the certificate has a name with a NUL "
				 "inside, made to deceive; tell the operator "
				 "of %s",
				 s.name.text);
	names = *why;
	peal_reason_clear(why);
	if (s.found)
		return PEAL_OK;
	return peal_fail(why, PEAL_ECNAME,
			 "certificate is for %s%s, not for %.100s; check the "
			 "URL or the server's certificate",
			 names.text[0] ? names.text : "nobody",
			 s.listed > 4 ? " and others" : "", s.name.text);
}
