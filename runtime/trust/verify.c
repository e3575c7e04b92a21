/* verify.c - the judgement of a server's certificate, inside the handshake.
 *
 * mbedTLS builds the chain and hands each certificate of it over, root first,
 * with what is wrong with it. Nothing is decided before the last one, the
 * server's own: a pinned one passes whatever its chain is like, and of several
 * failures the first in this order is reported: rejected list, chain, keys and
 * hashes, dates, purpose, name, DNS (the order is our choice, the documents
 * have none). The library judges dates by the process clock, which a phone may
 * not have set, and knows nothing of slash suffixes: both are judged here. */
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "trust.h"

enum {
	/* judged here */
	FLAGS_OURS = MBEDTLS_X509_BADCERT_EXPIRED |
		     MBEDTLS_X509_BADCERT_FUTURE |
		     MBEDTLS_X509_BADCERT_CN_MISMATCH,
	FLAGS_KEY = MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
	FLAGS_WEAK = MBEDTLS_X509_BADCERT_BAD_MD | FLAGS_KEY
};

void peal_tls_policy_init(struct peal_tls_policy *p)
{
	memset(p, 0, sizeof(*p));
	p->min_version = PEAL_TLS_1_2;
	p->check_name = 1;
	p->cn_fallback = 1;
	p->min_rsa_bits = 2048;
}

/* mbedTLS takes the anchors as a list and refuses to run without one, also
 * where a pinned certificate needs none. An empty certificate stands for
 * nobody: it has no key that could have signed anything. */
mbedtls_x509_crt *peal_verdict_list(struct peal_verdict *v)
{
	struct peal_anchors *a = v->policy.anchors;

	return peal_anchors_count(a) ? a->first : &v->nobody;
}

static void set_profile(mbedtls_x509_crt_profile *p, unsigned min_rsa_bits)
{
	p->allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
			 MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
			 MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512);
	p->allowed_pks = 0xfffffff;
	p->allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
			    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
			    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1) |
			    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP256R1) |
			    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP384R1) |
			    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP512R1);
	p->rsa_min_bitlen = min_rsa_bits ? min_rsa_bits : 2048;
}

static int64_t process_clock(void)
{
	int64_t now = time(NULL), built = peal_build_time();

	return now > built ? now : built;
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
	v->now = policy->now ? policy->now : process_clock();
	v->err = PEAL_ECUNTRUSTED; /* until the leaf was seen */
	peal_reason_clear(&v->reason);
	set_profile(&v->profile, policy->min_rsa_bits);
	mbedtls_x509_crt_init(&v->nobody);
}

/* The facts of what the server presented, each certificate hashed once.
 *   leaf       fingerprint of the first
 *   rejected   the first one that is on the list, or NULL */
static enum peal_err look_at(struct peal_verdict *v,
			     const mbedtls_x509_crt *presented,
			     unsigned char leaf[PEAL_DIGEST_SIZE],
			     const mbedtls_x509_crt **rejected)
{
	const mbedtls_x509_crt *crt;
	unsigned char sha256[PEAL_DIGEST_SIZE];
	unsigned n = 0;
	enum peal_err err;

	*v->chain_n = 0;
	for (crt = presented; crt; crt = crt->next, n++) {
		err = peal_sha256(crt->raw.p, crt->raw.len, sha256);
		if (err)
			return err;
		if (n == 0)
			memcpy(leaf, sha256, sizeof(sha256));
		if (n < PEAL_LIMIT_CHAIN)
			peal_cert_facts_of(crt, sha256,
					   &v->chain[(*v->chain_n)++]);
		if (!*rejected && peal_cert_set_has(v->policy.rejected, sha256))
			*rejected = crt;
	}
	return PEAL_OK;
}

static enum peal_err refuse_rejected(struct peal_verdict *v,
				     const mbedtls_x509_crt *crt)
{
	char label[128];

	peal_cert_label(crt, label, sizeof(label));
	return peal_fail(&v->reason, PEAL_ECREJECTED,
			 "the administrator rejected the certificate for %s; "
			 "remove it from the list to let %s pass",
			 label, v->host);
}

/* The anchor that the chain ends at; or NULL. A server's own certificate may
 * be one, and is a copy then. */
static const struct peal_anchor *find_anchor(const struct peal_verdict *v)
{
	const mbedtls_x509_crt *top, *crt;

	if (!peal_anchors_count(v->policy.anchors) || !v->links_n)
		return NULL;
	top = v->links[v->links_n - 1].crt;
	for (crt = v->policy.anchors->first; crt; crt = crt->next)
		if (crt == top ||
		    (crt->raw.len == top->raw.len &&
		     memcmp(crt->raw.p, top->raw.p, top->raw.len) == 0))
			return (const struct peal_anchor *)crt;
	return NULL;
}

static int same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
	return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

/* What one of them has signed the other has, and may have. */
static int is_twin(const mbedtls_x509_crt *a, const mbedtls_x509_crt *b)
{
	return same(&a->subject_raw, &b->subject_raw) &&
	       same(&a->pk_raw, &b->pk_raw) &&
	       a->MBEDTLS_PRIVATE(max_pathlen) ==
		       b->MBEDTLS_PRIVATE(max_pathlen) &&
	       mbedtls_x509_crt_check_key_usage(
		       b, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

static int is_in_force(const struct peal_verdict *v,
		       const struct peal_anchor *anchor)
{
	const mbedtls_x509_crt *crt = &anchor->crt;

	if (peal_cert_set_has(v->policy.removed, anchor->sha256) ||
	    peal_cert_set_has(v->policy.rejected, anchor->sha256))
		return 0;
	return (anchor->flags & PEAL_ANCHOR_DATELESS) ||
	       (v->now >= peal_cert_time(&crt->valid_from) &&
		v->now <= peal_cert_time(&crt->valid_to));
}

/* The library takes the first root that has signed, and prefers one by the
 * process clock. A renewed root has the name and the key of the old one: where
 * that does not count any more, the chain ends at the new one. */
static const struct peal_anchor *renewed(struct peal_verdict *v,
					 const struct peal_anchor *anchor)
{
	const mbedtls_x509_crt *crt;

	if (!anchor || v->links_n < 2 || is_in_force(v, anchor))
		return anchor;
	for (crt = v->policy.anchors->first; crt; crt = crt->next) {
		if (!is_in_force(v, (const struct peal_anchor *)crt) ||
		    !is_twin(&anchor->crt, crt))
			continue;
		v->links[v->links_n - 1].crt = crt;
		return (const struct peal_anchor *)crt;
	}
	return anchor;
}

/* The certificate among those presented that calls itself the issuer. */
static const mbedtls_x509_crt *issuer_of(const mbedtls_x509_crt *crt,
					 const mbedtls_x509_crt *presented)
{
	const mbedtls_x509_buf *issuer = &crt->issuer_raw;

	for (; presented; presented = presented->next)
		if (presented != crt &&
		    presented->subject_raw.len == issuer->len &&
		    memcmp(presented->subject_raw.p, issuer->p, issuer->len) ==
			    0)
			return presented;
	return NULL;
}

static enum peal_err no_issuer(struct peal_verdict *v,
			       const mbedtls_x509_crt *crt,
			       const mbedtls_x509_crt *presented)
{
	char label[80], issuer[100];

	peal_cert_label(crt, label, sizeof(label));
	if (peal_anchors_count(v->policy.anchors) == 0)
		return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
				 "certificate for %s cannot be checked: no "
				 "trusted roots are installed",
				 label);
	if (peal_cert_self_issued(crt))
		return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
				 "certificate for %s is self-signed and not "
				 "among the trusted roots; install it if it is "
				 "yours",
				 label);
	if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &crt->issuer) < 0)
		snprintf(issuer, sizeof(issuer), "(a long name)");
	if (issuer_of(crt, presented))
		return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
				 "certificate for %s comes from %s, which may "
				 "not issue it (see its basicConstraints and "
				 "keyUsage); the server needs another one",
				 label, issuer);
	return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
			 "certificate for %s: no trusted root for its issuer "
			 "%s; install that root or let the server send the "
			 "intermediate certificates",
			 label, issuer);
}

/* Something in the chain that the library does not like, for which we have no
 * word of our own. */
static enum peal_err untrusted(struct peal_verdict *v,
			       const struct peal_link *l,
			       const mbedtls_x509_crt *presented)
{
	char label[80], parent[80];

	if (!(l->flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)) {
		peal_cert_label(l->crt, label, sizeof(label));
		return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
				 "certificate for %s is not accepted (flags "
				 "%#lx); the server needs another one",
				 label, (unsigned long)l->flags);
	}
	if (l == &v->links[v->links_n - 1])
		return no_issuer(v, l->crt, presented);
	peal_cert_label(l->crt, label, sizeof(label));
	peal_cert_label(l[1].crt, parent, sizeof(parent));
	return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
			 "the signature of the certificate for %s is not by "
			 "%s, as it says; install a proper one at the server",
			 label, parent);
}

static enum peal_err judge_chain(struct peal_verdict *v,
				 const struct peal_anchor *anchor,
				 const mbedtls_x509_crt *presented)
{
	const struct peal_link *l, *end = v->links + v->links_n;
	char label[128];

	for (l = v->links; l < end; l++)
		if (l->flags & ~(uint32_t)(FLAGS_OURS | FLAGS_WEAK))
			return untrusted(v, l, presented);
	if (!anchor)
		return no_issuer(v, end[-1].crt, presented);
	if (!peal_cert_set_has(v->policy.removed, anchor->sha256))
		return PEAL_OK;
	peal_cert_label(&anchor->crt, label, sizeof(label));
	return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
			 "the root %s was removed by the administrator; import "
			 "it to trust %s again",
			 label, v->host);
}

static int has_weak_key(const struct peal_verdict *v,
			const mbedtls_x509_crt *crt)
{
	size_t bits = mbedtls_pk_get_bitlen(&crt->pk);
	int rsa = mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_RSA);

	return bits < (rsa ? v->profile.rsa_min_bitlen : 256);
}

static enum peal_err weak_key(struct peal_verdict *v,
			      const mbedtls_x509_crt *crt)
{
	char label[128];

	peal_cert_label(crt, label, sizeof(label));
	return peal_fail(&v->reason, PEAL_ECWEAK,
			 "the key of the certificate for %s has %u bits; RSA "
			 "needs %u, EC 256: it has to be made again",
			 label, (unsigned)mbedtls_pk_get_bitlen(&crt->pk),
			 (unsigned)v->profile.rsa_min_bitlen);
}

/* An anchor's signature of itself proves nothing, so its hash does not matter;
 * the library looks at it when the anchor is the server's certificate, too. */
static enum peal_err judge_strength(struct peal_verdict *v)
{
	const struct peal_link *l, *end = v->links + v->links_n;
	uint32_t flags = 0;
	char label[128];

	for (l = v->links; l < end; l++) {
		flags |= l->flags;
		if (has_weak_key(v, l->crt))
			return weak_key(v, l->crt);
		if (!(l->flags & MBEDTLS_X509_BADCERT_BAD_MD) || l == end - 1)
			continue;
		peal_cert_label(l->crt, label, sizeof(label));
		return peal_fail(
			&v->reason, PEAL_ECWEAK,
			"certificate for %s is signed with an outdated "
			"hash; at least SHA-256 is needed",
			label);
	}
	if (!(flags & FLAGS_KEY))
		return PEAL_OK;
	return peal_fail(&v->reason, PEAL_ECWEAK,
			 "the certificates of %s have keys of a kind that is "
			 "not accepted; RSA or a NIST or Brainpool curve of "
			 "256 bits is needed",
			 v->host);
}

static enum peal_err judge_dates(struct peal_verdict *v,
				 const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_time *from = &crt->valid_from, *to = &crt->valid_to;
	char label[128];

	if (v->now > peal_cert_time(to)) {
		peal_cert_label(crt, label, sizeof(label));
		return peal_fail(&v->reason, PEAL_ECEXPIRED,
				 "certificate for %s expired %04d-%02d-%02d; "
				 "check the server's certificate or the "
				 "phone's clock",
				 label, to->year, to->mon, to->day);
	}
	if (v->now < peal_cert_time(from)) {
		peal_cert_label(crt, label, sizeof(label));
		return peal_fail(&v->reason, PEAL_ECFUTURE,
				 "certificate for %s is not valid before "
				 "%04d-%02d-%02d; check the phone's clock",
				 label, from->year, from->mon, from->day);
	}
	return PEAL_OK;
}

static enum peal_err judge_all_dates(struct peal_verdict *v,
				     const struct peal_anchor *anchor)
{
	int dateless = (anchor->flags & PEAL_ANCHOR_DATELESS) != 0;
	unsigned i, n = v->links_n - (dateless ? 1 : 0);
	enum peal_err err = PEAL_OK;

	for (i = 0; i < n && !err; i++)
		err = judge_dates(v, v->links[i].crt);
	return err;
}

static enum peal_err judge_purpose(struct peal_verdict *v,
				   const mbedtls_x509_crt *leaf)
{
	char label[128];

	if (mbedtls_x509_crt_check_extended_key_usage(
		    leaf, MBEDTLS_OID_SERVER_AUTH,
		    MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0)
		return PEAL_OK;
	peal_cert_label(leaf, label, sizeof(label));
	return peal_fail(&v->reason, PEAL_ECUNTRUSTED,
			 "certificate for %s is not meant for servers (its "
			 "extended key usage lacks serverAuth); the server "
			 "needs another one",
			 label);
}

static enum peal_err judge_dns(struct peal_verdict *v)
{
	if (!v->policy.dns_failure)
		return PEAL_OK;
	return peal_fail(&v->reason, PEAL_ECDNS, "%s", v->policy.dns_failure);
}

/* Facts that hold whatever the judgement is. */
static void note_anchor(struct peal_verdict *v,
			const struct peal_anchor *anchor)
{
	unsigned i;
	int64_t end;

	v->not_after = INT64_MAX;
	if (!anchor)
		return;
	v->anchor_private = (anchor->flags & PEAL_ANCHOR_PRIVATE) != 0;
	memcpy(v->anchor_sha256, anchor->sha256, PEAL_DIGEST_SIZE);
	for (i = 0; i < v->links_n; i++) {
		end = peal_cert_time(&v->links[i].crt->valid_to);
		if (i == v->links_n - 1 &&
		    (anchor->flags & PEAL_ANCHOR_DATELESS))
			continue;
		if (end < v->not_after)
			v->not_after = end;
	}
}

/* The library goes on to the usages of the leaf when the callback is through;
 * they do not matter for one that is pinned, either. */
static enum peal_err pass_pinned(struct peal_verdict *v, mbedtls_x509_crt *leaf)
{
	leaf->MBEDTLS_PRIVATE(ext_types) &=
		~(MBEDTLS_X509_EXT_KEY_USAGE |
		  MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE);
	v->pinned = 1;
	v->not_after = INT64_MAX;
	return PEAL_OK;
}

static enum peal_err judge(struct peal_verdict *v, mbedtls_x509_crt *leaf)
{
	const struct peal_anchor *anchor = find_anchor(v);
	const mbedtls_x509_crt *rejected = NULL;
	unsigned char sha256[PEAL_DIGEST_SIZE];
	enum peal_err err = look_at(v, leaf, sha256, &rejected);

	if (err)
		return err;
	if (!rejected && anchor &&
	    peal_cert_set_has(v->policy.rejected, anchor->sha256))
		rejected = &anchor->crt;
	else
		anchor = renewed(v, anchor);
	note_anchor(v, anchor);
	if (rejected)
		return refuse_rejected(v, rejected);
	if (peal_cert_set_has(v->policy.pinned, sha256))
		return pass_pinned(v, leaf);
	err = judge_chain(v, anchor, leaf);
	if (!err)
		err = judge_strength(v);
	if (!err)
		err = judge_all_dates(v, anchor);
	if (!err)
		err = judge_purpose(v, leaf);
	if (!err && v->policy.check_name)
		err = peal_cert_name_check(leaf, v->host, v->policy.cn_fallback,
					   &v->reason);
	if (!err)
		err = judge_dns(v);
	return err;
}

/* What the server is told: the library makes an alert of it. */
static uint32_t flag_of(enum peal_err err)
{
	switch (err) {
	case PEAL_OK:
		return 0;
	case PEAL_ECUNTRUSTED:
		return MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	case PEAL_ECWEAK:
		return MBEDTLS_X509_BADCERT_BAD_KEY;
	case PEAL_ECEXPIRED:
		return MBEDTLS_X509_BADCERT_EXPIRED;
	case PEAL_ECFUTURE:
		return MBEDTLS_X509_BADCERT_FUTURE;
	case PEAL_ECNAME:
		return MBEDTLS_X509_BADCERT_CN_MISMATCH;
	default:
		return MBEDTLS_X509_BADCERT_OTHER;
	}
}

/* What is set for a certificate above the leaf could not be taken back. */
int peal_verdict_ask(void *arg, mbedtls_x509_crt *crt, int depth,
		     uint32_t *flags)
{
	struct peal_verdict *v = arg;

	v->ran = 1;
	if (depth < 0 || depth >= PEAL_VERIFY_MAX)
		return MBEDTLS_ERR_X509_FATAL_ERROR;
	v->links[depth].crt = crt;
	v->links[depth].flags = *flags;
	if ((unsigned)depth >= v->links_n)
		v->links_n = (unsigned)depth + 1;
	*flags = 0;
	if (depth == 0) {
		v->err = judge(v, crt);
		*flags = flag_of(v->err);
	}
	return 0;
}

static enum peal_err judge_again(struct peal_verdict *v,
				 const mbedtls_x509_crt *peer)
{
	const mbedtls_x509_crt *rejected = NULL;
	unsigned char sha256[PEAL_DIGEST_SIZE];
	enum peal_err err = PEAL_OK;

	if (peer)
		err = look_at(v, peer, sha256, &rejected);
	if (err)
		return err;
	if (rejected)
		return refuse_rejected(v, rejected);
	if (peal_cert_set_has(v->policy.rejected, v->anchor_sha256))
		return peal_fail(&v->reason, PEAL_ECREJECTED,
				 "the administrator rejected the root that %s "
				 "is trusted by",
				 v->host);
	if (v->pinned || (peer && peal_cert_set_has(v->policy.pinned, sha256)))
		return PEAL_OK;
	if (v->not_after && v->now > v->not_after)
		return peal_fail(&v->reason, PEAL_ECEXPIRED,
				 "the certificates of %s have expired since "
				 "the connection was made; give the server "
				 "new ones",
				 v->host);
	if (peer)
		err = judge_dates(v, peer);
	return err ? err : judge_dns(v);
}

enum peal_err peal_verdict_again(struct peal_verdict *v,
				 const mbedtls_x509_crt *peer)
{
	v->err = judge_again(v, peer);
	return v->err;
}
