/* der.c - see der.h */
#include "trust/der.h"

#include "peal/alloc.h"
#include "trust/key.h"

enum peal_err peal_der_init(struct peal_der *w, size_t size)
{
	w->rc = 0;
	w->start = peal_alloc(size);
	w->p = w->end = w->start ? w->start + size : NULL;
	return w->start ? PEAL_OK : PEAL_ENOMEM;
}

void peal_der_fini(struct peal_der *w)
{
	peal_free(w->start);
	w->start = w->p = w->end = NULL;
}

enum peal_err peal_der_error(const struct peal_der *w)
{
	return w->rc ? peal_err_pk(w->rc, PEAL_EINTERNAL) : PEAL_OK;
}

size_t peal_der_len(const struct peal_der *w)
{
	return (size_t)(w->end - w->p);
}

static void done(struct peal_der *w, int rc)
{
	if (rc < 0 && !w->rc)
		w->rc = rc;
}

void peal_der_raw(struct peal_der *w, const void *bytes, size_t len)
{
	if (len)
		done(w, mbedtls_asn1_write_raw_buffer(&w->p, w->start, bytes,
						      len));
}

void peal_der_wrap(struct peal_der *w, const unsigned char *end, int tag)
{
	done(w, mbedtls_asn1_write_len(&w->p, w->start, (size_t)(end - w->p)));
	done(w, mbedtls_asn1_write_tag(&w->p, w->start, (unsigned char)tag));
}

void peal_der_bytes(struct peal_der *w, int tag, const void *bytes, size_t len)
{
	const unsigned char *end = w->p;

	peal_der_raw(w, bytes, len);
	peal_der_wrap(w, end, tag);
}

void peal_der_oid(struct peal_der *w, const char *bytes, size_t len)
{
	peal_der_bytes(w, MBEDTLS_ASN1_OID, bytes, len);
}

void peal_der_int(struct peal_der *w, int value)
{
	done(w, mbedtls_asn1_write_int(&w->p, w->start, value));
}

void peal_der_bool(struct peal_der *w, int on)
{
	done(w, mbedtls_asn1_write_bool(&w->p, w->start, on));
}

void peal_der_flags(struct peal_der *w, unsigned char flags)
{
	done(w, mbedtls_asn1_write_named_bitstring(&w->p, w->start, &flags, 8));
}

void peal_der_wrap_bits(struct peal_der *w, const unsigned char *end)
{
	static const unsigned char unused_bits = 0;

	peal_der_raw(w, &unused_bits, 1);
	peal_der_wrap(w, end, MBEDTLS_ASN1_BIT_STRING);
}
