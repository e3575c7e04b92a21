/* der.h - write DER from the end towards the beginning. Private to runtime/.
 *
 *	const unsigned char *end = w.p;
 *	peal_der_bytes(&w, MBEDTLS_ASN1_OID, oid, oid_len);
 *	peal_der_wrap(&w, end, MBEDTLS_ASN1_SEQUENCE | CONSTRUCTED);
 *
 * mbedTLS writes certificates too, but makes issuer and subject anew from
 * text: the octets of an issuer must be those of the CA's own certificate.
 * The first error sticks; what is written after it does not matter. */
#ifndef PEAL_TRUST_DER_H
#define PEAL_TRUST_DER_H

#include <mbedtls/asn1write.h>
#include <stddef.h>

#include "peal/error.h"

enum {
	PEAL_DER_SEQUENCE = MBEDTLS_ASN1_SEQUENCE | MBEDTLS_ASN1_CONSTRUCTED,
	PEAL_DER_SET = MBEDTLS_ASN1_SET | MBEDTLS_ASN1_CONSTRUCTED,
	PEAL_DER_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC /* | number */
};

/* Bytes and length of one of the library's OIDs. */
#define PEAL_OID(text) text, sizeof(text) - 1

struct peal_der {
	unsigned char *start, *p, *end;
	int rc; /* of mbedTLS; 0: fine so far */
};

/* Room for `size` bytes. PEAL_ENOMEM */
enum peal_err peal_der_init(struct peal_der *w, size_t size);
void peal_der_fini(struct peal_der *w);
enum peal_err peal_der_error(const struct peal_der *w);
size_t peal_der_len(const struct peal_der *w);

void peal_der_raw(struct peal_der *w, const void *bytes, size_t len);
/* `end` is where w->p was before the contents were written. */
void peal_der_wrap(struct peal_der *w, const unsigned char *end, int tag);
void peal_der_bytes(struct peal_der *w, int tag, const void *bytes, size_t len);
void peal_der_oid(struct peal_der *w, const char *bytes, size_t len);
void peal_der_int(struct peal_der *w, int value);
void peal_der_bool(struct peal_der *w, int on);
/* A BIT STRING of named bits, such as keyUsage. */
void peal_der_flags(struct peal_der *w, unsigned char flags);
/* A BIT STRING whose contents were written since `end`. */
void peal_der_wrap_bits(struct peal_der *w, const unsigned char *end);

#endif
