/* signer.h - a key of mbedTLS's whose signatures come from elsewhere. Private
 * to runtime/. */
#ifndef PEAL_TRUST_SIGNER_H
#define PEAL_TRUST_SIGNER_H

#include <mbedtls/pk.h>

#include "peal/identity.h"

/* Part of an identity; the key points to it. */
struct peal_signer {
	peal_sign_fn fn; /* NULL: not a signer */
	void *arg;
	void (*drop)(void *arg);
	size_t bits;
	int failed; /* the last signature was refused, for this reason: */
	struct peal_reason reason;
};

/* Make `pk`, initialised, sign through `s` for the key of `public`.
 * PEAL_ESTATE, PEAL_EKEY */
enum peal_err peal_signer_setup(struct peal_signer *s, mbedtls_pk_context *pk,
				const mbedtls_pk_context *public_,
				struct peal_reason *reason);

/* A handshake begins. */
void peal_identity_begin(struct peal_identity *i);
/* Why the identity's key did not sign in the handshake that began last, or
 * NULL; takes NULL. */
const struct peal_reason *peal_identity_trouble(const struct peal_identity *i);

#endif
