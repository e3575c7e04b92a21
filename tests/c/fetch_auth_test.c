/* fetch_auth_test.c - Basic and Digest, counted request by request, and the
 * longest kind of exchange with every allocation failing once. */
#include <signal.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "fetch_run.h"

struct realm {
	const char *algorithm; /* "MD5", "SHA-256"; NULL: Basic */
	int always_stale;
	int basic_too;
	int accepted;
	int with_credentials;
};

static struct realm realm;

static void hex(enum peal_hash_kind kind, const char *text, char *out)
{
	unsigned char digest[PEAL_SHA256_SIZE];
	size_t n = kind == PEAL_HASH_MD5 ? PEAL_MD5_SIZE : PEAL_SHA256_SIZE, i;
	enum peal_err err;

	if (kind == PEAL_HASH_MD5)
		err = peal_md5(text, strlen(text), digest);
	else
		err = peal_sha256(text, strlen(text), digest);
	if (err) /* allocations fail on purpose: an answer that fits nothing */
		memset(digest, 0, sizeof(digest));
	for (i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
}

static void field(const char *line, const char *name, char out[200])
{
	char key[40];
	const char *p;

	snprintf(key, sizeof(key), "%s=", name);
	p = strstr(line, key);
	REQUIRE(p != NULL);
	p += strlen(key);
	p += *p == '"';
	snprintf(out, 200, "%.*s", (int)strcspn(p, "\",\r\n"), p);
}

/* RFC 7616 3.4.1 for user "phone", password "s3cret" */
static int digest_fits(const char *line)
{
	enum peal_hash_kind kind = strcmp(realm.algorithm, "MD5") == 0 ?
					   PEAL_HASH_MD5 :
					   PEAL_HASH_SHA256;
	char nonce[200], nc[200], cnonce[200], response[200], uri[200];
	char ha1[65], ha2[65], want[65], text[1000];

	field(line, "nonce", nonce);
	field(line, "nc", nc);
	field(line, " cnonce", cnonce);
	field(line, "response", response);
	field(line, "uri", uri);
	hex(kind, "phone:peal:s3cret", ha1);
	snprintf(text, sizeof(text), "GET:%s", uri);
	hex(kind, text, ha2);
	snprintf(text, sizeof(text), "%s:%s:%s:%s:auth:%s", ha1, nonce, nc,
		 cnonce, ha2);
	hex(kind, text, want);
	return strcmp(want, response) == 0;
}

static void guard(struct conn *c, const char *request)
{
	const char *line = strstr(request, "\r\nAuthorization: ");
	char text[600] = "";
	int n = c->server->requests;

	if (line) {
		realm.with_credentials++;
		line += 17;
		if (!realm.always_stale &&
		    ((strncmp(line, "Digest ", 7) == 0 && realm.algorithm &&
		      digest_fits(line)) ||
		     strncmp(line, "Basic cGhvbmU6czNjcmV0\r\n", 24) == 0)) {
			realm.accepted++;
			conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 2"
				     "\r\n\r\nok");
			return;
		}
	}
	strcat(text, "HTTP/1.1 401 No\r\nContent-Length: 4\r\n");
	if (!realm.algorithm || realm.basic_too)
		strcat(text, "WWW-Authenticate: Basic realm=\"peal\"\r\n");
	if (realm.algorithm)
		sprintf(text + strlen(text),
			"WWW-Authenticate: Digest realm=\"peal\", qop=\"auth\""
			", algorithm=%s, nonce=\"n%d\"%s\r\n",
			realm.algorithm, n,
			realm.always_stale ? ", stale=true" : "");
	strcat(text, "\r\nwho?");
	conn_text(c, text);
}

static void log_in(struct run *x, const char *password, unsigned auth)
{
	struct peal_fetch_request r = { .user = "phone",
					.password = password,
					.auth = auth };

	begin(x, guard);
	realm.accepted = realm.with_credentials = 0;
	CHECK_ERR(go(x, &r, "/f?"), PEAL_OK);
	CHECK_INT(x->sent, x->server.requests);
}

static void check_log_in(const char *algorithm, unsigned auth)
{
	struct run x;

	realm.algorithm = algorithm;
	log_in(&x, "s3cret", auth);
	CHECK_INT(x.status, 200);
	CHECK_INT(x.server.requests, 2);
	CHECK_INT(realm.with_credentials, 1);
	CHECK_INT(x.exhausted, 0);
	CHECK_STR(x.body, "ok");
	end(&x);

	log_in(&x, "wrong", auth);
	CHECK_INT(x.status, 401);
	CHECK_INT(x.server.requests, 3);
	CHECK_INT(realm.with_credentials, 2);
	CHECK_INT(x.exhausted, 1);
	CHECK_STR(x.body, "who?");
	end(&x);
}

static void credentials(void)
{
	unsigned both = PEAL_AUTH_BASIC | PEAL_AUTH_DIGEST;

	memset(&realm, 0, sizeof(realm));
	check_log_in(NULL, both);
	check_log_in("MD5", both);
	check_log_in("SHA-256", both);
	realm.basic_too = 1; /* and Digest is preferred: see digest_fits */
	check_log_in("MD5", both);
}

static void no_credentials_no_retry(void)
{
	struct run x;

	memset(&realm, 0, sizeof(realm));
	begin(&x, guard);
	CHECK_ERR(get(&x, "/"), PEAL_OK);
	CHECK_INT(x.status, 401);
	CHECK_INT(x.server.requests, 1);
	CHECK_INT(x.exhausted, 0);
	end(&x);
}

static void methods_can_be_forbidden(void)
{
	struct run x;

	memset(&realm, 0, sizeof(realm));
	log_in(&x, "s3cret", PEAL_AUTH_DIGEST); /* Basic is all there is */
	CHECK_INT(x.status, 401);
	CHECK_INT(x.server.requests, 1);
	end(&x);
}

static void stale_for_ever(void)
{
	struct run x;

	memset(&realm, 0, sizeof(realm));
	realm.algorithm = "MD5";
	realm.always_stale = 1;
	log_in(&x, "s3cret", PEAL_AUTH_DIGEST);
	CHECK_INT(x.status, 401);
	CHECK_INT(x.server.requests, 3);
	CHECK_INT(x.exhausted, 1);
	end(&x);
}

static int exchange(void *arg)
{
	struct run *x = arg;
	struct peal_fetcher *f = NULL;
	struct peal_fetch_request r = { .address = "127.0.0.1",
					.user = "phone",
					.password = "s3cret",
					.auth = PEAL_AUTH_DIGEST,
					.total_ms = 1000 };
	char url[64];
	enum peal_err err;

	err = peal_fetcher_new(&f, x->l);
	if (err) {
		peal_loop_run(x->l, 0);
		return 1;
	}
	snprintf(url, sizeof(url), "http://a.example:%u/", x->server.port);
	r.url = url;
	x->done = 0;
	x->status = 0;
	x->err = PEAL_OK;
	err = peal_fetch_start(NULL, f, &r, keep, x, NULL);
	while (!err && !x->done)
		peal_loop_run(x->l, 1);
	CHECK(err || x->err || x->status == 200 || x->status == 401);
	CHECK(x->err != PEAL_ETIMEOUT); /* no failure is silent */
	peal_fetcher_free(f);
	/* let the handles close */
	while (x->server.closed < x->server.connections)
		peal_loop_run(x->l, 1);
	peal_loop_run(x->l, 0);
	return err || x->err || x->status != 200;
}

static void every_allocation_may_fail(void)
{
	struct run x;
	long n;

	memset(&realm, 0, sizeof(realm));
	realm.algorithm = "MD5";
	begin(&x, guard);
	CHECK_INT(exchange(&x), 0); /* what libraries keep is there now */
	n = alloc_fail_each(exchange, &x);
	CHECK(n > 30);
	printf("an exchange with Digest: %ld allocations\n", n);
	end(&x);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "credentials", credentials },
		{ "no credentials, no retry", no_credentials_no_retry },
		{ "methods can be forbidden", methods_can_be_forbidden },
		{ "stale for ever", stale_for_ever },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	signal(SIGPIPE, SIG_IGN);
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
