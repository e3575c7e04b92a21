/* trust.h - what the fetcher needs of anchors, identity and verdicts.
 * Private to runtime/. */
#ifndef PEAL_TRUST_TRUST_H
#define PEAL_TRUST_TRUST_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "peal/trust.h"

enum { PEAL_DIGEST_SIZE = 32 };

/* A root certificate. */
struct peal_anchor {
	mbedtls_x509_crt crt; /* first: cast back from it */
	unsigned flags;       /* of peal_anchor_flag */
	unsigned char sha256[PEAL_DIGEST_SIZE];
};

/* One list for the library: own certificates, then those of base. */
struct peal_anchors {
	unsigned refs;
	unsigned count;
	struct peal_anchors *base; /* NULL: none */
	int extended;              /* others share the list: no more changes */
	mbedtls_x509_crt *first, **end; /* of our own; *end is base's first */
	/* of all certificates in order: equal sets compare equal */
	unsigned char digest[PEAL_DIGEST_SIZE];
};

struct peal_identity {
	unsigned refs;
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	unsigned char digest[PEAL_DIGEST_SIZE]; /* of the certificates */
};

/* The suites in the form of the library, 0 behind the last; NULL: the default.
 * Borrowed from c. */
const int *peal_ciphers_ids(const struct peal_ciphers *c);

/* The error of a code that mbedTLS returned during a handshake, with a sentence
 * about `peer`: one of the words of certificates and TLS, or PEAL_ENOMEM. */
enum peal_err peal_err_mbedtls(int code, const char *peer,
			       struct peal_reason *reason);

/* Is that what it means? */
int peal_no_memory(int code);
/* Do bytes begin like a DER certificate or message? */
int peal_is_der(const void *bytes, size_t len);

enum { PEAL_VERIFY_MAX = MBEDTLS_X509_MAX_VERIFY_CHAIN_SIZE };

/* The judgement of one handshake. `host` is borrowed: ASCII, no brackets; so
 * are the pointers of the policy. Lives until the handshake is over; the
 * library holds pointers into it.
 *   pinned          it passed because of the policy's list
 *   anchor_private  the chain ends at an anchor with that flag, whatever else
 *                   is wrong with it
 *   anchor_sha256   of that anchor; zeros: the chain ends at none
 *   not_after       s, UTC: the earliest end in the chain that was verified;
 *                   INT64_MAX where dates do not count (pinned)
 *   chain           the certificates presented; their `der` is the library's
 *                   and goes with the handshake */
struct peal_verdict {
	struct peal_tls_policy policy;
	const char *host;
	mbedtls_x509_crt_profile profile;
	int64_t now;
	int ran; /* the library has asked */
	enum peal_err err;
	struct peal_reason reason;
	int pinned;
	int anchor_private;
	unsigned char anchor_sha256[PEAL_DIGEST_SIZE];
	int64_t not_after;
	struct peal_cert_facts *chain; /* PEAL_LIMIT_CHAIN of them */
	unsigned *chain_n;
	/* what the library said of the chain it built, leaf first */
	struct peal_link {
		const mbedtls_x509_crt *crt;
		uint32_t flags;
	} links[PEAL_VERIFY_MAX];
	unsigned links_n;
	mbedtls_x509_crt nobody;
};
void peal_verdict_init(struct peal_verdict *v,
		       const struct peal_tls_policy *policy, const char *host,
		       struct peal_cert_facts *chain, unsigned *chain_n);
/* The anchors for mbedtls_ssl_conf_ca_chain(); never NULL. */
mbedtls_x509_crt *peal_verdict_list(struct peal_verdict *v);
/* mbedTLS's verify callback; arg is the verdict. */
int peal_verdict_ask(void *arg, mbedtls_x509_crt *crt, int depth,
		     uint32_t *flags);
/* For a connection or session that was checked earlier: what may have changed
 * since. After peal_verdict_init() the caller sets what the first judgement
 * said: pinned, anchor_private, anchor_sha256, not_after (0: not known).
 *   peer   NULL: not at hand; the chain stays as it is */
enum peal_err peal_verdict_again(struct peal_verdict *v,
				 const mbedtls_x509_crt *peer);

/* f->der points into crt. */
void peal_cert_facts_of(const mbedtls_x509_crt *crt,
			const unsigned char sha256[PEAL_DIGEST_SIZE],
			struct peal_cert_facts *f);
/* Most specific common name, or the whole subject, for sentences. */
void peal_cert_label(const mbedtls_x509_crt *crt, char *out, size_t size);
/* Bytes of a certificate, which may be NULL, as text: control characters show
 * as '?', what is too long is cut. */
void peal_cert_text(const mbedtls_x509_buf *b, char *out, size_t size);
/* A CA by its basicConstraints, or of version 1, which has none: some roots are
 * that old. Whoever installs it says that it is one. */
int peal_cert_may_be_root(const mbedtls_x509_crt *crt);
/* Its subject is its issuer. */
int peal_cert_self_issued(const mbedtls_x509_crt *crt);
int64_t peal_cert_time(const mbedtls_x509_time *t);
/* The reverse. PEAL_EINVAL outside of the years 1 to 9999 */
enum peal_err peal_cert_date(int64_t when, mbedtls_x509_time *t);

/* Name rule on a parsed certificate; `why` names what was looked for. */
enum peal_err peal_cert_name_check(const mbedtls_x509_crt *crt,
				   const char *host, int cn_fallback,
				   struct peal_reason *why);

#endif
