/* trust.h - what the fetcher needs of anchors, identity and verdicts.
 * Private to runtime/. */
#ifndef PEAL_TRUST_TRUST_H
#define PEAL_TRUST_TRUST_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "peal/trust.h"

enum { PEAL_DIGEST_SIZE = 32 };

struct peal_anchors {
	unsigned refs;
	unsigned count;
	mbedtls_x509_crt *first, **end;
	/* of all certificates in order: equal sets compare equal */
	unsigned char digest[PEAL_DIGEST_SIZE];
};

struct peal_identity {
	unsigned refs;
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	unsigned char digest[PEAL_DIGEST_SIZE]; /* of the certificates */
};

/* Whole file with a NUL behind it. PEAL_ENOENT, PEAL_EPERM, PEAL_EIO,
 * PEAL_ETOOBIG, PEAL_ENOMEM
 *   max_mode   permission bits that must not be set */
enum peal_err peal_read_pem(const char *path, unsigned forbidden_mode,
			    unsigned char **bytes, size_t *len,
			    struct peal_reason *reason);

/* The judgement of one handshake. `host` is borrowed: ASCII, no brackets.
 * Lives until the handshake is over; the library holds pointers into it. */
struct peal_verdict {
	struct peal_tls_policy policy;
	const char *host;
	mbedtls_x509_crt_profile profile;
	int64_t now;
	int ran; /* the library has asked */
	int rank;
	enum peal_err err;
	struct peal_reason reason;
	struct peal_cert_facts *chain; /* PEAL_LIMIT_CHAIN of them */
	unsigned *chain_n;
};
void peal_verdict_init(struct peal_verdict *v,
		       const struct peal_tls_policy *policy, const char *host,
		       struct peal_cert_facts *chain, unsigned *chain_n);
/* mbedTLS's verify callback; arg is the verdict. */
int peal_verdict_ask(void *arg, mbedtls_x509_crt *crt, int depth,
		     uint32_t *flags);
/* For a connection that was checked earlier: what may have changed since. */
enum peal_err peal_verdict_again(struct peal_verdict *v,
				 const mbedtls_x509_crt *peer);

/* Fills `chain` from a peer's list. */
void peal_cert_facts_list(const mbedtls_x509_crt *list,
			  struct peal_cert_facts *chain, unsigned *n);
/* Most specific common name, or the whole subject, for sentences. */
void peal_cert_label(const mbedtls_x509_crt *crt, char *out, size_t size);
int64_t peal_cert_time(const mbedtls_x509_time *t);

/* Name rule on a parsed certificate; `why` names what was looked for. */
enum peal_err peal_cert_name_check(const mbedtls_x509_crt *crt,
				   const char *host, int cn_fallback,
				   struct peal_reason *why);

#endif
