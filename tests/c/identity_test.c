/* identity_test.c - who the phone says it is: from a key at hand, from files,
 * and from a function that signs for a key elsewhere; without memory too.
 * Handshakes with nginx are in tests/spec/issue_spec.lua. */
#include "peal/identity.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/sanitized.h"
#include "decode/crypto.h"
#include "peal/fetch.h"
#include "peal/no_core.h"
#include "test.h"
#include "tls_server.h"
#include "trust/key.h"

static char folder[] = "/tmp/peal-identity-XXXXXX";

static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"root ca ec 'Test Root'\n"
	"cert phone '/CN=phone' -1 10 ca ec extendedKeyUsage=clientAuth\n"
	"cert rsa '/CN=rsa' -1 10 ca 2048 extendedKeyUsage=clientAuth\n"
	"cert weak '/CN=weak' -1 10 ca 1024 extendedKeyUsage=clientAuth\n"
	"cert s '/CN=localhost' -1 10 ca ec "
	"subjectAltName=DNS:localhost\n"
	"cat phone.pem ca.pem > chain.pem\n"
	"cat phone.pem > torn.pem; echo '-----BEGIN CERTIFICATE-----' >> "
	"torn.pem\n";

static void begin(void)
{
	static int made;

	if (made++)
		return;
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	REQUIRE(peal_crypto_init() == PEAL_OK);
	REQUIRE(mkdtemp(folder));
	shell(folder, make_certificates);
}

static const char *path_of(const char *name, char path[100])
{
	snprintf(path, 100, "%s/%s", folder, name);
	return path;
}

static size_t slurp(const char *name, char *out, size_t size)
{
	char path[100];
	FILE *file = fopen(path_of(name, path), "rb");
	size_t n;

	REQUIRE(file);
	n = fread(out, 1, size, file);
	fclose(file);
	return n;
}

static struct peal_key *load_key(const char *name)
{
	struct peal_key *k = NULL;
	char path[100];

	CHECK_ERR(peal_key_load(&k, path_of(name, path), NULL), PEAL_OK);
	return k;
}

/* --- from files --- */

static void is_loaded_from_files(void)
{
	static const struct {
		const char *cert, *key;
		enum peal_err err;
		const char *says;
	} cases[] = {
		{ "phone.pem", "phone.key", PEAL_OK, "" },
		{ "chain.pem", "phone.key", PEAL_OK, "" },
		{ "rsa.pem", "rsa.key", PEAL_OK, "" },
		{ "phone.pem", "rsa.key", PEAL_EKEY, "does not belong" },
		{ "weak.pem", "weak.key", PEAL_EKEY, "has 1024 bits" },
		{ "phone.key", "phone.key", PEAL_EKEY,
		  "not a PEM certificate" },
		{ "phone.pem", "phone.pem", PEAL_EPERM, "chmod 600" },
		{ "none.pem", "phone.key", PEAL_ENOENT, "none.pem" },
		{ "phone.pem", "none.key", PEAL_ENOENT, "none.key" },
	};
	struct peal_identity *id;
	struct peal_reason why;
	char cert[100], key[100];
	unsigned i;

	begin();
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		id = NULL;
		CHECK_ERR(peal_identity_load(&id, path_of(cases[i].cert, cert),
					     path_of(cases[i].key, key), &why),
			  cases[i].err);
		CHECK(!id == !!cases[i].err);
		if (!CHECK(strstr(why.text, cases[i].says) != NULL))
			fprintf(stderr, "\t%s\n", why.text);
		peal_identity_unref(id);
	}
}

/* --- signed elsewhere --- */

struct element {
	struct peal_key *key;
	int asked, dropped;
	enum peal_err refuses;
	char algorithm[40];
};

static enum peal_err on_sign(const char *algorithm, const unsigned char *hash,
			     size_t hash_len, unsigned char *sig,
			     size_t *sig_len, struct peal_reason *reason,
			     void *arg)
{
	struct element *e = arg;
	mbedtls_md_type_t md = hash_len == 48 ? MBEDTLS_MD_SHA384 :
						MBEDTLS_MD_SHA256;

	e->asked++;
	snprintf(e->algorithm, sizeof(e->algorithm), "%s", algorithm);
	if (e->refuses)
		return peal_fail(reason, e->refuses, "the chip is locked");
	if (mbedtls_pk_sign(&e->key->pk, md, hash, hash_len, sig,
			    PEAL_SIGNATURE_MAX, sig_len, peal_key_dice, NULL))
		return PEAL_EKEY;
	return PEAL_OK;
}

static void on_drop(void *arg)
{
	((struct element *)arg)->dropped++;
}

static struct peal_identity *signer(struct element *e, const char *cert)
{
	struct peal_identity *id = NULL;
	char pem[4000];
	size_t n = slurp(cert, pem, sizeof(pem));

	CHECK_ERR(peal_identity_signer(&id, pem, n, on_sign, e, on_drop, NULL),
		  PEAL_OK);
	return id;
}

struct answer {
	int done;
	enum peal_err err;
	char says[240];
};

static void on_done(enum peal_err err, const struct peal_fetch_response *r,
		    const struct peal_reason *reason, void *arg)
{
	struct answer *a = arg;

	(void)r;
	a->done++;
	a->err = err;
	snprintf(a->says, sizeof(a->says), "%s", reason ? reason->text : "");
}

static void get(struct peal_identity *id, struct peal_anchors *anchors,
		unsigned port, struct answer *a)
{
	struct peal_tls_policy tls;
	struct peal_fetch_request r = { .tls = &tls };
	struct peal_fetcher *f = NULL;
	struct peal_loop *l = NULL;
	char url[100];

	memset(a, 0, sizeof(*a));
	REQUIRE(peal_loop_new(&l) == PEAL_OK);
	REQUIRE(peal_fetcher_new(&f, l) == PEAL_OK);
	peal_tls_policy_init(&tls);
	snprintf(url, sizeof(url), "https://localhost:%u/phone.pem", port);
	r.url = url;
	r.address = "127.0.0.1";
	tls.anchors = anchors;
	tls.identity = id;
	CHECK_ERR(peal_fetch_start(NULL, f, &r, on_done, a, NULL), PEAL_OK);
	peal_loop_run(l, 0);
	CHECK_INT(a->done, 1);
	peal_fetcher_free(f);
	peal_loop_free(l);
}

static void signs_for_a_key_elsewhere(void)
{
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	struct element e = { .asked = 0 };
	struct peal_anchors *anchors = NULL;
	struct peal_identity *id;
	struct tls_server s;
	struct answer a;
	char path[100], options[200];
	unsigned i;

	begin();
	e.key = load_key("phone.key");
	id = signer(&e, "phone.pem");
	peal_anchors_new(&anchors);
	CHECK_ERR(peal_anchors_load(anchors, path_of("ca.pem", path), 0, NULL,
				    NULL),
		  PEAL_OK);
	for (i = 0; i < 2; i++) {
		snprintf(options, sizeof(options),
			 "-cert s.pem -key s.key -CAfile ca.pem -Verify 2 "
			 "-verify_return_error -WWW %s",
			 versions[i]);
		tls_server_start(&s, folder, options);
		e.asked = 0;
		e.refuses = PEAL_OK;
		get(id, anchors, s.port, &a);
		CHECK_ERR(a.err, PEAL_OK);
		CHECK_INT(e.asked, 1);
		CHECK_STR(e.algorithm, i ? "ecdsa-sha256" : "ecdsa-sha384");
		e.refuses = PEAL_EKEY;
		get(id, anchors, s.port, &a);
		CHECK_ERR(a.err, PEAL_ETCLIENT);
		CHECK(strstr(a.says, "did not sign: the chip is locked"));
		/* no trouble of the past is told of the next failure */
		e.refuses = PEAL_OK;
		get(id, NULL, s.port, &a);
		CHECK_ERR(a.err, PEAL_ECUNTRUSTED);
		tls_server_stop(&s);
	}
	CHECK_INT(e.dropped, 0);
	peal_identity_unref(peal_identity_ref(id));
	CHECK_INT(e.dropped, 0);
	peal_identity_unref(id);
	CHECK_INT(e.dropped, 1);
	peal_anchors_unref(anchors);
	peal_key_unref(e.key);
}

/* --- without memory --- */

static int without_memory(void *arg)
{
	struct peal_identity *a = NULL, *b = NULL, *c = NULL;
	struct element e = { .asked = 0 };
	struct peal_key *key = arg;
	char pem[4000], cert[100], path[100];
	size_t n = slurp("phone.pem", pem, sizeof(pem));
	enum peal_err err = peal_identity_new(&a, pem, n, key, NULL);

	if (!err)
		err = peal_identity_signer(&b, pem, n, on_sign, &e, on_drop,
					   NULL);
	if (!err)
		err = peal_identity_load(&c, path_of("phone.pem", cert),
					 path_of("phone.key", path), NULL);
	/* mbedTLS calls some keys broken when it has no memory to read them */
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM || err == PEAL_EKEY);
	peal_identity_unref(a);
	peal_identity_unref(b);
	peal_identity_unref(c);
	CHECK_INT(e.dropped, b != NULL);
	return err;
}

static void does_without_memory(void)
{
	struct peal_key *key;

	begin();
	key = load_key("phone.key");
	alloc_fail_some(without_memory, key, 60, 29);
	peal_key_unref(key);
}

/* --- no dump --- */

/* A child that is killed by abort() with a core limit of its own. */
static int aborts(int guarded)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int status = 0;
	pid_t pid;

	getrlimit(RLIMIT_CORE, &all);
	all.rlim_cur = all.rlim_max;
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (chdir(folder))
			_exit(1);
		setrlimit(RLIMIT_CORE, &all);
		if (guarded)
			peal_no_core();
		abort();
	}
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return WCOREDUMP(status) != 0;
}

static void leaves_no_dump(void)
{
	begin();
	if (PEAL_SANITIZED) {
		printf("no_core: not in a sanitizer build\n");
		return;
	}
	if (!aborts(0))
		printf("no_core: this machine makes no dumps (core_pattern, "
		       "hard limit of RLIMIT_CORE)\n");
	CHECK_INT(aborts(1), 0);
}

static void ends(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	shell("/tmp", command);
}

TEST_MAIN({ "is loaded from files", is_loaded_from_files },
	  { "signs for a key elsewhere", signs_for_a_key_elsewhere },
	  { "does without memory", does_without_memory },
	  { "leaves no dump", leaves_no_dump }, { "ends", ends })
