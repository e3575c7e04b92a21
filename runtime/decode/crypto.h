/* crypto.h - the few cryptographic calls of the runtime, all through PSA.
 *
 * Private to runtime/. No other file calls PSA: mbedTLS 4 keeps only this
 * interface, and a maker's chip may stand behind it. Every call initialises
 * PSA (free after the first time, safe between threads). Keys are imported,
 * used and destroyed at once: builds without a growing key store have 32
 * slots per process.
 * Errors: PEAL_ENOMEM, PEAL_EINTERNAL (the library lacks the algorithm). */
#ifndef PEAL_CRYPTO_H
#define PEAL_CRYPTO_H

#include <psa/crypto.h>
#include <stddef.h>

#include "peal/error.h"

enum {
	PEAL_MD5_SIZE = 16,
	PEAL_SHA1_SIZE = 20, /* to show, never to rely on */
	PEAL_SHA256_SIZE = 32,
	PEAL_AES_BLOCK = 16,
	PEAL_AES256_KEY = 32,
	PEAL_GCM_KEY = 16,
	PEAL_GCM_NONCE = 12,
	PEAL_GCM_TAG = 16
};

enum peal_err peal_crypto_init(void);

/* Octets from the system, never from a generator that a fork would copy.
 * PEAL_EIO */
enum peal_err peal_random(void *out, size_t len);

enum peal_err peal_md5(const void *bytes, size_t len,
		       unsigned char out[PEAL_MD5_SIZE]);
enum peal_err peal_sha1(const void *bytes, size_t len,
			unsigned char out[PEAL_SHA1_SIZE]);
enum peal_err peal_sha256(const void *bytes, size_t len,
			  unsigned char out[PEAL_SHA256_SIZE]);
/* Lower case and a NUL: 2 * len + 1 bytes. */
void peal_hex(const void *bytes, size_t len, char *out);
enum peal_err peal_hmac_sha256(const void *key, size_t key_len,
			       const void *bytes, size_t len,
			       unsigned char out[PEAL_SHA256_SIZE]);
/* PBKDF2-HMAC-SHA-256 (RFC 8018). PSA has it in some builds only, so it is
 * made of the hash here. */
enum peal_err peal_pbkdf2(const void *password, size_t password_len,
			  const void *salt, size_t salt_len,
			  unsigned iterations, unsigned char *out, size_t len);

/* A digest in pieces. After init, fini is due whatever happens; it may run
 * twice. An error sticks: add may be called unchecked, final reports. */
enum peal_hash_kind { PEAL_HASH_MD5, PEAL_HASH_SHA256 };
struct peal_hash {
	psa_hash_operation_t op;
	size_t size; /* of the digest */
	enum peal_err err;
};
enum peal_err peal_hash_init(struct peal_hash *h, enum peal_hash_kind kind);
void peal_hash_add(struct peal_hash *h, const void *bytes, size_t len);
/* out has room for the digest of the kind */
enum peal_err peal_hash_final(struct peal_hash *h, unsigned char *out);
/* The digest of what was added so far; more may follow. */
enum peal_err peal_hash_peek(const struct peal_hash *h, unsigned char *out);
void peal_hash_fini(struct peal_hash *h);

/* AES-256-CBC without padding, in pieces of whole blocks. */
struct peal_cbc {
	psa_cipher_operation_t op;
};
enum peal_way { PEAL_DECRYPT, PEAL_ENCRYPT };
enum peal_err peal_cbc_init(struct peal_cbc *c, enum peal_way way,
			    const unsigned char key[PEAL_AES256_KEY],
			    const unsigned char iv[PEAL_AES_BLOCK]);
/* len: a multiple of PEAL_AES_BLOCK; out: as long, not overlapping. */
enum peal_err peal_cbc_run(struct peal_cbc *c, const unsigned char *in,
			   size_t len, unsigned char *out);
void peal_cbc_fini(struct peal_cbc *c); /* may run twice */

/* AES-GCM, one record: `len` counts the tag behind the cipher text.
 *   key   of PEAL_GCM_KEY or PEAL_AES256_KEY bytes
 *   out   len - PEAL_GCM_TAG bytes
 * PEAL_ECORRUPT when the tag does not fit; out is not plain text then. */
struct peal_gcm {
	psa_key_id_t key;
};
enum peal_err peal_gcm_init(struct peal_gcm *g, enum peal_way way,
			    const unsigned char *key, size_t key_len);
enum peal_err peal_gcm_open(struct peal_gcm *g,
			    const unsigned char nonce[PEAL_GCM_NONCE],
			    const unsigned char *in, size_t len,
			    unsigned char *out);
/* out: len + PEAL_GCM_TAG bytes */
enum peal_err peal_gcm_seal(struct peal_gcm *g,
			    const unsigned char nonce[PEAL_GCM_NONCE],
			    const unsigned char *in, size_t len,
			    unsigned char *out);
void peal_gcm_fini(struct peal_gcm *g); /* may run twice */

#endif
