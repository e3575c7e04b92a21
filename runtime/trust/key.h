/* key.h - a private key as the runtime uses it. Private to runtime/. */
#ifndef PEAL_TRUST_KEY_H
#define PEAL_TRUST_KEY_H

#include <mbedtls/pk.h>

#include "peal/key.h"

enum { PEAL_KEY_KIND_SIZE = 16 };

struct peal_key {
	unsigned refs;
	mbedtls_pk_context pk;
	char kind[PEAL_KEY_KIND_SIZE];
};

/* An RSA key of our own shorter than this is refused (NIST SP 800-131A). */
enum { PEAL_OWN_RSA_BITS = 2048 };

/* Dice for mbedTLS, from the system. */
int peal_key_dice(void *arg, unsigned char *out, size_t len);
/* Is it the private part of this one? PEAL_EKEY: no; PEAL_ENOMEM */
enum peal_err peal_key_check(const struct peal_key *k,
			     const mbedtls_pk_context *public_);
/* The private key as PEM, added to `out`, which is a secret then. */
enum peal_err peal_key_pem(const struct peal_key *k, struct peal_buf *out);
/* Error for what a call of mbedTLS's returned: its lack of memory, or `else_`
 */
enum peal_err peal_err_pk(int rc, enum peal_err else_);

#endif
