/* key.h - private keys: made here or read from a file, never shown.
 *
 * What a key is used for are certificates (issue.h), identities (trust.h) and
 * the keyring (keyring.h). No function gives the private part away; it is
 * wiped when the last reference goes.
 * Threads   one thread per host; only the making of an RSA key, which takes
 *           seconds, has a thread of libuv's pool.
 * Source    RFC 5915 (EC), RFC 8017 (RSA), RFC 5208 (PKCS #8). */
#ifndef PEAL_KEY_H
#define PEAL_KEY_H

#include <stddef.h>

#include "peal/buf.h"
#include "peal/error.h"
#include "peal/limits.h"

struct peal_key;
struct peal_key_job;
struct peal_loop;

/* Make one: "P-256", "P-384", or "RSA-2048" to "RSA-4096" in steps of 8. RSA
 * keys block for as long as it takes: use peal_key_start() on a loop.
 * PEAL_EINVAL (no such kind), PEAL_ENOMEM */
enum peal_err peal_key_new(struct peal_key **out, const char *kind,
			   struct peal_reason *reason);

/* PKCS #8, SEC 1 or PKCS #1, in PEM or DER, without a password.
 * PEAL_EKEY, PEAL_ENOMEM */
enum peal_err peal_key_parse(struct peal_key **out, const void *pem, size_t len,
			     struct peal_reason *reason);
/* The same from a file that is ours, no link, and that only we can read.
 * PEAL_EPERM, PEAL_ENOENT, PEAL_EIO, PEAL_ETOOBIG, PEAL_EKEY, PEAL_ENOMEM */
enum peal_err peal_key_load(struct peal_key **out, const char *path,
			    struct peal_reason *reason);

struct peal_key *peal_key_ref(struct peal_key *k); /* takes NULL */
void peal_key_unref(struct peal_key *k);           /* takes NULL */

/* "P-256", "RSA-2048" ... */
const char *peal_key_kind(const struct peal_key *k);
/* The public part, SubjectPublicKeyInfo (RFC 5280 4.1.2.7) in DER, added to
 * `out`. PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_key_public(const struct peal_key *k, struct peal_buf *out);
/* 1: this DER certificate is for the key; 0: for another, or not one. */
int peal_key_fits(const struct peal_key *k, const void *cert, size_t len);

/* Called from the loop. key: owned by who is called; NULL on an error. */
typedef void (*peal_key_fn)(enum peal_err err, struct peal_key *key, void *arg);
/* Make one without holding up the loop.
 *   out   for peal_key_cancel() until `done` was called; may be NULL
 * PEAL_EINVAL, PEAL_ENOMEM */
enum peal_err peal_key_start(struct peal_key_job **out, struct peal_loop *l,
			     const char *kind, peal_key_fn done, void *arg,
			     struct peal_reason *reason);
/* `done` gets PEAL_ECANCELED from the loop; takes NULL. */
void peal_key_cancel(struct peal_key_job *job);

#endif
