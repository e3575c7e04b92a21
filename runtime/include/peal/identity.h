/* identity.h - who the phone says it is, from a key at hand or one elsewhere.
 *
 * Beside peal_identity_load() (trust.h), which reads a pair of files.
 * Source    RFC 5246 7.4.8, RFC 8446 4.4.3: what a client signs. */
#ifndef PEAL_IDENTITY_H
#define PEAL_IDENTITY_H

#include <stddef.h>

#include "peal/error.h"
#include "peal/key.h"
#include "peal/trust.h"

enum { PEAL_SIGNATURE_MAX = 1024 };

/* From certificates (PEM, leaf first) and the leaf's key, of which a reference
 * is kept. PEAL_EKEY, PEAL_ENOMEM */
enum peal_err peal_identity_new(struct peal_identity **out,
				const void *cert_pem, size_t len,
				struct peal_key *key,
				struct peal_reason *reason);

/* Signs inside a handshake, so it must not wait, and not start a fetch.
 *   algorithm  "ecdsa-sha256" (the answer is DER, RFC 3279 2.2.3),
 *              "rsa-pkcs1-sha256" (RFC 8017 8.2; TLS 1.2), "rsa-pss-sha256"
 *              (8.1, MGF1 and salt by the same digest; TLS 1.3), or with
 *              sha384 or sha512 in its place
 *   hash       of what is signed, by that digest
 *   sig        room for PEAL_SIGNATURE_MAX bytes
 * An error, the reason of which a person gets to read, ends the handshake. */
typedef enum peal_err (*peal_sign_fn)(const char *algorithm,
				      const unsigned char *hash,
				      size_t hash_len, unsigned char *sig,
				      size_t *sig_len,
				      struct peal_reason *reason, void *arg);

/* From certificates whose key stays in a secure element, or another process.
 * EC P-256 and P-384, RSA from 2048 bits on. Whether the certificate is for
 * the key shows in the first handshake.
 *   drop   called with arg when the last reference goes; may be NULL. Not
 *          called when this fails
 * PEAL_EKEY, PEAL_ENOMEM; PEAL_ESTATE (a libmbedtls of the system's, which has
 * no place for such keys) */
enum peal_err peal_identity_signer(struct peal_identity **out,
				   const void *cert_pem, size_t len,
				   peal_sign_fn fn, void *arg,
				   void (*drop)(void *arg),
				   struct peal_reason *reason);

#endif
