/* chain.c - certificates that no server shows. See peal/chain.h */
#include <string.h>

#include "peal/chain.h"
#include "trust.h"

enum {
	FLAGS_DATES = MBEDTLS_X509_BADCERT_EXPIRED |
		      MBEDTLS_X509_BADCERT_FUTURE,
	FLAGS_WEAK = MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
		     MBEDTLS_X509_BADCERT_BAD_KEY
};

static enum peal_err read_list(mbedtls_x509_crt *list,
			       const struct peal_der *certs, unsigned n,
			       struct peal_reason *reason)
{
	unsigned i;
	int rc;

	if (n == 0 || n > PEAL_CHAIN_MAX)
		return peal_fail(reason, n ? PEAL_ETOOBIG : PEAL_EINVAL,
				 "%u certificates, where 1 to %d may be", n,
				 PEAL_CHAIN_MAX);
	for (i = 0; i < n; i++) {
		rc = mbedtls_x509_crt_parse_der(list, certs[i].bytes,
						certs[i].len);
		if (peal_no_memory(rc))
			return PEAL_ENOMEM;
		if (rc && i == 0)
			return peal_fail(reason, PEAL_ECORRUPT,
					 "a certificate cannot be read");
	}
	return PEAL_OK;
}

static uint32_t date_flags(const mbedtls_x509_crt *crt, int64_t now)
{
	if (now > peal_cert_time(&crt->valid_to))
		return MBEDTLS_X509_BADCERT_EXPIRED;
	if (now < peal_cert_time(&crt->valid_from))
		return MBEDTLS_X509_BADCERT_FUTURE;
	return 0;
}

/* The library's dates are those of the process clock. */
static int judge_dates(void *arg, mbedtls_x509_crt *crt, int depth,
		       uint32_t *flags)
{
	const int64_t *now = arg;

	(void)depth;
	*flags &= ~(uint32_t)FLAGS_DATES;
	*flags |= date_flags(crt, *now);
	return 0;
}

static int is_anchor(const mbedtls_x509_crt *crt, const struct peal_anchors *a)
{
	const mbedtls_x509_crt *one;

	for (one = a->first; one; one = one->next)
		if (one->raw.len == crt->raw.len &&
		    memcmp(one->raw.p, crt->raw.p, crt->raw.len) == 0)
			return 1;
	return 0;
}

/* Signature of an anchor: by itself, or by nobody we know. */
static uint32_t flags_of(mbedtls_x509_crt *list, const struct peal_anchors *a,
			 int64_t now)
{
	struct peal_tls_policy policy;
	struct peal_verdict v;
	uint32_t flags = 0;

	if (!peal_anchors_count(a))
		return MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	if (is_anchor(list, a))
		return date_flags(list, now);
	peal_tls_policy_init(&policy);
	peal_verdict_init(&v, &policy, "", NULL, NULL);
	mbedtls_x509_crt_verify_with_profile(list, a->first, NULL, &v.profile,
					     NULL, &flags, judge_dates, &now);
	return flags;
}

static enum peal_err judge(const mbedtls_x509_crt *crt, uint32_t flags,
			   struct peal_reason *reason)
{
	char label[128];

	if (!flags)
		return PEAL_OK;
	peal_cert_label(crt, label, sizeof(label));
	if (flags & ~(uint32_t)(FLAGS_DATES | FLAGS_WEAK))
		return peal_fail(reason, PEAL_ECUNTRUSTED,
				 "the certificate for %s leads to no trusted "
				 "root",
				 label);
	if (flags & FLAGS_WEAK)
		return peal_fail(reason, PEAL_ECWEAK,
				 "the certificate for %s or its issuer has a "
				 "key or a hash that is too weak",
				 label);
	if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
		return peal_fail(reason, PEAL_ECEXPIRED,
				 "the certificate for %s or its issuer has "
				 "expired",
				 label);
	return peal_fail(reason, PEAL_ECFUTURE,
			 "the certificate for %s or its issuer is not valid "
			 "yet; check the phone's clock",
			 label);
}

enum peal_err peal_chain_check(const struct peal_der *certs, unsigned n,
			       const struct peal_anchors *a, int64_t now,
			       struct peal_reason *reason)
{
	mbedtls_x509_crt list;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!certs)
		return PEAL_EINVAL;
	mbedtls_x509_crt_init(&list);
	err = read_list(&list, certs, n, reason);
	if (!err)
		err = judge(&list, flags_of(&list, a, now), reason);
	mbedtls_x509_crt_free(&list);
	return err;
}

/* --- two of them --- */

static int parse_two(mbedtls_x509_crt two[2], const struct peal_der *a,
		     const struct peal_der *b)
{
	mbedtls_x509_crt_init(&two[0]);
	mbedtls_x509_crt_init(&two[1]);
	return mbedtls_x509_crt_parse_der(&two[0], a->bytes, a->len) == 0 &&
	       mbedtls_x509_crt_parse_der(&two[1], b->bytes, b->len) == 0;
}

static void free_two(mbedtls_x509_crt two[2])
{
	mbedtls_x509_crt_free(&two[0]);
	mbedtls_x509_crt_free(&two[1]);
}

int peal_chain_same_subject(const struct peal_der *a, const struct peal_der *b)
{
	mbedtls_x509_crt two[2];
	int same = parse_two(two, a, b) &&
		   two[0].subject_raw.len == two[1].subject_raw.len &&
		   memcmp(two[0].subject_raw.p, two[1].subject_raw.p,
			  two[0].subject_raw.len) == 0;

	free_two(two);
	return same;
}

/* The library compares names without regard to case; octets are what a server
 * goes by. */
int peal_chain_issued(const struct peal_der *ca, const struct peal_der *cert)
{
	mbedtls_x509_crt two[2];
	uint32_t flags = 0;
	int issued = parse_two(two, ca, cert) &&
		     two[0].subject_raw.len == two[1].issuer_raw.len &&
		     memcmp(two[0].subject_raw.p, two[1].issuer_raw.p,
			    two[0].subject_raw.len) == 0;

	if (issued) {
		mbedtls_x509_crt_verify(&two[1], &two[0], NULL, NULL, &flags,
					NULL, NULL);
		issued = !(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED);
	}
	free_two(two);
	return issued;
}
