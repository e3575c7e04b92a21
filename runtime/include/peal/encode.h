/* encode.h - the other direction: files a phone, or `openssl enc -d`, reads.
 *
 * Each appends to `out` and leaves it as it was on failure. Random octets
 * (salts) are handed in: a cycle takes them from its world. */
#ifndef PEAL_ENCODE_H
#define PEAL_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "peal/buf.h"
#include "peal/error.h"

/* gzip file (RFC 1952), level 0..9, no name, time 0: same bytes each time. */
enum peal_err peal_encode_gzip(const void *bytes, size_t len, int level,
			       struct peal_buf *out);

enum peal_kdf { PEAL_KDF_MD5, PEAL_KDF_SHA256, PEAL_KDF_PBKDF2 };

/* "Salted__", salt, AES-256-CBC, as `openssl enc -aes-256-cbc -md md5 -k KEY`.
 * PEAL_EINVAL (empty key), PEAL_ELIMIT, PEAL_ENOMEM */
enum peal_err peal_encode_aes(const void *bytes, size_t len, const char *key,
			      size_t key_len, enum peal_kdf kdf,
			      const unsigned char salt[8],
			      struct peal_buf *out);

/* RFC 8188 aes128gcm with an empty keyid.
 *   record_size  at least 18 */
enum peal_err peal_encode_aes128gcm(const void *bytes, size_t len,
				    const char *ikm, size_t ikm_len,
				    const unsigned char salt[16],
				    uint32_t record_size, struct peal_buf *out);

/* For state at rest: AES-256-GCM in one piece, a random nonce in front and the
 * tag behind. Not for more than 2^32 pieces under one key (SP 800-38D 8.3).
 * PEAL_ELIMIT, PEAL_ENOMEM, PEAL_EIO (no random octets) */
enum { PEAL_SEAL_KEY = 32 };
enum peal_err peal_seal(const unsigned char key[PEAL_SEAL_KEY],
			const void *bytes, size_t len, struct peal_buf *out);
/* PEAL_ECORRUPT: another key, or damaged */
enum peal_err peal_unseal(const unsigned char key[PEAL_SEAL_KEY],
			  const void *bytes, size_t len, struct peal_buf *out);

/* The key of a passphrase: PBKDF2-HMAC-SHA-256 (RFC 8018). 600,000 rounds are
 * what OWASP asks for; a desk takes a quarter of a second for them, a phone
 * more, and nothing else runs meanwhile.
 *   iterations  1..PEAL_STRETCH_MAX: a file that names more is refused, not
 *               waited for
 * PEAL_EINVAL, PEAL_ENOMEM */
enum { PEAL_STRETCH_MAX = 10000000 };
enum peal_err peal_stretch(const char *passphrase, size_t len, const void *salt,
			   size_t salt_len, unsigned iterations,
			   unsigned char key[PEAL_SEAL_KEY]);

/* SHA-256 of what comes in pieces, such as a firmware image. An error sticks:
 * add may be called unchecked, hex reports.
 * PEAL_ENOMEM, PEAL_EINTERNAL */
struct peal_digest;
enum { PEAL_DIGEST_HEX = 64 + 1 };
enum peal_err peal_digest_new(struct peal_digest **out);
void peal_digest_free(struct peal_digest *d); /* takes NULL */
void peal_digest_add(struct peal_digest *d, const void *bytes, size_t len);
/* Of all that was added so far, lower case, with a NUL; more may follow. */
enum peal_err peal_digest_hex(const struct peal_digest *d,
			      char out[PEAL_DIGEST_HEX]);

#endif
