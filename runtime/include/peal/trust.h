/* trust.h - who the phone believes, and who it says it is.
 *
 * Anchors and identity are parsed once and shared by every transfer that names
 * them: libcurl's mbedTLS backend would read and parse CA files again for each
 * connection. The checks run inside the TLS handshake on prepared data only
 * and fail closed.
 * Owns      parsed certificates; keys are wiped when freed.
 * Threads   one thread per host.
 * Source    MPP administration guide, "HTTPS provisioning": client and server
 *           certificates, common name with a slash suffix; RFC 9525. */
#ifndef PEAL_TRUST_H
#define PEAL_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "peal/error.h"
#include "peal/limits.h"

struct peal_anchors;
struct peal_identity;

/* Root certificates. Reference counted; no change after the first use. */
enum peal_err peal_anchors_new(struct peal_anchors **out);
struct peal_anchors *peal_anchors_ref(struct peal_anchors *a);
void peal_anchors_unref(struct peal_anchors *a);
/* PEM (one or many, other text ignored) or one DER certificate. Certificates
 * that are no CA are skipped.
 *   added   how many came in; may be NULL
 * PEAL_EINVAL (none usable), PEAL_ENOMEM */
enum peal_err peal_anchors_add(struct peal_anchors *a, const void *bytes,
			       size_t len, unsigned *added,
			       struct peal_reason *reason);
/* The same from a file. PEAL_ENOENT, PEAL_EPERM, PEAL_EIO, PEAL_ETOOBIG */
enum peal_err peal_anchors_load(struct peal_anchors *a, const char *path,
				unsigned *added, struct peal_reason *reason);
unsigned peal_anchors_count(const struct peal_anchors *a);

/* Client certificate (leaf first, then intermediates) and private key, PEM.
 * The key file must not be readable by group or others.
 * PEAL_EKEY (key and certificate do not belong together, cannot be parsed),
 * PEAL_EPERM, PEAL_ENOENT, PEAL_ENOMEM */
enum peal_err peal_identity_load(struct peal_identity **out,
				 const char *cert_path, const char *key_path,
				 struct peal_reason *reason);
struct peal_identity *peal_identity_ref(struct peal_identity *i);
void peal_identity_unref(struct peal_identity *i);

enum peal_tls_version { PEAL_TLS_1_2 = 12, PEAL_TLS_1_3 = 13 };

/* How strict a transfer is.
 *   anchors, identity  NULL: none (no anchors: every server is refused)
 *   check_name     HTTPS_Name_Validate
 *   cn_fallback    look at the CN where no DNS or IP name is in the SAN
 *   now            s, UTC: the time certificates are judged by; 0: the
 *                  process clock, but not before the build of this program */
struct peal_tls_policy {
	struct peal_anchors *anchors;
	struct peal_identity *identity;
	enum peal_tls_version min_version;
	int check_name;
	int cn_fallback;
	unsigned min_rsa_bits; /* 0: 2048 */
	int64_t now;
};
void peal_tls_policy_init(struct peal_tls_policy *p); /* the strict defaults */

/* Start of the day on which this program was compiled, s, UTC: no clock that
 * is set shows an earlier time. */
int64_t peal_build_time(void);

/* Does a certificate with these names stand for `host`? The name rule alone,
 * for tests and fuzzing.
 *   sans   "DNS:name" and "IP:literal" texts; others are ignored
 *   cn     most specific common name, or NULL; cut at the first '/'
 * 1 yes, 0 no */
int peal_name_matches(const char *host, const char *const *sans, unsigned n,
		      const char *cn, size_t cn_len, int cn_fallback);

/* One certificate of a peer's chain, for traces and lists. */
struct peal_cert_facts {
	char subject[256];
	char issuer[256];
	char serial[64];
	char not_before[21]; /* 2026-11-22T10:15:30Z */
	char not_after[21];
	char sha256[65]; /* fingerprint of the DER, hex */
	unsigned key_bits;
	char key_type[8]; /* RSA, EC */
};

#endif
