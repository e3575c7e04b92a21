/* key_test.c - private keys: read from files, made in the background, wiped. */
#include "peal/key.h"

#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "peal/loop.h"
#include "test.h"
#include "tls_server.h"
#include "trust/key.h"

static char folder[] = "/tmp/peal-key-XXXXXX";

static const char make_keys[] =
	"exec 2>make.log >&2\n"
	"ec() { openssl ecparam -name $1 -genkey -noout -out $2; }\n"
	"ec prime256v1 p256\n"
	"ec secp384r1 p384\n"
	"ec secp521r1 p521\n"
	"ec secp256k1 odd\n"
	"openssl pkcs8 -topk8 -nocrypt -in p256 -out pkcs8\n"
	"openssl pkcs8 -topk8 -passout pass:x -in p256 -out locked\n"
	"openssl genrsa -traditional -out rsa 2048\n"
	"openssl genrsa -out rsa8 3072\n"
	"openssl pkey -in p256 -pubout -out public\n"
	"openssl pkey -in p256 -outform DER -out der\n"
	"topk8() { openssl pkcs8 -topk8 -nocrypt -in $1 -outform DER -out $2; }\n"
	"topk8 p256 der8\n"
	"topk8 rsa rsader8\n"
	"openssl rsa -in rsa -traditional -outform DER -out rsader\n"
	"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 "
	"-pkeyopt rsa_keygen_primes:3 -out three\n"
	"head -c 100 p256 > short\n"
	": > empty\n"
	"head -c 2000000 /dev/zero > large\n"
	"chmod 600 *\n"
	"cp p256 open; chmod 640 open\n"
	"ln -s p256 link\n"
	"mkdir dir; mkfifo pipe\n";

static void begin(void)
{
	static int made;

	if (made++)
		return;
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	REQUIRE(peal_crypto_init() == PEAL_OK);
	REQUIRE(mkdtemp(folder));
	shell(folder, make_keys);
}

static enum peal_err load(struct peal_key **k, const char *name,
			  struct peal_reason *why)
{
	char path[100];

	begin();
	*k = NULL;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return peal_key_load(k, path, why);
}

static void reads_what_others_write(void)
{
	static const char *const cases[][2] = {
		{ "p256", "P-256" },      { "p384", "P-384" },
		{ "p521", "P-521" },      { "pkcs8", "P-256" },
		{ "rsa", "RSA-2048" },    { "rsa8", "RSA-3072" },
		{ "der", "P-256" },       { "der8", "P-256" },
		{ "rsader", "RSA-2048" }, { "rsader8", "RSA-2048" },
	};
	struct peal_reason why;
	struct peal_key *k;
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_ERR(load(&k, cases[i][0], &why), PEAL_OK);
		REQUIRE(k);
		CHECK_STR(peal_key_kind(k), cases[i][1]);
		peal_key_unref(k);
	}
}

static void says_what_it_cannot_use(void)
{
	static const struct {
		const char *name;
		enum peal_err err;
		const char *says;
	} cases[] = {
		{ "missing", PEAL_ENOENT, "cannot be opened" },
		{ "open", PEAL_EPERM,
		  "can be read by others; type: chmod 600" },
		{ "link", PEAL_EPERM,
		  "symbolic link, which is not followed; put the file itself there" },
		{ "dir", PEAL_EINVAL, "is not a file" },
		{ "pipe", PEAL_EINVAL, "is not a file" },
		{ "large", PEAL_ETOOBIG, "is larger than" },
		{ "locked", PEAL_EKEY, "protected by a password" },
		{ "odd", PEAL_EKEY, "a curve that TLS servers do not know" },
		{ "three", PEAL_EKEY,
		  "more than two primes, which is not read; make another" },
		{ "public", PEAL_EKEY, "not a private key in PEM" },
		{ "short", PEAL_EKEY, "not a private key in PEM" },
		{ "empty", PEAL_EKEY, "not a private key in PEM" },
	};
	struct peal_reason why;
	struct peal_key *k;
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_ERR(load(&k, cases[i].name, &why), cases[i].err);
		CHECK(k == NULL);
		if (!CHECK(strstr(why.text, cases[i].says) != NULL))
			fprintf(stderr, "\t%s: %s\n", cases[i].name, why.text);
		CHECK(strstr(why.text, folder) != NULL);
	}
}

static void writes_what_it_reads(void)
{
	static const char *const kinds[] = { "P-256", "P-384", "RSA-2048" };
	struct peal_key *a, *b;
	struct peal_buf pem, one, two;
	unsigned i;

	for (i = 0; i < 3; i++) {
		a = b = NULL;
		peal_buf_init(&pem, 10000);
		peal_buf_init(&one, 1000);
		peal_buf_init(&two, 1000);
		CHECK_ERR(peal_key_new(&a, kinds[i], NULL), PEAL_OK);
		CHECK_ERR(peal_key_pem(a, &pem), PEAL_OK);
		CHECK_ERR(peal_key_parse(&b, pem.data, pem.len, NULL), PEAL_OK);
		CHECK_STR(peal_key_kind(b), kinds[i]);
		peal_key_public(a, &one);
		peal_key_public(b, &two);
		CHECK_MEM(one.data, one.len, two.data, two.len);
		peal_key_unref(a);
		peal_key_unref(b);
		peal_buf_fini_secret(&pem);
		peal_buf_fini(&one);
		peal_buf_fini(&two);
	}
}

/* --- nothing of a key stays in memory that was given back --- */

struct spy {
	unsigned char secret[2][32]; /* as it is, and from back to front */
	long seen;
};

static void *spying(void *ptr, size_t size, void *arg)
{
	struct spy *s = arg;
	size_t n = ptr ? malloc_usable_size(ptr) : 0;
	unsigned i;

	if (size == 0) {
		for (i = 0; i < 2; i++)
			s->seen += n && memmem(ptr, n, s->secret[i], 24);
		free(ptr);
		return NULL;
	}
	return realloc(ptr, size);
}

static void wipes_what_it_gives_back(void)
{
	struct peal_key *k = NULL;
	struct peal_buf pem;
	struct spy s = { .seen = 0 };
	mbedtls_mpi d;
	unsigned i;

	CHECK_ERR(load(&k, "p256", NULL), PEAL_OK);
	mbedtls_mpi_init(&d);
	CHECK_INT(mbedtls_ecp_export(mbedtls_pk_ec(k->pk), NULL, &d, NULL), 0);
	mbedtls_mpi_write_binary(&d, s.secret[0], 32);
	mbedtls_mpi_free(&d);
	for (i = 0; i < 32; i++)
		s.secret[1][i] = s.secret[0][31 - i];
	peal_key_unref(k);

	peal_alloc_set(spying, &s);
	peal_buf_init(&pem, 10000);
	CHECK_ERR(load(&k, "p256", NULL), PEAL_OK);
	CHECK_ERR(peal_key_pem(k, &pem), PEAL_OK);
	peal_key_unref(k);
	peal_buf_fini_secret(&pem);
	CHECK_INT(s.seen, 0);
	/* the spy is awake */
	k = peal_alloc(100);
	memcpy(k, s.secret[0], 32);
	peal_free(k);
	CHECK_INT(s.seen, 1);
	peal_alloc_set(NULL, NULL);
}

/* --- in the background --- */

struct made {
	int calls;
	enum peal_err err;
	struct peal_key *key;
};

static void on_key(enum peal_err err, struct peal_key *key, void *arg)
{
	struct made *m = arg;

	m->calls++;
	m->err = err;
	m->key = key;
}

static void makes_one_in_the_background(void)
{
	struct made m = { 0 };
	struct peal_loop *l = NULL;

	REQUIRE(peal_loop_new(&l) == PEAL_OK);
	CHECK_ERR(peal_key_start(NULL, l, "RSA-2048", on_key, &m, NULL),
		  PEAL_OK);
	CHECK_INT(m.calls, 0);
	peal_loop_run(l, 0);
	CHECK_INT(m.calls, 1);
	CHECK_ERR(m.err, PEAL_OK);
	REQUIRE(m.key);
	CHECK_STR(peal_key_kind(m.key), "RSA-2048");
	peal_key_unref(m.key);
	CHECK_ERR(peal_key_start(NULL, l, "RSA-1024", on_key, &m, NULL),
		  PEAL_EINVAL);
	CHECK_INT(m.calls, 1);
	peal_loop_free(l);
}

/* More of them than the pool has threads: some run, some wait. */
static void can_be_cancelled(void)
{
	struct made m[8] = { { 0 } };
	struct peal_key_job *jobs[8];
	struct peal_loop *l = NULL;
	unsigned i;

	REQUIRE(peal_loop_new(&l) == PEAL_OK);
	for (i = 0; i < 8; i++)
		CHECK_ERR(peal_key_start(&jobs[i], l, "RSA-4096", on_key, &m[i],
					 NULL),
			  PEAL_OK);
	for (i = 0; i < 8; i++)
		peal_key_cancel(jobs[i]);
	peal_loop_run(l, 0);
	for (i = 0; i < 8; i++) {
		CHECK_INT(m[i].calls, 1);
		CHECK_ERR(m[i].err, PEAL_ECANCELED);
		CHECK(m[i].key == NULL);
	}
	peal_loop_free(l);
}

static void tells_nobody_when_the_loop_goes(void)
{
	struct made m = { 0 };
	struct peal_loop *l = NULL;
	unsigned i;

	REQUIRE(peal_loop_new(&l) == PEAL_OK);
	for (i = 0; i < 8; i++)
		CHECK_ERR(peal_key_start(NULL, l, "RSA-4096", on_key, &m, NULL),
			  PEAL_OK);
	peal_loop_free(l);
	CHECK_INT(m.calls, 0);
}

/* --- without memory --- */

/* mbedTLS calls some keys broken when it has no memory to read them. */
static int load_without_memory(void *arg)
{
	struct peal_key *k;
	struct peal_buf pem, der;
	enum peal_err err = load(&k, arg, NULL);

	peal_buf_init(&pem, 10000);
	peal_buf_init(&der, 1000);
	if (!err)
		err = peal_key_pem(k, &pem);
	if (!err)
		err = peal_key_public(k, &der);
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM || err == PEAL_EKEY);
	peal_key_unref(k);
	peal_buf_fini_secret(&pem);
	peal_buf_fini(&der);
	return err;
}

static int make_without_memory(void *arg)
{
	struct peal_key *k = NULL;
	enum peal_err err = peal_key_new(&k, arg, NULL);

	CHECK(err == PEAL_OK || err == PEAL_ENOMEM);
	peal_key_unref(k);
	return err;
}

static void does_without_memory(void)
{
	char rsa[] = "rsa", pkcs8[] = "pkcs8", kind[] = "P-256";

	begin();
	alloc_fail_some(load_without_memory, rsa, 40, 7);
	alloc_fail_some(load_without_memory, pkcs8, 40, 31);
	alloc_fail_some(make_without_memory, kind, 40, 31);
}

static void ends(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	shell("/tmp", command);
}

TEST_MAIN({ "reads what others write", reads_what_others_write },
	  { "says what it cannot use", says_what_it_cannot_use },
	  { "writes what it reads", writes_what_it_reads },
	  { "wipes what it gives back", wipes_what_it_gives_back },
	  { "makes one in the background", makes_one_in_the_background },
	  { "can be cancelled", can_be_cancelled },
	  { "tells nobody when the loop goes",
	    tells_nobody_when_the_loop_goes },
	  { "does without memory", does_without_memory }, { "ends", ends })
