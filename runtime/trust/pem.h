/* pem.h - the certificates of a PEM text, one after the other. Private.
 *
 *	peal_pem_init(&p, text);
 *	while (peal_pem_next(&p))
 *		... p.err, or p.der and p.len
 *	peal_pem_fini(&p);
 *
 * Other text between them is passed over. */
#ifndef PEAL_TRUST_PEM_H
#define PEAL_TRUST_PEM_H

#include <mbedtls/pem.h>
#include <stddef.h>

#include "peal/error.h"

/*   der    of this certificate, until the next one is asked for
 *   n      which one it is, from 1; broken ones count
 *   byte   where it begins in the text
 *   err    PEAL_OK; PEAL_ECORRUPT (this one is broken), PEAL_ETOOBIG (there
 *          are more than PEAL_LIMIT_CERTS), PEAL_ENOMEM */
struct peal_pem {
	const char *text, *at;
	mbedtls_pem_context block;
	const unsigned char *der;
	size_t len;
	unsigned n;
	size_t byte;
	enum peal_err err;
};

/* The text is borrowed. */
void peal_pem_init(struct peal_pem *p, const char *text);
int peal_pem_next(struct peal_pem *p); /* 0: no more */
void peal_pem_fini(struct peal_pem *p);

#endif
