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

/* Fingerprints: the SHA-256 of a certificate's DER. Reference counted; no
 * change after the first use. Kept sorted: equal sets have equal digests. */
struct peal_cert_set;
enum peal_err peal_cert_set_new(struct peal_cert_set **out);
struct peal_cert_set *peal_cert_set_ref(struct peal_cert_set *s);
void peal_cert_set_unref(struct peal_cert_set *s);
/* One that is in it already changes nothing. PEAL_ENOMEM */
enum peal_err peal_cert_set_add(struct peal_cert_set *s,
				const unsigned char sha256[32]);
/* NULL is an empty set. */
int peal_cert_set_has(const struct peal_cert_set *s,
		      const unsigned char sha256[32]);
unsigned peal_cert_set_count(const struct peal_cert_set *s);
/* Of the fingerprints in order; of nothing for NULL. */
enum peal_err peal_cert_set_digest(const struct peal_cert_set *s,
				   unsigned char out[32]);

enum peal_anchor_flag {
	PEAL_ANCHOR_PRIVATE = 1, /* no stranger gets certificates under it */
	PEAL_ANCHOR_DATELESS = 2 /* its own dates do not count: accepted */
};

/* Root certificates. Reference counted; no change after the first use. */
enum peal_err peal_anchors_new(struct peal_anchors **out);
/* A set with everything of `base` and what is added to it. The certificates of
 * base are shared, not copied, and base can grow no more; it may be NULL. */
enum peal_err peal_anchors_extend(struct peal_anchors **out,
				  struct peal_anchors *base);
struct peal_anchors *peal_anchors_ref(struct peal_anchors *a);
void peal_anchors_unref(struct peal_anchors *a);
/* PEM (one or many, other text ignored) or one DER certificate. Certificates
 * that are no CA are skipped.
 *   flags   of peal_anchor_flag, for each of them
 *   added   how many came in; may be NULL
 * PEAL_EINVAL (none usable), PEAL_ESTATE (another set extends this one),
 * PEAL_ETOOBIG, PEAL_ENOMEM */
enum peal_err peal_anchors_add(struct peal_anchors *a, const void *bytes,
			       size_t len, unsigned flags, unsigned *added,
			       struct peal_reason *reason);
/* The same from a file. PEAL_ENOENT, PEAL_EPERM, PEAL_EIO, PEAL_ETOOBIG */
enum peal_err peal_anchors_load(struct peal_anchors *a, const char *path,
				unsigned flags, unsigned *added,
				struct peal_reason *reason);
unsigned peal_anchors_count(const struct peal_anchors *a);
/* Of all certificates and flags: equal sets, made alike, have equal ones. */
void peal_anchors_digest(const struct peal_anchors *a, unsigned char out[32]);

/* The cipher suites to offer, from a text in OpenSSL's list syntax
 * (TLS_Cipher_List). RC4, DES, 3DES, NULL, anonymous, export and MD5 suites
 * are never among them; TLS 1.3 suites always are, in front. A blank text gives
 * the default; so does one that leaves nothing, with a note. Reference counted, never changes.
 *   text   NULL: the default
 * PEAL_ENOMEM */
struct peal_ciphers;
enum peal_err peal_ciphers_parse(struct peal_ciphers **out, const char *text);
struct peal_ciphers *peal_ciphers_ref(struct peal_ciphers *c);
void peal_ciphers_unref(struct peal_ciphers *c);
/* Sentences on words that were skipped, and IANA names in order of offer;
 * NULL past the last one. Borrowed from c. */
const char *peal_ciphers_note(const struct peal_ciphers *c, unsigned i);
const char *peal_ciphers_name(const struct peal_ciphers *c, unsigned i);

/* Client certificate (leaf first, then intermediates) and private key, PEM.
 * The key file must not be readable by group or others.
 * PEAL_EKEY (key and certificate do not belong together, cannot be parsed),
 * PEAL_EPERM, PEAL_ENOENT, PEAL_ENOMEM */
enum peal_err peal_identity_load(struct peal_identity **out,
				 const char *cert_path, const char *key_path,
				 struct peal_reason *reason);
struct peal_identity *peal_identity_ref(struct peal_identity *i);
void peal_identity_unref(struct peal_identity *i);

/* Its own certificate, borrowed, and the SHA-256 of that. */
const unsigned char *peal_identity_der(const struct peal_identity *i,
				       size_t *len);
void peal_identity_digest(const struct peal_identity *i, unsigned char out[32]);

enum peal_tls_version { PEAL_TLS_1_2 = 12, PEAL_TLS_1_3 = 13 };

/* How strict a transfer is. Whatever is NULL or 0 asks for nothing special.
 *   anchors, identity  NULL: none (no anchors: every server is refused)
 *   check_name     HTTPS_Name_Validate
 *   cn_fallback    look at the CN where no DNS or IP name is in the SAN
 *   now            s, UTC: the time certificates are judged by; 0: the
 *                  process clock, but not before the build of this program
 *   rejected       one of these anywhere, presented or as the anchor: refused
 *                  before anything else is looked at
 *   pinned         one of these as the server's own certificate: passes, and
 *                  nothing else is looked at
 *   removed        anchors that do not count any more
 *   ciphers        NULL: the default
 *   dns_failure    the sentence of PEAL_ECDNS for when nothing else is wrong;
 *                  NULL: the address is right
 *   once           an exception for this exchange: neither connection nor
 *                  session is kept or taken */
struct peal_tls_policy {
	struct peal_anchors *anchors;
	struct peal_identity *identity;
	enum peal_tls_version min_version;
	int check_name;
	int cn_fallback;
	unsigned min_rsa_bits; /* 0: 2048 */
	int64_t now;
	struct peal_cert_set *rejected;
	struct peal_cert_set *pinned;
	struct peal_cert_set *removed;
	struct peal_ciphers *ciphers;
	const char *dns_failure;
	int once;
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

/* One certificate, for traces and lists.
 *   cn     most specific common name, "" none
 *   is_ca  by its basicConstraints
 *   der    borrowed; NULL: not at hand */
struct peal_cert_facts {
	char subject[256];
	char issuer[256];
	char cn[128];
	char serial[64];
	char not_before[21]; /* 2026-11-22T10:15:30Z */
	char not_after[21];
	int64_t from, to; /* the same in s, UTC */
	char sha256[65];  /* fingerprints of the DER, hex */
	char sha1[41];
	unsigned key_bits;
	char key_type[8]; /* RSA, EC */
	int is_ca;
	int self_signed;
	const unsigned char *der;
	size_t der_len;
};

/* Each certificate of a PEM text (other text is ignored), one DER certificate
 * or a certs-only PKCS #7 in DER goes to `fn`, in order; what fn returns other
 * than PEAL_OK ends it and comes back.
 * PEAL_EINVAL (none in it), PEAL_ECORRUPT (one is broken: `reason` says which
 * and where), PEAL_ETOOBIG (bytes or certificates), PEAL_ENOMEM */
typedef enum peal_err (*peal_cert_fn)(const struct peal_cert_facts *facts,
				      void *arg);
enum peal_err peal_certs_read(const void *bytes, size_t len, peal_cert_fn fn,
			      void *arg, struct peal_reason *reason);

/* The same for each certificate of a set, base included; der is borrowed from
 * the set. NULL has none. */
enum peal_err peal_anchors_each(const struct peal_anchors *a, peal_cert_fn fn,
				void *arg);

/* Names of a DER certificate ("DNS:x", "IP:x", "email:x", "URI:x"), and what
 * it may be used for ("serverAuth", "clientAuth", dotted numbers of others;
 * none: anything). Control characters show as '?'.
 * PEAL_ECORRUPT (not a certificate), PEAL_ENOMEM */
typedef enum peal_err (*peal_text_fn)(const char *text, void *arg);
enum peal_err peal_cert_sans(const void *der, size_t len, peal_text_fn fn,
			     void *arg);
enum peal_err peal_cert_purposes(const void *der, size_t len, peal_text_fn fn,
				 void *arg);

#endif
