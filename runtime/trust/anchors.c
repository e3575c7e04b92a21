/* anchors.c - root certificates, parsed once. See peal/trust.h */
#include <fcntl.h>
#include <string.h>

#include "decode/crypto.h"
#include "file.h"
#include "peal/alloc.h"
#include "pem.h"
#include "trust.h"

enum peal_err peal_anchors_extend(struct peal_anchors **out,
				  struct peal_anchors *base)
{
	struct peal_anchors *a;

	if (!out)
		return PEAL_EINVAL;
	a = peal_zalloc(sizeof(*a));
	if (!a)
		return PEAL_ENOMEM;
	a->refs = 1;
	a->end = &a->first;
	if (base) {
		base->extended = 1;
		a->base = peal_anchors_ref(base);
		a->first = base->first;
		a->count = base->count;
		memcpy(a->digest, base->digest, sizeof(a->digest));
	}
	*out = a;
	return PEAL_OK;
}

enum peal_err peal_anchors_new(struct peal_anchors **out)
{
	return peal_anchors_extend(out, NULL);
}

struct peal_anchors *peal_anchors_ref(struct peal_anchors *a)
{
	if (a)
		a->refs++;
	return a;
}

static void free_anchor(struct peal_anchor *anchor)
{
	anchor->crt.next = NULL; /* each is a block of ours */
	mbedtls_x509_crt_free(&anchor->crt);
	peal_free(anchor);
}

void peal_anchors_unref(struct peal_anchors *a)
{
	mbedtls_x509_crt *crt, *next, *others;

	if (!a || --a->refs)
		return;
	others = *a->end;
	for (crt = a->first; crt != others; crt = next) {
		next = crt->next;
		free_anchor((struct peal_anchor *)crt);
	}
	peal_anchors_unref(a->base);
	peal_free(a);
}

enum peal_err peal_anchors_each(const struct peal_anchors *a, peal_cert_fn fn,
				void *arg)
{
	const mbedtls_x509_crt *crt = a ? a->first : NULL;
	struct peal_cert_facts facts;
	enum peal_err err = PEAL_OK;

	for (; crt && !err; crt = crt->next) {
		peal_cert_facts_of(
			crt, ((const struct peal_anchor *)crt)->sha256, &facts);
		err = fn(&facts, arg);
	}
	return err;
}

unsigned peal_anchors_count(const struct peal_anchors *a)
{
	return a ? a->count : 0;
}

void peal_anchors_digest(const struct peal_anchors *a, unsigned char out[32])
{
	static const unsigned char none[PEAL_DIGEST_SIZE];

	memcpy(out, a ? a->digest : none, PEAL_DIGEST_SIZE);
}

/* digest = SHA-256(digest of the set so far, fingerprint, flags) */
static enum peal_err digest_add(unsigned char digest[PEAL_DIGEST_SIZE],
				const struct peal_anchor *anchor)
{
	unsigned char all[2 * PEAL_DIGEST_SIZE + 1];

	memcpy(all, digest, PEAL_DIGEST_SIZE);
	memcpy(all + PEAL_DIGEST_SIZE, anchor->sha256, PEAL_DIGEST_SIZE);
	all[2 * PEAL_DIGEST_SIZE] = (unsigned char)anchor->flags;
	return peal_sha256(all, sizeof(all), digest);
}

static enum peal_err take(struct peal_anchors *a, struct peal_anchor *anchor)
{
	enum peal_err err = peal_sha256(anchor->crt.raw.p, anchor->crt.raw.len,
					anchor->sha256);

	if (!err)
		err = digest_add(a->digest, anchor);
	if (err)
		return err;
	anchor->crt.next = *a->end;
	*a->end = &anchor->crt;
	a->end = &anchor->crt.next;
	a->count++;
	return PEAL_OK;
}

/* A root with a key or digest we do not know is skipped, as in any bundle from
 * the web. */
static enum peal_err add_der(struct peal_anchors *a, const unsigned char *der,
			     size_t len, unsigned flags, unsigned *added)
{
	struct peal_anchor *anchor = peal_zalloc(sizeof(*anchor));
	enum peal_err err = PEAL_OK;
	int rc;

	if (!anchor)
		return PEAL_ENOMEM;
	mbedtls_x509_crt_init(&anchor->crt);
	anchor->flags = flags;
	rc = mbedtls_x509_crt_parse_der(&anchor->crt, der, len);
	if (peal_no_memory(rc))
		err = PEAL_ENOMEM;
	else if (rc == 0 && peal_cert_may_be_root(&anchor->crt)) {
		err = take(a, anchor);
		if (!err) {
			(*added)++;
			return PEAL_OK;
		}
	}
	free_anchor(anchor);
	return err;
}

static enum peal_err add_text(struct peal_anchors *a, const unsigned char *text,
			      size_t len, unsigned flags, unsigned *added,
			      struct peal_reason *reason)
{
	struct peal_pem pem;
	unsigned n = 0;
	enum peal_err err = PEAL_OK;

	if (a->extended)
		return peal_fail(reason, PEAL_ESTATE,
				 "other sets share these certificates: add to "
				 "a new set");
	if (peal_is_der(text, len)) {
		err = add_der(a, text, len, flags, &n);
	} else {
		peal_pem_init(&pem, (const char *)text);
		while (!err && peal_pem_next(&pem))
			err = pem.err == PEAL_ECORRUPT ? PEAL_OK :
			      pem.err                  ? pem.err :
					add_der(a, pem.der, pem.len, flags, &n);
		peal_pem_fini(&pem);
	}
	if (added)
		*added = n;
	if (!err && n == 0)
		err = peal_fail(reason, PEAL_EINVAL,
				"no usable CA certificate in it");
	return err;
}

enum peal_err peal_anchors_add(struct peal_anchors *a, const void *bytes,
			       size_t len, unsigned flags, unsigned *added,
			       struct peal_reason *reason)
{
	char *text;
	enum peal_err err;

	peal_reason_clear(reason);
	if (added)
		*added = 0;
	if (!a || !bytes)
		return PEAL_EINVAL;
	if (len > PEAL_LIMIT_PEM)
		return peal_fail(reason, PEAL_ETOOBIG,
				 "certificates larger than %d bytes",
				 PEAL_LIMIT_PEM);
	text = peal_memdup0(bytes, len);
	if (!text)
		return PEAL_ENOMEM;
	err = add_text(a, (unsigned char *)text, len, flags, added, reason);
	peal_free(text);
	return err;
}

enum peal_err peal_anchors_load(struct peal_anchors *a, const char *path,
				unsigned flags, unsigned *added,
				struct peal_reason *reason)
{
	struct peal_buf text;
	enum peal_err err;

	peal_reason_clear(reason);
	if (added)
		*added = 0;
	if (!a || !path)
		return PEAL_EINVAL;
	peal_buf_init(&text, PEAL_LIMIT_PEM);
	err = peal_file_read(AT_FDCWD, path, 0, &text, reason);
	if (!err && !peal_buf_cstr(&text))
		err = PEAL_ENOMEM;
	if (!err)
		err = add_text(a, text.data, text.len, flags, added, reason);
	peal_buf_fini(&text);
	return err;
}
