/* decode.h - from the bytes of a transfer to parameter elements, in one pass.
 *
 *   bytes -> HTTP content codings, last first (aes128gcm, gzip, deflate)
 *         -> AES-256-CBC as `openssl enc` writes it, when a key is given
 *         -> gunzip, when it begins 1f 8b
 *         -> flat-profile XML
 *
 * Everything streams through small windows; the inflated text is never held.
 * Keys and what is derived from them are wiped.
 * Source    MPP administration guide, "Provisioning formats" (encryption,
 *           compression); RFC 1950-1952; RFC 8188. */
#ifndef PEAL_DECODE_H
#define PEAL_DECODE_H

#include <stddef.h>

#include "peal/buf.h"
#include "peal/element.h"
#include "peal/error.h"
#include "peal/profile.h"

/*   key       argument of --key, or NULL: not encrypted with AES-256-CBC
 *   ikm       parameter IKM_HTTP_Encrypt_Content, or NULL: none; "base64:",
 *             "base64url:" and "hex:" prefixes are understood here
 *   codings   value of Content-Encoding ("gzip, aes128gcm"), or NULL
 *   aliases   see profile.h */
struct peal_decode_options {
	const char *key;
	size_t key_len;
	const char *ikm;
	size_t ikm_len;
	const char *codings;
	const struct peal_alias *aliases;
	unsigned aliases_n;
};

/* The steps taken, outermost first, such as "aes-256-cbc (md5)", "gzip",
 * "xml"; and sizes. For traces; holds no secret. */
#define PEAL_DECODE_STEPS 8
struct peal_decode_facts {
	const char *steps[PEAL_DECODE_STEPS]; /* static texts */
	unsigned steps_n;
	size_t bytes_in;
	size_t bytes_plain; /* length of the plain text */
};

/* Whole chain into a sink (peal_txn_element).
 *   facts   may be NULL; filled as far as it went
 * PEAL_ECORRUPT, PEAL_ETOOBIG, PEAL_ECODING (unknown coding), PEAL_EINVAL
 * (empty key), PEAL_ENOMEM, or what the sink returned. An input of no bytes
 * and no key is an empty profile: PEAL_OK, no elements. After AES-256-CBC all
 * further faults have one text and no place: no oracle. Only PEAL_ETOOBIG is
 * told apart, which takes the key to bring about. What is wrong inside is found
 * by decoding to bytes first.
 * The sink may have been called before a fault is found: on any error the
 * caller drops what it was given.
 * Memory: about 150 KB, and libxml2's list of names (250 KB for 2,500 of them,
 * 4 MB at most); aes128gcm holds one record. */
enum peal_err peal_decode(const void *bytes, size_t len,
			  const struct peal_decode_options *options,
			  peal_element_fn sink, void *arg,
			  struct peal_decode_facts *facts,
			  struct peal_reason *reason);

/* The same chain without the XML: plain text to `out`, in pieces. */
typedef enum peal_err (*peal_bytes_fn)(const void *bytes, size_t len,
				       void *arg);
enum peal_err peal_decode_bytes(const void *bytes, size_t len,
				const struct peal_decode_options *options,
				peal_bytes_fn out, void *arg,
				struct peal_decode_facts *facts,
				struct peal_reason *reason);

/* What peal_encode_gzip() made, added to `out`, whose maximum is the limit:
 * one member and nothing behind it.
 * PEAL_ECORRUPT, PEAL_ETOOBIG, PEAL_ENOMEM */
enum peal_err peal_gunzip(const void *bytes, size_t len, struct peal_buf *out,
			  struct peal_reason *reason);

#endif
