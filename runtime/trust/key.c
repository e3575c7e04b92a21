/* key.c - private keys. See peal/key.h */
#include "trust/key.h"

#include <fcntl.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "decode/crypto.h"
#include "net/loop.h"
#include "peal/alloc.h"
#include "trust/file.h"

enum { RSA_EXPONENT = 65537, RSA_MOST = 4096, PUBLIC_MOST = 1024 };

/* RSA-4096 in PKCS #1 is 2.4 KB of DER, a third more in PEM. */
enum { PEM_MOST = 8192 };

static const struct {
	const char *kind;
	mbedtls_ecp_group_id group;
} curves[] = {
	{ "P-256", MBEDTLS_ECP_DP_SECP256R1 },
	{ "P-384", MBEDTLS_ECP_DP_SECP384R1 },
	{ "P-521", MBEDTLS_ECP_DP_SECP521R1 }, /* read, not made */
};

enum { CURVES = sizeof(curves) / sizeof(*curves), CURVES_MADE = 2 };

/* What is to be made: a curve, or a number of RSA bits. */
struct recipe {
	mbedtls_ecp_group_id group; /* MBEDTLS_ECP_DP_NONE: RSA */
	unsigned bits;
};

int peal_key_dice(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	return peal_random(out, len) ? MBEDTLS_ERR_PK_BAD_INPUT_DATA : 0;
}

enum peal_err peal_err_pk(int rc, enum peal_err else_)
{
	switch (rc) {
	case MBEDTLS_ERR_PK_ALLOC_FAILED:
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
	case MBEDTLS_ERR_PEM_ALLOC_FAILED:
	case MBEDTLS_ERR_ECP_ALLOC_FAILED:
	case MBEDTLS_ERR_MPI_ALLOC_FAILED:
	case MBEDTLS_ERR_ASN1_ALLOC_FAILED:
	case MBEDTLS_ERR_MD_ALLOC_FAILED:
		return PEAL_ENOMEM;
	}
	/* codes of two levels are added up: the low one is the cause */
	if (rc < -0x7f && peal_err_pk(-(-rc & 0x7f), PEAL_OK))
		return PEAL_ENOMEM;
	return else_;
}

/* --- kinds --- */

/* Bits of "RSA-2048", as we write it; 0: of nothing that can be made. */
static unsigned rsa_bits(const char *kind)
{
	unsigned bits = 0;
	size_t i;

	if (strncmp(kind, "RSA-", 4) != 0 || strlen(kind) != 8 ||
	    kind[4] == '0')
		return 0;
	for (i = 4; i < 8; i++) {
		if (kind[i] < '0' || kind[i] > '9')
			return 0;
		bits = bits * 10 + (unsigned)(kind[i] - '0');
	}
	if (bits < PEAL_OWN_RSA_BITS || bits > RSA_MOST || bits % 8)
		return 0;
	return bits;
}

static enum peal_err recipe_of(struct recipe *r, const char *kind,
			       struct peal_reason *reason)
{
	unsigned i;

	r->group = MBEDTLS_ECP_DP_NONE;
	r->bits = rsa_bits(kind);
	for (i = 0; i < CURVES_MADE; i++)
		if (strcmp(kind, curves[i].kind) == 0)
			r->group = curves[i].group;
	if (r->group != MBEDTLS_ECP_DP_NONE || r->bits)
		return PEAL_OK;
	return peal_fail(reason, PEAL_EINVAL,
			 "no such kind of key: %s (P-256, P-384, "
			 "RSA-2048 to RSA-4096)",
			 kind);
}

static enum peal_err set_kind(struct peal_key *k, struct peal_reason *reason)
{
	unsigned bits = (unsigned)mbedtls_pk_get_bitlen(&k->pk);
	mbedtls_ecp_group_id group;
	unsigned i;

	if (mbedtls_pk_get_type(&k->pk) == MBEDTLS_PK_RSA) {
		snprintf(k->kind, sizeof(k->kind), "RSA-%u", bits % 100000);
		return PEAL_OK;
	}
	group = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(k->pk));
	for (i = 0; i < CURVES; i++)
		if (curves[i].group == group)
			snprintf(k->kind, sizeof(k->kind), "%s",
				 curves[i].kind);
	if (!k->kind[0])
		return peal_fail(reason, PEAL_EKEY,
				 "a private key on a curve that TLS servers "
				 "do not know; P-256 is one that they do");
	return PEAL_OK;
}

/* --- one key --- */

static struct peal_key *key_alloc(void)
{
	struct peal_key *k = peal_zalloc(sizeof(*k));

	if (!k)
		return NULL;
	k->refs = 1;
	mbedtls_pk_init(&k->pk);
	return k;
}

struct peal_key *peal_key_ref(struct peal_key *k)
{
	if (k)
		k->refs++;
	return k;
}

void peal_key_unref(struct peal_key *k)
{
	if (!k || --k->refs)
		return;
	mbedtls_pk_free(&k->pk); /* wipes */
	peal_free(k);
}

const char *peal_key_kind(const struct peal_key *k)
{
	return k->kind;
}

typedef int (*dice_fn)(void *arg, unsigned char *out, size_t len);

static int generate(struct peal_key *k, const struct recipe *r, dice_fn dice,
		    void *arg)
{
	int ec = r->group != MBEDTLS_ECP_DP_NONE;
	int rc = mbedtls_pk_setup(
		&k->pk, mbedtls_pk_info_from_type(ec ? MBEDTLS_PK_ECKEY :
						       MBEDTLS_PK_RSA));

	if (rc)
		return rc;
	if (ec)
		return mbedtls_ecp_gen_key(r->group, mbedtls_pk_ec(k->pk), dice,
					   arg);
	return mbedtls_rsa_gen_key(mbedtls_pk_rsa(k->pk), dice, arg, r->bits,
				   RSA_EXPONENT);
}

enum peal_err peal_key_new(struct peal_key **out, const char *kind,
			   struct peal_reason *reason)
{
	struct peal_key *k;
	struct recipe r;
	enum peal_err err;
	int rc;

	peal_reason_clear(reason);
	if (!out || !kind)
		return PEAL_EINVAL;
	err = recipe_of(&r, kind, reason);
	if (err)
		return err;
	k = key_alloc();
	if (!k)
		return PEAL_ENOMEM;
	rc = generate(k, &r, peal_key_dice, NULL);
	err = rc ? peal_err_pk(rc, PEAL_EINTERNAL) : set_kind(k, reason);
	if (err) {
		peal_key_unref(k);
		return err;
	}
	*out = k;
	return PEAL_OK;
}

/* text: with a NUL behind it, which counts where it is PEM. */
static enum peal_err parse(struct peal_key *k, const char *text, size_t len,
			   struct peal_reason *reason)
{
	const size_t nul = memmem(text, len, "-----BEGIN", 10) ? 1 : 0;
	int rc = mbedtls_pk_parse_key(&k->pk, (const unsigned char *)text,
				      len + nul, NULL, 0, peal_key_dice, NULL);

	if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
		return peal_fail(reason, PEAL_EKEY,
				 "the private key is protected by a password");
	if (rc == MBEDTLS_ERR_RSA_BAD_INPUT_DATA) /* its version (RFC 8017) */
		return peal_fail(reason, PEAL_EKEY,
				 "an RSA key of more than two primes, which is "
				 "not read; make another: openssl genrsa 2048");
	if (rc)
		return peal_fail(reason, peal_err_pk(rc, PEAL_EKEY),
				 "not a private key in PEM or DER");
	return set_kind(k, reason);
}

enum peal_err peal_key_parse(struct peal_key **out, const void *pem, size_t len,
			     struct peal_reason *reason)
{
	struct peal_key *k;
	char *text;
	enum peal_err err = PEAL_ENOMEM;

	peal_reason_clear(reason);
	if (!out || !pem)
		return PEAL_EINVAL;
	k = key_alloc();
	text = peal_memdup0(pem, len);
	if (k && text)
		err = parse(k, text, len, reason);
	if (text)
		peal_wipe(text, len);
	peal_free(text);
	if (err) {
		peal_key_unref(k);
		return err;
	}
	*out = k;
	return PEAL_OK;
}

enum peal_err peal_key_load(struct peal_key **out, const char *path,
			    struct peal_reason *reason)
{
	struct peal_reason why;
	struct peal_buf text;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !path)
		return PEAL_EINVAL;
	peal_buf_init(&text, PEAL_LIMIT_PEM);
	err = peal_file_read(AT_FDCWD, path, PEAL_FILE_SECRET, &text, reason);
	if (!err) {
		err = peal_key_parse(out, text.data ? text.data : (void *)"",
				     text.len, &why);
		if (err && why.text[0])
			peal_fail(reason, err, "%s: %s", path, why.text);
	}
	peal_buf_fini_secret(&text);
	return err;
}

enum peal_err peal_key_pem(const struct peal_key *k, struct peal_buf *out)
{
	unsigned char text[PEM_MOST];
	int rc = mbedtls_pk_write_key_pem(&k->pk, text, sizeof(text));
	enum peal_err err = peal_err_pk(rc, PEAL_EINTERNAL);

	if (rc == 0)
		err = peal_buf_add_str(out, (char *)text);
	peal_wipe(text, sizeof(text));
	return err;
}

enum peal_err peal_key_public(const struct peal_key *k, struct peal_buf *out)
{
	unsigned char der[PUBLIC_MOST];
	int n = mbedtls_pk_write_pubkey_der(&k->pk, der, sizeof(der));

	if (n < 0)
		return peal_err_pk(n, PEAL_EINTERNAL);
	/* it writes from the end */
	return peal_buf_add(out, der + sizeof(der) - n, (size_t)n);
}

enum peal_err peal_key_check(const struct peal_key *k,
			     const mbedtls_pk_context *public_)
{
	int rc = mbedtls_pk_check_pair(public_, &k->pk, peal_key_dice, NULL);

	return rc ? peal_err_pk(rc, PEAL_EKEY) : PEAL_OK;
}

int peal_key_fits(const struct peal_key *k, const void *cert, size_t len)
{
	mbedtls_x509_crt crt;
	int fits;

	mbedtls_x509_crt_init(&crt);
	fits = cert && mbedtls_x509_crt_parse_der(&crt, cert, len) == 0 &&
	       peal_key_check(k, &crt.pk) == PEAL_OK;
	mbedtls_x509_crt_free(&crt);
	return fits;
}

/* --- in the background --- */

/* The loop's thread and the pool's share it: `key` and `rc` are the pool's
 * until after_work(). */
struct peal_key_job {
	uv_work_t work; /* first: cast back from it */
	struct peal_guest guest;
	struct recipe recipe;
	struct peal_key *key;
	int rc;
	atomic_int stop;  /* nobody waits: no more dice */
	peal_key_fn done; /* NULL: nobody is called */
	void *arg;
};

static int job_dice(void *arg, unsigned char *out, size_t len)
{
	struct peal_key_job *j = arg;

	if (atomic_load(&j->stop))
		return MBEDTLS_ERR_PK_BAD_INPUT_DATA;
	return peal_key_dice(NULL, out, len);
}

static void work(uv_work_t *w)
{
	struct peal_key_job *j = (struct peal_key_job *)w;

	j->rc = generate(j->key, &j->recipe, job_dice, j);
}

static void after_work(uv_work_t *w, int status)
{
	struct peal_key_job *j = (struct peal_key_job *)w;
	struct peal_key *key = NULL;
	enum peal_err err = PEAL_OK;

	peal_loop_leave(&j->guest);
	if (status || atomic_load(&j->stop))
		err = PEAL_ECANCELED;
	else if (j->rc)
		err = peal_err_pk(j->rc, PEAL_EINTERNAL);
	else
		err = set_kind(j->key, NULL);
	if (err)
		peal_key_unref(j->key);
	else
		key = j->key;
	if (j->done)
		j->done(err, key, j->arg);
	else
		peal_key_unref(key);
	peal_free(j);
}

void peal_key_cancel(struct peal_key_job *job)
{
	if (!job)
		return;
	atomic_store(&job->stop, 1);
	uv_cancel(
		(uv_req_t *)&job->work); /* fails when it runs: it will stop */
}

static void drop(struct peal_guest *g)
{
	struct peal_key_job *j =
		(struct peal_key_job *)((char *)g -
					offsetof(struct peal_key_job, guest));

	j->done = NULL;
	peal_key_cancel(j);
}

static enum peal_err queue(struct peal_key_job *j, struct peal_loop *l)
{
	enum peal_err err;

	j->key = key_alloc();
	if (!j->key)
		return PEAL_ENOMEM;
	err = peal_err_uv(
		uv_queue_work(peal_loop_uv(l), &j->work, work, after_work));
	if (err) {
		peal_key_unref(j->key);
		return err;
	}
	j->guest.drop = drop;
	peal_loop_join(l, &j->guest);
	return PEAL_OK;
}

enum peal_err peal_key_start(struct peal_key_job **out, struct peal_loop *l,
			     const char *kind, peal_key_fn done, void *arg,
			     struct peal_reason *reason)
{
	struct peal_key_job *j;
	struct recipe r;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!l || !kind || !done)
		return PEAL_EINVAL;
	err = recipe_of(&r, kind, reason);
	if (err)
		return err;
	j = peal_zalloc(sizeof(*j));
	if (!j)
		return PEAL_ENOMEM;
	j->recipe = r;
	j->done = done;
	j->arg = arg;
	atomic_init(&j->stop, 0);
	err = queue(j, l);
	if (err) {
		peal_free(j);
		return err;
	}
	if (out)
		*out = j;
	return PEAL_OK;
}
