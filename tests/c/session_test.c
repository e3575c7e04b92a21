/* session_test.c - what is kept of TLS between exchanges: sessions that are
 * resumed, and everything that must keep one from being resumed. The servers
 * are openssl s_server, which closes after each answer. */
#include <time.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "fetch/sessions.h"
#include "peal/fetch.h"
#include "test.h"
#include "tls_server.h"

static char folder[] = "/tmp/peal-session-XXXXXX";

enum { DAY = 86400 };

static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"root ca ec 'Test Root'\n"
	"root other ec 'Other Root'\n"
	"good=subjectAltName=DNS:pv.telco.net,IP:127.0.0.1\n"
	"cert good /CN=pv.telco.net -1 90 ca ec $good\n"
	"cert second /CN=pv.telco.net -1 90 ca ec $good\n"
	"cert short /CN=pv.telco.net -1 3 ca ec $good\n"
	"cert foreign /CN=pv.telco.net -1 90 other ec $good\n"
	"cert mic1 /CN=one -1 90 ca ec basicConstraints=CA:FALSE\n"
	"cert mic2 /CN=two -1 90 ca ec basicConstraints=CA:FALSE\n"
	"cat ca.pem other.pem > two.pem\n"
	"printf hello > x\n";

struct run {
	struct peal_loop *l;
	struct peal_fetcher *f;
	struct peal_anchors *anchors;
	int done;
	enum peal_err err;
	int status;
	char reason[256];
	char version[12];
	char subject[256];
	char anchor[65];
	unsigned chain_n;
	size_t der_len;
	int resumed, reused, client_cert_sent, pinned;
};

static void keep(enum peal_err err, const struct peal_fetch_response *r,
		 const struct peal_reason *reason, void *arg)
{
	struct run *x = arg;

	x->done = 1;
	x->err = err;
	x->status = r->status;
	x->chain_n = r->chain_n;
	x->der_len = r->chain[0].der_len;
	x->resumed = r->resumed;
	x->reused = r->reused;
	x->pinned = r->pinned;
	x->client_cert_sent = r->client_cert_sent;
	snprintf(x->reason, sizeof(x->reason), "%s", reason->text);
	snprintf(x->version, sizeof(x->version), "%s", r->tls_version);
	snprintf(x->subject, sizeof(x->subject), "%s",
		 r->chain_n ? r->chain[0].subject : "");
	snprintf(x->anchor, sizeof(x->anchor), "%s", r->anchor);
}

static const char *path_of(const char *file)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, 128, "%s/%s", folder, file);
	return p;
}

static struct peal_anchors *load(const char *file)
{
	struct peal_anchors *a;

	REQUIRE(peal_anchors_new(&a) == PEAL_OK);
	REQUIRE(peal_anchors_load(a, path_of(file), 0, NULL, NULL) == PEAL_OK);
	return a;
}

static struct peal_identity *identity(const char *cert, const char *key)
{
	struct peal_identity *id;

	REQUIRE(peal_identity_load(&id, path_of(cert), path_of(key), NULL) ==
		PEAL_OK);
	return id;
}

static void begin(struct run *x)
{
	memset(x, 0, sizeof(*x));
	REQUIRE(peal_loop_new(&x->l) == PEAL_OK);
	REQUIRE(peal_fetcher_new(&x->f, x->l) == PEAL_OK);
	x->anchors = load("ca.pem");
}

static void end(struct run *x)
{
	peal_fetcher_free(x->f);
	peal_loop_free(x->l);
	peal_anchors_unref(x->anchors);
}

static enum peal_err start(struct run *x, unsigned port,
			   const struct peal_tls_policy *policy)
{
	struct peal_fetch_request r = { .address = "127.0.0.1", .tls = policy };
	char url[100];

	snprintf(url, sizeof(url), "https://pv.telco.net:%u/x", port);
	r.url = url;
	x->done = 0;
	return peal_fetch_start(NULL, x->f, &r, keep, x, NULL);
}

static enum peal_err finish(struct run *x)
{
	while (!x->done)
		peal_loop_run(x->l, 1);
	return x->err;
}

static enum peal_err get(struct run *x, unsigned port,
			 const struct peal_tls_policy *policy)
{
	enum peal_err err = start(x, port, policy);

	return err ? err : finish(x);
}

static struct peal_tls_policy strict(struct run *x)
{
	struct peal_tls_policy p;

	peal_tls_policy_init(&p);
	p.anchors = x->anchors;
	return p;
}

/* Fetches, and tells whether a session was resumed; -1: it failed. */
static int resumes(struct run *x, unsigned port,
		   const struct peal_tls_policy *p)
{
	if (!CHECK_ERR(get(x, port, p), PEAL_OK)) {
		fprintf(stderr, "\t%s\n", x->reason);
		return -1;
	}
	CHECK(!x->reused);
	return x->resumed;
}

static const struct {
	const char *name, *options;
} servers[] = {
	{ "TLS 1.2, tickets", "-WWW -cert good.pem -key good.key -tls1_2" },
	{ "TLS 1.2, numbers",
	  "-WWW -cert good.pem -key good.key -tls1_2 -no_ticket" },
	{ "TLS 1.3", "-WWW -cert good.pem -key good.key -tls1_3" },
	{ "TLS 1.3, one ticket",
	  "-WWW -cert good.pem -key good.key -tls1_3 -num_tickets 1" },
};
enum { SERVERS = sizeof(servers) / sizeof(*servers) };

static void sessions_are_resumed(void)
{
	struct peal_tls_policy p;
	struct tls_server s;
	struct peal_buf bytes;
	struct run x, y;
	char anchor[65];
	unsigned i, turn;

	peal_buf_init(&bytes, 1 << 20);
	for (i = 0; i < SERVERS; i++) {
		begin(&x);
		tls_server_start(&s, folder, servers[i].options);
		p = strict(&x);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK_INT(x.chain_n, 1);
		CHECK(x.der_len > 0);
		snprintf(anchor, sizeof(anchor), "%s", x.anchor);
		CHECK_INT(strlen(anchor), 64);
		for (turn = 0; turn < 3; turn++) {
			if (!CHECK_INT(resumes(&x, s.port, &p), 1))
				fprintf(stderr, "\t%s\n", servers[i].name);
			/* what the full handshake showed */
			CHECK_STR(x.subject, "CN=pv.telco.net");
			CHECK_STR(x.anchor, anchor);
			CHECK_INT(x.der_len, 0);
		}
		/* and by another fetcher, which was given the sessions */
		peal_buf_clear(&bytes);
		CHECK_ERR(peal_fetcher_export(x.f, &bytes), PEAL_OK);
		begin(&y);
		p = strict(&y);
		CHECK_INT(peal_fetcher_import(y.f, bytes.data, bytes.len), 1);
		CHECK_INT(peal_fetcher_import(y.f, bytes.data, bytes.len), 0);
		CHECK_INT(resumes(&y, s.port, &p), 1);
		CHECK_STR(y.anchor, anchor);
		CHECK_STR(y.subject, "CN=pv.telco.net");
		end(&y);
		tls_server_stop(&s);
		end(&x);
	}
	peal_buf_fini_secret(&bytes);
}

static struct peal_cert_set *set_of(unsigned char first)
{
	const unsigned char sha256[32] = { first };
	struct peal_cert_set *set;

	REQUIRE(peal_cert_set_new(&set) == PEAL_OK);
	REQUIRE(peal_cert_set_add(set, sha256) == PEAL_OK);
	return set;
}

/* Each in turn, with the session of a strict policy at hand. */
static void policies_do_not_share(void)
{
	struct peal_cert_set *set = set_of(1);
	struct peal_identity *one = identity("mic1.pem", "mic1.key");
	struct peal_identity *two = identity("mic2.pem", "mic2.key");
	struct peal_ciphers *ciphers;
	struct peal_tls_policy p[9];
	struct tls_server s;
	struct run x;
	unsigned i, k, n = sizeof(p) / sizeof(*p);

	REQUIRE(peal_ciphers_parse(&ciphers, "AES256") == PEAL_OK);
	for (k = 0; k < SERVERS; k++) {
		begin(&x);
		tls_server_start(&s, folder, servers[k].options);
		for (i = 0; i < n; i++)
			p[i] = strict(&x);
		p[1].check_name = 0;
		p[2].min_rsa_bits = 3072;
		p[3].anchors = load("two.pem");
		p[4].identity = one;
		p[5].identity = two;
		p[6].rejected = set;
		p[7].removed = set;
		p[8].ciphers = ciphers;
		for (i = 0; i < n; i++)
			CHECK_INT(resumes(&x, s.port, &p[i]), 0);
		for (i = 0; i < n; i++)
			CHECK_INT(resumes(&x, s.port, &p[i]), 1);
		peal_anchors_unref(p[3].anchors);
		tls_server_stop(&s);
		end(&x);
	}
	peal_ciphers_unref(ciphers);
	peal_identity_unref(one);
	peal_identity_unref(two);
	peal_cert_set_unref(set);
}

static void pin(struct peal_cert_set **set, const char *file)
{
	struct peal_reason reason;
	unsigned char sha256[32];
	FILE *in = fopen(path_of(file), "rb");
	char der[4000];
	size_t n;

	REQUIRE(in != NULL);
	n = fread(der, 1, sizeof(der), in);
	fclose(in);
	REQUIRE(peal_sha256(der, n, sha256) == PEAL_OK);
	peal_reason_clear(&reason);
	REQUIRE(peal_cert_set_new(set) == PEAL_OK);
	REQUIRE(peal_cert_set_add(*set, sha256) == PEAL_OK);
}

/* A strict transfer never rides on an exception's session, nor on that of an
 * accepted certificate. */
static void exceptions_leave_nothing(void)
{
	struct peal_cert_set *leaf;
	struct peal_tls_policy p, exception, accepted;
	struct tls_server s;
	struct run x;
	unsigned k;

	shell(folder, "openssl x509 -in foreign.pem -outform DER "
		      "-out foreign.der");
	pin(&leaf, "foreign.der");
	for (k = 0; k < 2; k++) {
		begin(&x);
		tls_server_start(&s, folder,
				 k ? "-WWW -cert foreign.pem -key foreign.key "
				     "-tls1_3" :
				     "-WWW -cert foreign.pem -key foreign.key "
				     "-tls1_2");
		p = strict(&x);
		accepted = exception = p;
		exception.pinned = accepted.pinned = leaf;
		exception.once = 1;
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECUNTRUSTED);
		CHECK_INT(resumes(&x, s.port, &exception), 0);
		CHECK(x.pinned);
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECUNTRUSTED);
		CHECK_INT(resumes(&x, s.port, &exception), 0);
		CHECK_INT(resumes(&x, s.port, &accepted), 0);
		CHECK_INT(resumes(&x, s.port, &accepted), 1);
		CHECK(x.pinned);
		CHECK_INT(resumes(&x, s.port, &exception), 0);
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECUNTRUSTED);
		CHECK(!x.pinned);
		tls_server_stop(&s);
		end(&x);
	}
	peal_cert_set_unref(leaf);
}

static void verdicts_are_judged_again(void)
{
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	struct peal_tls_policy p, late;
	struct tls_server s;
	struct run x;
	char options[100];
	unsigned k;

	for (k = 0; k < 2; k++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "-WWW -cert short.pem -key short.key %s", versions[k]);
		tls_server_start(&s, folder, options);
		p = late = strict(&x);
		late.now = (int64_t)time(NULL) + 4 * DAY;
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK_ERR(get(&x, s.port, &late), PEAL_ECEXPIRED);
		CHECK_INT(resumes(&x, s.port, &p), 0); /* dropped */
		CHECK_INT(resumes(&x, s.port, &p), 1);
		p.dns_failure = "pv.telco.net is not 127.0.0.1";
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECDNS);
		CHECK_STR(x.reason, p.dns_failure);
		tls_server_stop(&s);
		end(&x);
	}
}

static void sessions_end(void)
{
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	unsigned i;

	for (i = 0; i < SERVERS; i++) {
		begin(&x);
		tls_server_start(&s, folder, servers[i].options);
		p = strict(&x);
		p.now = time(NULL);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		p.now += 8 * DAY; /* longer than RFC 8446 4.6.1 allows */
		CHECK_INT(resumes(&x, s.port, &p), 0);
		p.now -= DAY; /* before that one came */
		CHECK_INT(resumes(&x, s.port, &p), 0);
		peal_fetcher_forget(x.f);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK_INT(resumes(&x, s.port, &p), 1);
		tls_server_stop(&s);
		end(&x);
	}
}

/* Fault: the server is another one now. The phone does not notice. */
/* What runs while all is forgotten leaves nothing either. */
static void running_ones_are_forgotten(void)
{
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	unsigned i;

	for (i = 0; i < SERVERS; i++) {
		begin(&x);
		tls_server_start(&s, folder, servers[i].options);
		p = strict(&x);
		CHECK_ERR(start(&x, s.port, &p), PEAL_OK);
		peal_fetcher_forget(x.f);
		CHECK_ERR(finish(&x), PEAL_OK);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK_INT(resumes(&x, s.port, &p), 1);
		tls_server_stop(&s);
		end(&x);
	}
}

static void changed_servers(void)
{
	static const struct {
		const char *before, *after;
		const char *version;
	} cases[] = {
		{ "-cert good.pem -key good.key -tls1_2",
		  "-cert good.pem -key good.key -tls1_2", "TLSv1.2" },
		{ "-cert good.pem -key good.key -tls1_3",
		  "-cert good.pem -key good.key -tls1_3", "TLSv1.3" },
		{ "-cert good.pem -key good.key -tls1_2",
		  "-cert good.pem -key good.key -tls1_3", "TLSv1.3" },
		{ "-cert good.pem -key good.key -tls1_3",
		  "-cert good.pem -key good.key -tls1_2", "TLSv1.2" },
		{ "-cert good.pem -key good.key -tls1_3",
		  "-cert second.pem -key second.key -tls1_3", "TLSv1.3" },
		{ "-cert good.pem -key good.key -tls1_2 -no_ticket",
		  "-cert second.pem -key second.key", "TLSv1.2" },
	};
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&x);
		p = strict(&x);
		snprintf(options, sizeof(options), "-WWW %s", cases[i].before);
		tls_server_start(&s, folder, options);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		tls_server_stop(&s);
		snprintf(options, sizeof(options), "-WWW %s", cases[i].after);
		tls_server_start_at(&s, s.port, folder, options);
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK_STR(x.version, cases[i].version);
		/* what TLS 1.2 refused is followed by a free choice */
		if (strstr(cases[i].before, "-no_ticket")) {
			CHECK_INT(resumes(&x, s.port, &p), 0);
			CHECK_STR(x.version, "TLSv1.3");
		}
		get(&x, s.port, &p);
		CHECK_INT(resumes(&x, s.port, &p), 1);
		tls_server_stop(&s);
		/* nobody there any more: one word, and no loop */
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECONNECT);
		tls_server_start_at(&s, s.port, folder,
				    "-WWW -cert foreign.pem -key foreign.key");
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECUNTRUSTED);
		CHECK_ERR(get(&x, s.port, &p), PEAL_ECUNTRUSTED);
		tls_server_stop(&s);
		end(&x);
	}
}

static void client_certificates(void)
{
	struct peal_identity *one = identity("mic1.pem", "mic1.key");
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	unsigned k;

	for (k = 0; k < 2; k++) {
		begin(&x);
		tls_server_start(&s, folder,
				 k ? "-WWW -cert good.pem -key good.key "
				     "-CAfile ca.pem -Verify 3 -tls1_3" :
				     "-WWW -cert good.pem -key good.key "
				     "-CAfile ca.pem -Verify 3 -tls1_2");
		p = strict(&x);
		p.identity = one;
		CHECK_INT(resumes(&x, s.port, &p), 0);
		CHECK(x.client_cert_sent);
		CHECK_INT(resumes(&x, s.port, &p), 1);
		CHECK(x.client_cert_sent); /* the session stands for it */
		p.identity = NULL;
		CHECK_ERR(get(&x, s.port, &p), PEAL_ETCLIENT);
		tls_server_stop(&s);
		end(&x);
	}
	peal_identity_unref(one);
}

/* Bytes of a fetcher that has sessions with `n` servers. */
static void exported(struct peal_buf *out, const char *options,
		     struct tls_server *s)
{
	struct peal_tls_policy p;
	struct run x;

	begin(&x);
	tls_server_start(s, folder, options);
	p = strict(&x);
	CHECK_INT(resumes(&x, s->port, &p), 0);
	peal_buf_init(out, 1 << 20);
	CHECK_ERR(peal_fetcher_export(x.f, out), PEAL_OK);
	CHECK(out->len > 0);
	end(&x);
}

static unsigned import(const void *bytes, size_t len)
{
	struct peal_sessions s = { 0 };
	unsigned n = peal_sessions_import(&s, bytes, len);

	CHECK_INT(s.count, n);
	peal_sessions_clear(&s);
	CHECK_INT(s.bytes, 0);
	return n;
}

static void damage_is_ignored(void)
{
	struct tls_server s;
	struct peal_buf b;
	size_t i;

	exported(&b, servers[2].options, &s);
	CHECK_INT(import(b.data, b.len), 1);
	for (i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		CHECK_INT(import(b.data, b.len), 0);
		b.data[i] ^= 1;
		CHECK_INT(import(b.data, i), 0);
	}
	CHECK_INT(import("", 0), 0);
	peal_buf_fini_secret(&b);
	tls_server_stop(&s);
}

/* The sum is right, what it is of is not: the exchange goes well all the same,
 * with a session or without. */
static void forgeries_are_harmless(void)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	const size_t sum = PEAL_SHA256_SIZE;
	struct peal_tls_policy p;
	struct tls_server s;
	struct peal_buf b;
	struct run x;
	size_t i, k, step = getenv("PEAL_LONG") ? 1 : 23;
	unsigned char was;

	exported(&b, servers[1].options, &s);
	begin(&x);
	p = strict(&x);
	for (i = 0; i < b.len - sum; i++)
		for (k = 0; k < sizeof(values); k++) {
			was = b.data[i];
			b.data[i] = values[k];
			peal_sha256(b.data, b.len - sum, b.data + b.len - sum);
			import(b.data, b.len);
			if ((i * sizeof(values) + k) % step == 0) {
				peal_fetcher_forget(x.f);
				peal_fetcher_import(x.f, b.data, b.len);
				get(&x, s.port, &p);
				CHECK(x.err == PEAL_OK ||
				      x.err == PEAL_ECEXPIRED);
			}
			b.data[i] = was;
		}
	end(&x);
	peal_buf_fini_secret(&b);
	tls_server_stop(&s);
}

static struct peal_session *made(unsigned number, size_t len)
{
	struct peal_session *x = calloc(1, sizeof(*x));

	memcpy(x->key, &number, sizeof(number));
	x->until = 1000;
	x->bytes = calloc(1, len);
	x->len = len;
	REQUIRE(peal_peer_new(&x->peer, 1) == PEAL_OK);
	return x;
}

static void the_cache_is_bounded(void)
{
	struct peal_sessions s = { 0 };
	struct peal_session *x;
	unsigned i, taken = 0;

	for (i = 0; i < 2 * PEAL_LIMIT_SESSIONS; i++) {
		x = made(i, 100);
		if (peal_sessions_adopt(&s, x))
			taken++;
		else
			peal_session_free(x);
	}
	CHECK_INT(taken, PEAL_LIMIT_SESSIONS);
	CHECK_INT(s.count, PEAL_LIMIT_SESSIONS);
	peal_sessions_clear(&s);
	CHECK_INT(s.bytes, 0);
	for (i = 0; i < PEAL_LIMIT_SESSIONS; i++) {
		x = made(i, PEAL_LIMIT_SESSION);
		if (!peal_sessions_adopt(&s, x))
			peal_session_free(x);
	}
	CHECK(s.bytes <= PEAL_LIMIT_SESSIONS_BYTES);
	CHECK(s.count < PEAL_LIMIT_SESSIONS);
	CHECK(s.count >= 16);
	peal_sessions_clear(&s);
}

/* Many hosts: what was used longest ago goes. */
static void the_oldest_goes(void)
{
	struct peal_sessions s = { 0 };
	struct peal_tls_policy p;
	struct tls_server server;
	struct peal_buf b, c;
	struct run x;
	unsigned i, n = 0;
	struct peal_session *one;

	exported(&b, servers[0].options, &server);
	begin(&x);
	p = strict(&x);
	CHECK_INT(peal_fetcher_import(x.f, b.data, b.len), 1);
	peal_sessions_import(&s, b.data, b.len);
	for (i = 1; i < PEAL_LIMIT_SESSIONS; i++) {
		one = made(i, 10);
		REQUIRE(peal_sessions_adopt(&s, one));
	}
	peal_buf_init(&c, 1 << 20);
	CHECK_ERR(peal_sessions_export(&s, &c), PEAL_OK);
	n = peal_fetcher_import(x.f, c.data, c.len);
	CHECK_INT(n, PEAL_LIMIT_SESSIONS - 1);
	/* full: another server's takes the place of the last one */
	p.min_rsa_bits = 4096;
	CHECK_INT(resumes(&x, server.port, &p), 0);
	CHECK_INT(resumes(&x, server.port, &p), 1);
	p.min_rsa_bits = 2048;
	CHECK_INT(resumes(&x, server.port, &p), 1);
	peal_sessions_clear(&s);
	peal_buf_fini_secret(&b);
	peal_buf_fini_secret(&c);
	tls_server_stop(&server);
	end(&x);
}

struct exchange {
	struct tls_server server;
	struct peal_buf sessions;
};

/* Takes sessions up, resumes, and hands them out again. */
static int resumption(void *arg)
{
	struct exchange *e = arg;
	struct peal_anchors *a = NULL;
	struct peal_buf out;
	struct peal_tls_policy p;
	struct run *x = calloc(1, sizeof(*x));
	enum peal_err err = peal_loop_new(&x->l);
	int bad;

	peal_buf_init(&out, 1 << 20);
	if (!err)
		err = peal_anchors_new(&a);
	if (!err)
		err = peal_anchors_load(a, path_of("ca.pem"), 0, NULL, NULL);
	if (!err)
		err = peal_fetcher_new(&x->f, x->l);
	if (!err) {
		peal_fetcher_import(x->f, e->sessions.data, e->sessions.len);
		peal_tls_policy_init(&p);
		p.anchors = a;
		err = get(x, e->server.port, &p);
		CHECK(err != PEAL_ETIMEOUT);
	}
	if (!err)
		err = peal_fetcher_export(x->f, &out);
	bad = err != PEAL_OK;
	peal_fetcher_free(x->f);
	peal_anchors_unref(a);
	peal_buf_fini_secret(&out);
	peal_loop_free(x->l);
	free(x);
	return bad;
}

static void every_allocation_may_fail(void)
{
	long step = getenv("PEAL_LONG") ? 1 : 47;
	struct exchange e;
	unsigned k;

	for (k = 0; k < 3; k += 2) {
		exported(&e.sessions, servers[k].options, &e.server);
		CHECK_INT(resumption(&e), 0);
		printf("a resumption, %s: about %ld allocations\n",
		       servers[k].name,
		       alloc_fail_some(resumption, &e, 150, step));
		peal_buf_fini_secret(&e.sessions);
		tls_server_stop(&e.server);
	}
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "sessions are resumed", sessions_are_resumed },
		{ "policies do not share", policies_do_not_share },
		{ "exceptions leave nothing", exceptions_leave_nothing },
		{ "verdicts are judged again", verdicts_are_judged_again },
		{ "sessions end", sessions_end },
		{ "running ones are forgotten", running_ones_are_forgotten },
		{ "changed servers", changed_servers },
		{ "client certificates", client_certificates },
		{ "damage is ignored", damage_is_ignored },
		{ "forgeries are harmless", forgeries_are_harmless },
		{ "the cache is bounded", the_cache_is_bounded },
		{ "the oldest goes", the_oldest_goes },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	signal(SIGPIPE, SIG_IGN);
	return test_main_in(folder, make_certificates, cases,
			    sizeof(cases) / sizeof(*cases), argc, argv);
}
