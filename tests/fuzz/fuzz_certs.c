/* fuzz_certs.c - certificates as they are imported: PEM, DER, PKCS #7; then
 * their names, the name rule on them, and as roots. */
#include <mbedtls/x509_crt.h>

#include "peal/trust.h"
#include "trust/trust.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static enum peal_err pass_text(const char *text, void *arg)
{
	(void)arg;
	return text[0] ? PEAL_OK : PEAL_EINVAL;
}

static void name_rule(const struct peal_cert_facts *facts)
{
	struct peal_reason why;
	mbedtls_x509_crt crt;

	mbedtls_x509_crt_init(&crt);
	if (mbedtls_x509_crt_parse_der(&crt, facts->der, facts->der_len) == 0) {
		peal_cert_name_check(&crt, "pv.telco.net", 1, &why);
		peal_cert_name_check(&crt, "192.168.1.200", 1, &why);
	}
	mbedtls_x509_crt_free(&crt);
}

static enum peal_err on_cert(const struct peal_cert_facts *facts, void *arg)
{
	unsigned *n = arg;

	peal_cert_sans(facts->der, facts->der_len, pass_text, NULL);
	peal_cert_purposes(facts->der, facts->der_len, pass_text, NULL);
	name_rule(facts);
	return ++*n < 8 ? PEAL_OK : PEAL_ECANCELED;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct peal_anchors *a;
	struct peal_reason reason;
	unsigned n = 0;

	peal_certs_read(data, size, on_cert, &n, &reason);
	if (peal_anchors_new(&a) == PEAL_OK) {
		peal_anchors_add(a, data, size, PEAL_ANCHOR_DATELESS, NULL,
				 &reason);
		peal_anchors_unref(a);
	}
	return 0;
}
