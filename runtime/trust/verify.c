/* verify.c - the judgement of a server's certificate, inside the handshake.
 *
 * mbedTLS builds the chain and hands each certificate of it over, root first.
 * It judges dates by the process clock, which a phone may not have set, and
 * knows nothing of slash suffixes: dates, purpose and name are judged here,
 * its word on chain, signature and key size stands. The first failure in the
 * order chain, key size, dates, purpose, name is reported. */
#include <mbedtls/oid.h>
#include <string.h>
#include <time.h>

#include "name.h"
#include "peal/alloc.h"
#include "trust.h"

/* In order of report. */
enum rank { TRUST = 1, WEAK, DATES, PURPOSE, NAME, GOOD };

enum {
	FLAGS_DATES = MBEDTLS_X509_BADCERT_EXPIRED |
		      MBEDTLS_X509_BADCERT_FUTURE,
	FLAGS_WEAK = MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
		     MBEDTLS_X509_BADCERT_BAD_KEY
};

static unsigned month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned m;

	for (m = 0; m < 12; m++)
		if (memcmp(names + (size_t)m * 3, name, 3) == 0)
			return m + 1;
	return 1;
}

static int digits(const char *text, int n)
{
	int value = 0;

	for (; n > 0; n--, text++)
		value = value * 10 + (*text >= '0' ? *text - '0' : 0);
	return value;
}

/* Days since 1970 of a date of the Gregorian calendar, years counted from
 * March so that the leap day comes last. */
static int64_t days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

/* Compilers take it from SOURCE_DATE_EPOCH for builds that can be repeated. */
int64_t peal_build_time(void)
{
	static const char date[] = __DATE__; /* "Nov 22 2026" */

	return days(digits(date + 7, 4), month_of(date),
		    (unsigned)digits(date + 4, 2)) *
	       86400;
}

int64_t peal_cert_time(const mbedtls_x509_time *t)
{
	return days(t->year, (unsigned)t->mon, (unsigned)t->day) * 86400 +
	       t->hour * 3600 + t->min * 60 + t->sec;
}

void peal_tls_policy_init(struct peal_tls_policy *p)
{
	memset(p, 0, sizeof(*p));
	p->min_version = PEAL_TLS_1_2;
	p->check_name = 1;
	p->cn_fallback = 1;
	p->min_rsa_bits = 2048;
}

void peal_verdict_init(struct peal_verdict *v,
		       const struct peal_tls_policy *policy, const char *host,
		       struct peal_cert_facts *chain, unsigned *chain_n)
{
	memset(v, 0, sizeof(*v));
	v->policy = *policy;
	v->host = host;
	v->chain = chain;
	v->chain_n = chain_n;
	v->now = policy->now;
	if (v->now == 0) {
		v->now = time(NULL);
		if (v->now < peal_build_time())
			v->now = peal_build_time();
	}
	v->rank = GOOD;
	v->err = PEAL_ECUNTRUSTED; /* until the leaf was seen */
	peal_reason_clear(&v->reason);
	v->profile.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
				 MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
				 MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512);
	v->profile.allowed_pks = 0xfffffff;
	v->profile.allowed_curves =
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1) |
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP256R1) |
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP384R1) |
		MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP512R1);
	v->profile.rsa_min_bitlen =
		policy->min_rsa_bits ? policy->min_rsa_bits : 2048;
}

/* Returns the place to write the reason, or NULL if a failure that comes
 * first is known already. */
static struct peal_reason *refuse(struct peal_verdict *v, enum rank rank,
				  enum peal_err err)
{
	if ((int)rank > v->rank)
		return NULL;
	v->rank = rank;
	v->err = err;
	return &v->reason;
}

static void judge_trust(struct peal_verdict *v, const mbedtls_x509_crt *crt)
{
	struct peal_reason *r = refuse(v, TRUST, PEAL_ECUNTRUSTED);
	char label[128], issuer[128];

	peal_cert_label(crt, label, sizeof(label));
	if (peal_anchors_count(v->policy.anchors) == 0) {
		peal_fail(r, PEAL_ECUNTRUSTED,
			  "certificate for %s cannot be checked: no trusted "
			  "roots are installed",
			  label);
	} else if (peal_cert_self_issued(crt)) {
		peal_fail(r, PEAL_ECUNTRUSTED,
			  "certificate for %s is self-signed and not among "
			  "the trusted roots; install it if it is yours",
			  label);
	} else {
		if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &crt->issuer) <
		    0)
			issuer[0] = '\0';
		peal_fail(r, PEAL_ECUNTRUSTED,
			  "certificate for %s: no trusted root for its issuer "
			  "%s; install that root or let the server send the "
			  "intermediate certificates",
			  label, issuer);
	}
}

static void judge_weak(struct peal_verdict *v, const mbedtls_x509_crt *crt,
		       uint32_t flags)
{
	struct peal_reason *r = refuse(v, WEAK, PEAL_ECWEAK);
	unsigned bits = (unsigned)mbedtls_pk_get_bitlen(&crt->pk);
	char label[128];

	peal_cert_label(crt, label, sizeof(label));
	if (flags & MBEDTLS_X509_BADCERT_BAD_MD)
		peal_fail(r, PEAL_ECWEAK,
			  "certificate for %s is signed with an outdated hash; "
			  "at least SHA-256 is needed",
			  label);
	else
		peal_fail(r, PEAL_ECWEAK,
			  "certificate for %s or its issuer has a key that is "
			  "too short (%u bits here; RSA needs %u, EC 256)",
			  label, bits, (unsigned)v->profile.rsa_min_bitlen);
}

static uint32_t judge_dates(struct peal_verdict *v, const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_time *from = &crt->valid_from, *to = &crt->valid_to;
	char label[128];

	peal_cert_label(crt, label, sizeof(label));
	if (v->now > peal_cert_time(to)) {
		peal_fail(refuse(v, DATES, PEAL_ECEXPIRED), PEAL_ECEXPIRED,
			  "certificate for %s expired %04d-%02d-%02d; check "
			  "the server's certificate or the phone's clock",
			  label, to->year, to->mon, to->day);
		return MBEDTLS_X509_BADCERT_EXPIRED;
	}
	if (v->now < peal_cert_time(from)) {
		peal_fail(refuse(v, DATES, PEAL_ECFUTURE), PEAL_ECFUTURE,
			  "certificate for %s is not valid before "
			  "%04d-%02d-%02d; check the phone's clock",
			  label, from->year, from->mon, from->day);
		return MBEDTLS_X509_BADCERT_FUTURE;
	}
	return 0;
}

static uint32_t judge_purpose(struct peal_verdict *v,
			      const mbedtls_x509_crt *crt)
{
	char label[128];

	if (mbedtls_x509_crt_check_extended_key_usage(
		    crt, MBEDTLS_OID_SERVER_AUTH,
		    MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0)
		return 0;
	peal_cert_label(crt, label, sizeof(label));
	peal_fail(refuse(v, PURPOSE, PEAL_ECUNTRUSTED), PEAL_ECUNTRUSTED,
		  "certificate for %s is not meant for servers (its extended "
		  "key usage lacks serverAuth)",
		  label);
	return MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
}

static uint32_t judge_name(struct peal_verdict *v, const mbedtls_x509_crt *crt)
{
	struct peal_reason why;

	if (!v->policy.check_name ||
	    peal_cert_name_check(crt, v->host, v->policy.cn_fallback, &why) ==
		    PEAL_OK)
		return 0;
	peal_fail(refuse(v, NAME, PEAL_ECNAME), PEAL_ECNAME, "%s", why.text);
	return MBEDTLS_X509_BADCERT_CN_MISMATCH;
}

int peal_verdict_ask(void *arg, mbedtls_x509_crt *crt, int depth,
		     uint32_t *flags)
{
	struct peal_verdict *v = arg;
	uint32_t said = *flags;

	v->ran = 1;
	said &= ~(uint32_t)(FLAGS_DATES | MBEDTLS_X509_BADCERT_CN_MISMATCH);
	if (peal_anchors_count(v->policy.anchors) == 0)
		said |= MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	/* what we do not know the meaning of is a refusal, too */
	if (said & ~(uint32_t)FLAGS_WEAK)
		judge_trust(v, crt);
	if (said & FLAGS_WEAK)
		judge_weak(v, crt, said);
	said |= judge_dates(v, crt);
	if (depth == 0) {
		peal_cert_facts_list(crt, v->chain, v->chain_n);
		said |= judge_purpose(v, crt);
		said |= judge_name(v, crt);
		if (v->rank == GOOD)
			v->err = PEAL_OK;
	}
	*flags = said;
	return 0;
}

enum peal_err peal_verdict_again(struct peal_verdict *v,
				 const mbedtls_x509_crt *peer)
{
	v->rank = GOOD;
	v->err = PEAL_OK;
	if (!peer)
		return v->err;
	peal_cert_facts_list(peer, v->chain, v->chain_n);
	judge_dates(v, peer);
	return v->err;
}
