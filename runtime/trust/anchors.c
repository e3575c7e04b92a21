/* anchors.c - root certificates, parsed once. See peal/trust.h */
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "trust.h"

static enum peal_err check_file(int fd, const char *path, unsigned forbidden,
				size_t *size, struct peal_reason *reason)
{
	struct stat st;

	if (fstat(fd, &st))
		return PEAL_EIO;
	if (!S_ISREG(st.st_mode))
		return peal_fail(reason, PEAL_EINVAL, "%s is not a file", path);
	if (st.st_mode & forbidden)
		return peal_fail(reason, PEAL_EPERM,
				 "%s can be read by others; type: chmod 600 %s",
				 path, path);
	if (st.st_size > PEAL_LIMIT_PEM)
		return peal_fail(reason, PEAL_ETOOBIG,
				 "%s is larger than %d bytes", path,
				 PEAL_LIMIT_PEM);
	*size = (size_t)st.st_size;
	return PEAL_OK;
}

static enum peal_err read_all(int fd, unsigned char *to, size_t size,
			      size_t *len)
{
	ssize_t n;

	*len = 0;
	while (*len < size) {
		n = read(fd, to + *len, size - *len);
		if (n < 0)
			return PEAL_EIO;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return PEAL_OK;
}

enum peal_err peal_read_pem(const char *path, unsigned forbidden_mode,
			    unsigned char **bytes, size_t *len,
			    struct peal_reason *reason)
{
	unsigned char *text = NULL;
	size_t size = 0;
	enum peal_err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return peal_fail(reason, peal_err_errno(errno),
				 "%s cannot be opened: %s", path,
				 strerror(errno));
	err = check_file(fd, path, forbidden_mode, &size, reason);
	if (err)
		goto out;
	text = peal_zalloc(size + 1);
	if (!text) {
		err = PEAL_ENOMEM;
		goto out;
	}
	err = read_all(fd, text, size, len);
	if (err) {
		peal_wipe(text, size);
		peal_free(text);
		goto out;
	}
	*bytes = text;
out:
	close(fd);
	return err;
}

enum peal_err peal_anchors_new(struct peal_anchors **out)
{
	struct peal_anchors *a;

	if (!out)
		return PEAL_EINVAL;
	a = peal_zalloc(sizeof(*a));
	if (!a)
		return PEAL_ENOMEM;
	a->refs = 1;
	a->end = &a->first;
	*out = a;
	return PEAL_OK;
}

struct peal_anchors *peal_anchors_ref(struct peal_anchors *a)
{
	if (a)
		a->refs++;
	return a;
}

static void free_list(mbedtls_x509_crt *list)
{
	mbedtls_x509_crt *next;

	for (; list; list = next) {
		next = list->next;
		list->next = NULL; /* each is a block of ours */
		mbedtls_x509_crt_free(list);
		peal_free(list);
	}
}

void peal_anchors_unref(struct peal_anchors *a)
{
	if (!a || --a->refs)
		return;
	free_list(a->first);
	peal_free(a);
}

unsigned peal_anchors_count(const struct peal_anchors *a)
{
	return a ? a->count : 0;
}

/* Version 1 certificates have no extension that could say so. */
static int is_ca(const mbedtls_x509_crt *crt)
{
	return crt->MBEDTLS_PRIVATE(ca_istrue) || crt->version < 3;
}

/* digest = SHA-256(digest of the set so far, certificate) */
static enum peal_err digest_add(unsigned char digest[PEAL_DIGEST_SIZE],
				const void *der, size_t len)
{
	struct peal_hash h;
	enum peal_err err = peal_hash_init(&h, PEAL_HASH_SHA256);

	if (err)
		return err;
	peal_hash_add(&h, digest, PEAL_DIGEST_SIZE);
	peal_hash_add(&h, der, len);
	err = peal_hash_final(&h, digest);
	peal_hash_fini(&h);
	return err;
}

static enum peal_err add_der(struct peal_anchors *a, const unsigned char *der,
			     size_t len, unsigned *added)
{
	mbedtls_x509_crt *crt = peal_zalloc(sizeof(*crt));
	enum peal_err err = PEAL_OK;
	int rc;

	if (!crt)
		return PEAL_ENOMEM;
	mbedtls_x509_crt_init(crt);
	rc = mbedtls_x509_crt_parse_der(crt, der, len);
	/* a root with a key or digest we do not know is skipped, as in any
	 * bundle from the web */
	if (rc || !is_ca(crt)) {
		if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED)
			err = PEAL_ENOMEM;
		goto fail;
	}
	err = digest_add(a->digest, crt->raw.p, crt->raw.len);
	if (err)
		goto fail;
	*a->end = crt;
	a->end = &crt->next;
	a->count++;
	(*added)++;
	return PEAL_OK;
fail:
	free_list(crt);
	return err;
}

static enum peal_err add_pem(struct peal_anchors *a, const unsigned char *text,
			     unsigned *added)
{
	mbedtls_pem_context pem;
	const unsigned char *der;
	size_t used, len;
	enum peal_err err = PEAL_OK;
	int rc;

	while (!err &&
	       strstr((const char *)text, "-----BEGIN CERTIFICATE-----")) {
		mbedtls_pem_init(&pem);
		used = 0;
		rc = mbedtls_pem_read_buffer(&pem,
					     "-----BEGIN CERTIFICATE-----",
					     "-----END CERTIFICATE-----", text,
					     NULL, 0, &used);
		if (rc == 0) {
			der = mbedtls_pem_get_buffer(&pem, &len);
			err = add_der(a, der, len, added);
		} else if (rc == MBEDTLS_ERR_PEM_ALLOC_FAILED) {
			err = PEAL_ENOMEM;
		}
		mbedtls_pem_free(&pem);
		if (used == 0) /* broken: go on behind its first line */
			used = (size_t)(strstr((const char *)text,
					       "-----BEGIN CERTIFICATE-----") -
					(const char *)text) +
			       strlen("-----BEGIN CERTIFICATE-----");
		text += used;
	}
	return err;
}

static enum peal_err add_text(struct peal_anchors *a, const unsigned char *text,
			      size_t len, unsigned *added,
			      struct peal_reason *reason)
{
	unsigned n = 0;
	enum peal_err err;

	if (len && text[0] == 0x30)
		err = add_der(a, text, len, &n);
	else
		err = add_pem(a, text, &n);
	if (added)
		*added = n;
	if (!err && n == 0)
		err = peal_fail(reason, PEAL_EINVAL,
				"no usable CA certificate in it");
	return err;
}

enum peal_err peal_anchors_add(struct peal_anchors *a, const void *bytes,
			       size_t len, unsigned *added,
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
	err = add_text(a, (unsigned char *)text, len, added, reason);
	peal_free(text);
	return err;
}

enum peal_err peal_anchors_load(struct peal_anchors *a, const char *path,
				unsigned *added, struct peal_reason *reason)
{
	unsigned char *bytes;
	size_t len;
	enum peal_err err;

	peal_reason_clear(reason);
	if (added)
		*added = 0;
	if (!a || !path)
		return PEAL_EINVAL;
	err = peal_read_pem(path, 0, &bytes, &len, reason);
	if (err)
		return err;
	err = add_text(a, bytes, len, added, reason);
	peal_free(bytes);
	return err;
}
