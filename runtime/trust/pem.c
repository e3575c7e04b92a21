/* pem.c - the certificates of a PEM text, one after the other. RFC 7468 */
#include "pem.h"

#include <string.h>

#include "peal/limits.h"

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char end[] = "-----END CERTIFICATE-----";

void peal_pem_init(struct peal_pem *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	p->text = text;
	p->at = text;
	mbedtls_pem_init(&p->block);
}

void peal_pem_fini(struct peal_pem *p)
{
	mbedtls_pem_free(&p->block);
}

static enum peal_err read_block(struct peal_pem *p)
{
	size_t used = 0;
	int rc;

	mbedtls_pem_free(&p->block);
	mbedtls_pem_init(&p->block);
	rc = mbedtls_pem_read_buffer(&p->block, begin, end,
				     (const unsigned char *)p->at, NULL, 0,
				     &used);
	if (rc == 0) {
		p->der = mbedtls_pem_get_buffer(&p->block, &p->len);
		p->at += used;
		return PEAL_OK;
	}
	/* not behind its last line: that may be the next one's */
	p->at += strlen(begin);
	return rc == MBEDTLS_ERR_PEM_ALLOC_FAILED ? PEAL_ENOMEM : PEAL_ECORRUPT;
}

/* The number of blocks is bounded, and broken ones count: each makes the
 * library look for its end in all the text behind it. */
int peal_pem_next(struct peal_pem *p)
{
	const char *block = strstr(p->at, begin);

	p->der = NULL;
	p->len = 0;
	if (!block || p->err == PEAL_ETOOBIG)
		return 0;
	p->at = block;
	p->byte = (size_t)(block - p->text);
	p->err = ++p->n > PEAL_LIMIT_CERTS ? PEAL_ETOOBIG : read_block(p);
	return 1;
}
