/* trust_test.c - whom the phone believes: certificates made on the fly, a real
 * TLS server (openssl s_server), and every way to be refused. */
#include "peal/trust.h"

#include <sys/stat.h>
#include <time.h>

#include "alloc_fail.h"
#include "peal/fetch.h"
#include "test.h"
#include "tls_server.h"

static char folder[] = "/tmp/peal-trust-XXXXXX";

static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"root ca ec 'Test Root'\n"
	"root other ec 'Other Root'\n"
	"root small 1024 'Small Root'\n"
	"good=subjectAltName=DNS:pv.telco.net,IP:127.0.0.1\n"
	"cert good /CN=pv.telco.net -1 90 ca ec $good\n"
	"cert rsa /CN=pv.telco.net -1 90 ca 2048 $good\n"
	"cert expired /CN=pv.telco.net -90 -2 ca ec $good\n"
	"cert future /CN=pv.telco.net 3 90 ca ec $good\n"
	"cert cn '/O=Telco/CN=pv.telco.net\\/mailto:admin@telco.net' -1 90 ca "
	"ec basicConstraints=CA:FALSE\n"
	"cert wrong /CN=pv.telco.net -1 90 ca ec subjectAltName=DNS:other.net\n"
	"cert weak /CN=pv.telco.net -1 90 ca 1024 $good\n"
	"cert sha1 /CN=pv.telco.net -1 90 ca ec $good sha1\n"
	"cert smallsigned /CN=pv.telco.net -1 90 small ec $good\n"
	"cert client /CN=pv.telco.net -1 90 ca ec "
	"\"$good\\nextendedKeyUsage=clientAuth\"\n"
	"cert server /CN=pv.telco.net -1 90 ca ec "
	"\"$good\\nextendedKeyUsage=serverAuth\"\n"
	"cert sub '/CN=Test Sub' -1 90 ca ec basicConstraints=critical,CA:TRUE"
	"\n"
	"cert subbed /CN=pv.telco.net -1 90 sub ec $good\n"
	"cat subbed.pem sub.pem > chain.pem\n"
	"cert noca '/CN=No CA' -1 90 ca ec basicConstraints=CA:FALSE\n"
	"cert below /CN=pv.telco.net -1 90 noca ec $good\n"
	"cat below.pem noca.pem > belowchain.pem\n"
	"key self ec; openssl req -x509 -new -key self.key -days 90 -subj "
	"/CN=pv.telco.net -addext $good -out self.pem\n"
	"cert mic1 '/OU=CP-8841-3PCC/L=88012BA01234/ST=000e08abcdef' -1 90 ca "
	"ec basicConstraints=CA:FALSE\n"
	"cert mic2 '/OU=CP-8841-3PCC/L=88012BA05678/ST=000e08abcd00' -1 90 ca "
	"ec basicConstraints=CA:FALSE\n"
	"cert mic3 '/OU=CP-8841-3PCC/L=88012BA09999/ST=000e08abcd99' -1 90 ca "
	"2048 basicConstraints=CA:FALSE\n"
	"cert micold '/OU=CP/L=old' -90 -2 ca ec basicConstraints=CA:FALSE\n"
	"cert micother '/OU=CP/L=other' -1 90 other ec "
	"basicConstraints=CA:FALSE\n"
	"cat ca.pem other.pem > two.pem\n"
	"openssl x509 -in ca.pem -outform DER -out ca.der\n"
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
	char body[20000];
	char subject[256];
	char not_after[21];
	unsigned chain_n;
	int client_cert_sent, client_cert_requested;
};

static void keep(enum peal_err err, const struct peal_fetch_response *r,
		 const struct peal_reason *reason, void *arg)
{
	struct run *x = arg;
	size_t n = r->body_len < sizeof(x->body) ? r->body_len : 0;

	x->done = 1;
	x->err = err;
	x->status = r->status;
	x->chain_n = r->chain_n;
	x->client_cert_sent = r->client_cert_sent;
	x->client_cert_requested = r->client_cert_requested;
	snprintf(x->reason, sizeof(x->reason), "%s", reason->text);
	snprintf(x->version, sizeof(x->version), "%s", r->tls_version);
	snprintf(x->subject, sizeof(x->subject), "%s", r->chain[0].subject);
	snprintf(x->not_after, sizeof(x->not_after), "%s",
		 r->chain[0].not_after);
	if (n)
		memcpy(x->body, r->body, n);
	x->body[n] = '\0';
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

static struct peal_identity *identity(const char *name)
{
	struct peal_identity *id;
	char cert[40], key[40];

	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
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

static enum peal_err get(struct run *x, unsigned port, const char *host,
			 const struct peal_tls_policy *policy)
{
	struct peal_fetch_request r = { .address = "127.0.0.1", .tls = policy };
	char url[100];
	enum peal_err err;

	snprintf(url, sizeof(url), "https://%s:%u/x", host, port);
	r.url = url;
	x->done = 0;
	err = peal_fetch_start(NULL, x->f, &r, keep, x, NULL);
	if (err)
		return err;
	while (!x->done)
		peal_loop_run(x->l, 1);
	return x->err;
}

static struct peal_tls_policy strict(struct run *x)
{
	struct peal_tls_policy p;

	peal_tls_policy_init(&p);
	p.anchors = x->anchors;
	return p;
}

static enum peal_err pin_it(const struct peal_cert_facts *f, void *arg)
{
	unsigned char sha256[32];
	unsigned i, byte;

	for (i = 0; i < sizeof(sha256); i++) {
		REQUIRE(sscanf(f->sha256 + (size_t)2 * i, "%2x", &byte) == 1);
		sha256[i] = (unsigned char)byte;
	}
	return peal_cert_set_add(arg, sha256);
}

static struct peal_cert_set *pin(const char *cert)
{
	struct peal_cert_set *set;
	char file[40], text[10000];
	FILE *f;
	size_t len;

	snprintf(file, sizeof(file), "%s.pem", cert);
	f = fopen(path_of(file), "r");
	REQUIRE(f != NULL);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	REQUIRE(peal_cert_set_new(&set) == PEAL_OK);
	REQUIRE(peal_certs_read(text, len, pin_it, set, NULL) == PEAL_OK);
	return set;
}

static void verdicts(void)
{
	static const struct {
		const char *cert, *key, *host;
		enum peal_err err;
		const char *says;
	} cases[] = {
		{ "good", "good", "pv.telco.net", PEAL_OK, "" },
		{ "good", "good", "PV.telco.net.", PEAL_OK, "" },
		{ "good", "good", "127.0.0.1", PEAL_OK, "" },
		{ "rsa", "rsa", "pv.telco.net", PEAL_OK, "" },
		{ "cn", "cn", "pv.telco.net", PEAL_OK, "" },
		{ "server", "server", "pv.telco.net", PEAL_OK, "" },
		{ "chain", "subbed", "pv.telco.net", PEAL_OK, "" },
		{ "expired", "expired", "pv.telco.net", PEAL_ECEXPIRED,
		  "certificate for pv.telco.net expired 20" },
		{ "future", "future", "pv.telco.net", PEAL_ECFUTURE,
		  "is not valid before 20" },
		{ "self", "self", "pv.telco.net", PEAL_ECUNTRUSTED,
		  "self-signed" },
		{ "subbed", "subbed", "pv.telco.net", PEAL_ECUNTRUSTED,
		  "CN=Test Sub" },
		{ "belowchain", "below", "pv.telco.net", PEAL_ECUNTRUSTED,
		  "CN=No CA" },
		{ "client", "client", "pv.telco.net", PEAL_ECUNTRUSTED,
		  "serverAuth" },
		{ "wrong", "wrong", "pv.telco.net", PEAL_ECNAME,
		  "certificate is for other.net, not for pv.telco.net" },
		{ "good", "good", "a.pv.telco.net", PEAL_ECNAME,
		  "pv.telco.net, 127.0.0.1, not for" },
		{ "cn", "cn", "admin.telco.net", PEAL_ECNAME,
		  "pv.telco.net/mailto" },
		{ "weak", "weak", "pv.telco.net", PEAL_ECWEAK, "1024 bits" },
		{ "sha1", "sha1", "pv.telco.net", PEAL_ECWEAK, "SHA-256" },
	};
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "-cert %s.pem -cert_chain %s.pem -key %s.key -WWW "
			 "-cipher DEFAULT@SECLEVEL=0",
			 cases[i].cert, cases[i].cert, cases[i].key);
		tls_server_start(&s, folder, options);
		p = strict(&x);
		if (!CHECK_ERR(get(&x, s.port, cases[i].host, &p),
			       cases[i].err))
			fprintf(stderr, "\t%s: %s\n", cases[i].cert, x.reason);
		if (!CHECK(strstr(x.reason, cases[i].says) != NULL))
			fprintf(stderr, "\t%s: %s\n", cases[i].cert, x.reason);
		CHECK(x.chain_n >= 1); /* shown also when refused */
		if (!x.err) {
			CHECK_STR(x.body, "hello");
			CHECK_STR(x.version, "TLSv1.3");
		}
		tls_server_stop(&s);
		end(&x);
	}
}

static void policies(void)
{
	struct peal_tls_policy p;
	struct tls_server good, weak, expired;
	struct run x;

	begin(&x);
	tls_server_start(&good, folder, "-cert good.pem -key good.key -WWW");
	tls_server_start(&weak, folder,
			 "-cert weak.pem -key weak.key -WWW -cipher "
			 "DEFAULT@SECLEVEL=0");
	tls_server_start(&expired, folder,
			 "-cert expired.pem -key expired.key -WWW");

	p = strict(&x);
	p.anchors = NULL;
	CHECK_ERR(get(&x, good.port, "pv.telco.net", &p), PEAL_ECUNTRUSTED);
	CHECK(strstr(x.reason, "no trusted roots") != NULL);
	p = strict(&x);
	p.check_name = 0;
	CHECK_ERR(get(&x, good.port, "elsewhere.example", &p), PEAL_OK);
	p = strict(&x);
	p.min_rsa_bits = 1024;
	CHECK_ERR(get(&x, weak.port, "pv.telco.net", &p), PEAL_OK);
	/* kept connections do not cross policies */
	p = strict(&x);
	CHECK_ERR(get(&x, weak.port, "pv.telco.net", &p), PEAL_ECWEAK);
	/* the phone's clock, not the process's */
	p.now = time(NULL) - 10 * 86400;
	CHECK_ERR(get(&x, expired.port, "pv.telco.net", &p), PEAL_OK);
	p.now = (int64_t)time(NULL) + 400 * 86400;
	CHECK_ERR(get(&x, good.port, "pv.telco.net", &p), PEAL_ECEXPIRED);
	p.now = 1;
	CHECK_ERR(get(&x, good.port, "pv.telco.net", &p), PEAL_ECFUTURE);
	tls_server_stop(&good);
	tls_server_stop(&weak);
	tls_server_stop(&expired);
	end(&x);
}

static void versions(void)
{
	static const struct {
		const char *server;
		enum peal_tls_version min;
		enum peal_err err;
		const char *version;
	} cases[] = {
		{ "-tls1_1", PEAL_TLS_1_2, PEAL_ETVERSION, "" },
		{ "-tls1_2", PEAL_TLS_1_2, PEAL_OK, "TLSv1.2" },
		{ "-tls1_3", PEAL_TLS_1_2, PEAL_OK, "TLSv1.3" },
		{ "-tls1_1", PEAL_TLS_1_3, PEAL_ETVERSION, "" },
		{ "-tls1_2", PEAL_TLS_1_3, PEAL_ETVERSION, "" },
		{ "-tls1_3", PEAL_TLS_1_3, PEAL_OK, "TLSv1.3" },
	};
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "-cert good.pem -key good.key -WWW %s -cipher "
			 "DEFAULT@SECLEVEL=0",
			 cases[i].server);
		tls_server_start(&s, folder, options);
		p = strict(&x);
		p.min_version = cases[i].min;
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
			       cases[i].err))
			fprintf(stderr, "\t%s min %d: %s\n", cases[i].server,
				(int)cases[i].min, x.reason);
		CHECK_STR(x.version, cases[i].version);
		tls_server_stop(&s);
		end(&x);
	}
}

/* RFC 8446 4.2.3: RSA-PSS may sign in TLS 1.2, too, since we offer it. The
 * empty option is OpenSSL's own choice, our first. */
static void rsa_signatures(void)
{
	static const char *const servers[] = {
		"-tls1_2",
		"-tls1_2 -serverpref",
		"-tls1_2 -sigalgs RSA+SHA256",
		"-tls1_2 -sigalgs RSA-PSS+SHA256",
		"-tls1_2 -sigalgs RSA-PSS+SHA384",
		"-tls1_2 -sigalgs RSA-PSS+SHA512",
		"-tls1_3",
		"-tls1_3 -serverpref",
		"-tls1_3 -sigalgs RSA-PSS+SHA384",
	};
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	size_t i;

	for (i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "-cert rsa.pem -key rsa.key -WWW %s", servers[i]);
		tls_server_start(&s, folder, options);
		p = strict(&x);
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK))
			fprintf(stderr, "\t%s: %s\n", servers[i], x.reason);
		CHECK_STR(x.body, "hello");
		CHECK_STR(x.version,
			  strstr(servers[i], "1_2") ? "TLSv1.2" : "TLSv1.3");
		tls_server_stop(&s);
		end(&x);
	}
}

static void no_common_cipher(void)
{
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;

	begin(&x);
	p = strict(&x);
	tls_server_start(&s, folder,
			 "-cert rsa.pem -key rsa.key -WWW -tls1_2 -cipher "
			 "AES128-SHA");
	CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_ETHANDSHAKE);
	CHECK(strstr(x.reason, "alert 40") != NULL);
	tls_server_stop(&s);
	end(&x);
}

/* TLS_Cipher_List against servers that insist. */
static void cipher_lists(void)
{
	static const struct {
		const char *list, *server;
		enum peal_err err;
	} cases[] = {
		{ "RSA:!aNULL:!eNULL", "-cipher AES128-SHA", PEAL_OK },
		{ "RSA:!aNULL:!eNULL", "-cipher AES256-GCM-SHA384", PEAL_OK },
		{ "RSA:!aNULL:!eNULL", "-cipher ECDHE", PEAL_ETHANDSHAKE },
		{ "DEFAULT:!AESGCM", "-cipher ECDHE-RSA-AES128-GCM-SHA256",
		  PEAL_ETHANDSHAKE },
		{ "ECDHE-RSA-AES128-SHA", "-cipher ECDHE-RSA-AES128-SHA",
		  PEAL_OK },
		{ "DHE",
		  "-cipher DHE-RSA-AES128-GCM-SHA256@SECLEVEL=0 -dhparam dh2048",
		  PEAL_OK },
		{ "DHE",
		  "-cipher DHE-RSA-AES128-GCM-SHA256@SECLEVEL=0 -dhparam dh1536",
		  PEAL_ETHANDSHAKE },
		{ "", "-cipher DHE", PEAL_ETHANDSHAKE },
	};
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	size_t i;

	shell(folder, "for i in modp_1536:dh1536 modp_2048:dh2048; do openssl "
		      "genpkey -genparam -algorithm DH -pkeyopt group:${i%:*} "
		      "-out ${i#*:}; done 2>/dev/null");
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "-cert rsa.pem -key rsa.key -WWW -tls1_2 %s",
			 cases[i].server);
		tls_server_start(&s, folder, options);
		p = strict(&x);
		REQUIRE(peal_ciphers_parse(&p.ciphers, cases[i].list) ==
			PEAL_OK);
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
			       cases[i].err))
			fprintf(stderr, "\t%s, %s: %s\n", cases[i].list,
				cases[i].server, x.reason);
		peal_ciphers_unref(p.ciphers);
		tls_server_stop(&s);
		end(&x);
	}
}

/* One that was accepted by hand: whatever is wrong with it, and without any
 * roots; what it may be used for is the library's own check. */
static void pinned_certificates(void)
{
	static const char *const certs[] = { "expired", "self", "wrong",
					     "client", "weak" };
	static const char *const versions[] = { "-tls1_2", "-tls1_3" };
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[200];
	size_t i, j;

	for (i = 0; i < sizeof(certs) / sizeof(*certs); i++)
		for (j = 0; j < 2; j++) {
			begin(&x);
			snprintf(options, sizeof(options),
				 "-cert %s.pem -key %s.key -WWW %s -cipher "
				 "DEFAULT@SECLEVEL=0",
				 certs[i], certs[i], versions[j]);
			tls_server_start(&s, folder, options);
			p = strict(&x);
			p.anchors = NULL;
			p.pinned = pin(certs[i]);
			if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
				       PEAL_OK))
				fprintf(stderr, "\t%s %s: %s\n", certs[i],
					versions[j], x.reason);
			p.rejected = p.pinned;
			CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
				  PEAL_ECREJECTED);
			peal_cert_set_unref(p.pinned);
			tls_server_stop(&s);
			end(&x);
		}
}

static void client_certificates(void)
{
	static const char *const servers[] = {
		"-cert good.pem -key good.key -tls1_2",
		"-cert good.pem -key good.key -tls1_3",
		"-cert rsa.pem -key rsa.key -tls1_2",
		"-cert rsa.pem -key rsa.key -tls1_2 -serverpref",
		"-cert rsa.pem -key rsa.key -tls1_3",
	};
	struct peal_identity *mic = identity("mic1");
	struct peal_identity *rsa = identity("mic3");
	struct peal_identity *old = identity("micold");
	struct peal_identity *foreign = identity("micother");
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	char options[300];
	size_t i;

	for (i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		begin(&x);
		snprintf(options, sizeof(options),
			 "%s -www -CAfile ca.pem -Verify 3 "
			 "-verify_return_error",
			 servers[i]);
		tls_server_start(&s, folder, options);
		p = strict(&x);
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
			       PEAL_ETCLIENT))
			fprintf(stderr, "\t%s: %s\n", servers[i], x.reason);
		CHECK_INT(x.client_cert_sent, 0);
		p.identity = mic;
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK))
			fprintf(stderr, "\t%s: %s\n", servers[i], x.reason);
		if (!CHECK_INT(x.client_cert_sent, 1))
			fprintf(stderr, "\t%s\n", servers[i]);
		CHECK(strstr(x.body, "000e08abcdef") != NULL);
		p.identity = rsa;
		CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK);
		CHECK(strstr(x.body, "000e08abcd99") != NULL);
		p.identity = old; /* presented all the same */
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
			       PEAL_ETCLIENT))
			fprintf(stderr, "\t%s: %s\n", servers[i], x.reason);
		p.identity = foreign;
		if (!CHECK_ERR(get(&x, s.port, "pv.telco.net", &p),
			       PEAL_ETCLIENT))
			fprintf(stderr, "\t%s: %s\n", servers[i], x.reason);
		tls_server_stop(&s);
		end(&x);
	}
	peal_identity_unref(mic);
	peal_identity_unref(rsa);
	peal_identity_unref(old);
	peal_identity_unref(foreign);
}

static void unasked_certificate_stays_home(void)
{
	struct peal_identity *mic = identity("mic1");
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;

	begin(&x);
	tls_server_start(&s, folder, "-cert good.pem -key good.key -WWW");
	p = strict(&x);
	p.identity = mic;
	CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK);
	CHECK_INT(x.client_cert_sent, 0);
	CHECK_INT(x.client_cert_requested, 0);
	tls_server_stop(&s);
	end(&x);
	peal_identity_unref(mic);
}

/* A server that asks, and lets those pass who have none. */
static void request_without_demand_is_told(void)
{
	static const char *const servers[] = {
		"-cert good.pem -key good.key -WWW -verify 3 -tls1_2",
		"-cert good.pem -key good.key -WWW -verify 3 -tls1_3",
	};
	struct tls_server s;
	struct peal_tls_policy p;
	struct run x;
	unsigned i;

	for (i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		begin(&x);
		tls_server_start(&s, folder, servers[i]);
		p = strict(&x);
		CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK);
		CHECK_INT(x.client_cert_requested, 1);
		CHECK_INT(x.client_cert_sent, 0);
		tls_server_stop(&s);
		end(&x);
	}
}

/* Two phones in one process: the server must see the right one each time. */
static void identities_do_not_mix(void)
{
	struct peal_identity *one = identity("mic1"), *two = identity("mic2");
	struct peal_tls_policy p;
	struct tls_server s;
	struct run x;
	int i;

	begin(&x);
	tls_server_start(&s, folder,
			 "-cert good.pem -key good.key -www -CAfile ca.pem "
			 "-Verify 3 -verify_return_error");
	p = strict(&x);
	for (i = 0; i < 6; i++) {
		p.identity = i % 2 ? one : two;
		CHECK_ERR(get(&x, s.port, "pv.telco.net", &p), PEAL_OK);
		CHECK_INT(strstr(x.body, "88012BA01234") != NULL, i % 2);
		CHECK_INT(strstr(x.body, "88012BA05678") != NULL, !(i % 2));
	}
	tls_server_stop(&s);
	end(&x);
	peal_identity_unref(one);
	peal_identity_unref(two);
}

static void anchors(void)
{
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nnonsense\n"
				   "-----END CERTIFICATE-----\n";
	struct peal_anchors *a;
	struct peal_reason reason;
	unsigned n;

	REQUIRE(peal_anchors_new(&a) == PEAL_OK);
	CHECK_ERR(peal_anchors_load(a, path_of("two.pem"), 0, &n, &reason),
		  PEAL_OK);
	CHECK_INT(n, 2);
	CHECK_ERR(peal_anchors_load(a, path_of("ca.der"), 0, &n, &reason),
		  PEAL_OK);
	CHECK_INT(n, 1);
	CHECK_INT(peal_anchors_count(a), 3);
	CHECK_ERR(peal_anchors_load(a, path_of("good.pem"), 0, &n, &reason),
		  PEAL_EINVAL);
	CHECK_INT(n, 0);
	CHECK_ERR(peal_anchors_load(a, path_of("good.key"), 0, &n, &reason),
		  PEAL_EINVAL);
	CHECK_ERR(peal_anchors_load(a, path_of("none.pem"), 0, &n, &reason),
		  PEAL_ENOENT);
	CHECK_ERR(peal_anchors_load(a, folder, 0, &n, &reason), PEAL_EINVAL);
	CHECK_ERR(peal_anchors_add(a, junk, strlen(junk), 0, &n, &reason),
		  PEAL_EINVAL);
	CHECK_ERR(peal_anchors_add(a, "<html>", 6, 0, &n, &reason),
		  PEAL_EINVAL);
	CHECK_ERR(peal_anchors_add(a, "", 0, 0, &n, &reason), PEAL_EINVAL);
	CHECK_INT(peal_anchors_count(a), 3);
	peal_anchors_unref(a);
	peal_anchors_unref(NULL);
	CHECK_INT(peal_anchors_count(NULL), 0);
}

static void identities(void)
{
	struct peal_identity *id;
	struct peal_reason reason;

	CHECK_ERR(peal_identity_load(&id, path_of("mic1.pem"),
				     path_of("mic2.key"), &reason),
		  PEAL_EKEY);
	CHECK(strstr(reason.text, "does not belong") != NULL);
	CHECK_ERR(peal_identity_load(&id, path_of("mic1.pem"),
				     path_of("none.key"), &reason),
		  PEAL_ENOENT);
	CHECK_ERR(peal_identity_load(&id, path_of("x"), path_of("mic1.key"),
				     &reason),
		  PEAL_EKEY);
	CHECK_ERR(peal_identity_load(&id, path_of("mic1.pem"), path_of("x"),
				     &reason),
		  PEAL_EPERM); /* world-readable, whatever is in it */
	shell(folder, "cp mic1.key open.key; chmod 640 open.key");
	CHECK_ERR(peal_identity_load(&id, path_of("mic1.pem"),
				     path_of("open.key"), &reason),
		  PEAL_EPERM);
	CHECK(strstr(reason.text, "chmod 600") != NULL);
	peal_identity_unref(NULL);
}

static int handshake(void *arg)
{
	struct tls_server *s = arg;
	struct peal_anchors *a = NULL;
	struct peal_identity *id = NULL;
	struct peal_tls_policy p;
	struct run *x = calloc(1, sizeof(*x));
	enum peal_err err;
	int bad;

	err = peal_loop_new(&x->l);
	if (!err)
		err = peal_anchors_new(&a);
	if (!err)
		err = peal_anchors_load(a, path_of("ca.pem"), 0, NULL, NULL);
	if (!err)
		err = peal_identity_load(&id, path_of("mic1.pem"),
					 path_of("mic1.key"), NULL);
	if (!err)
		err = peal_fetcher_new(&x->f, x->l);
	if (!err) {
		peal_tls_policy_init(&p);
		p.anchors = a;
		p.identity = id;
		err = get(x, s->port, "pv.telco.net", &p);
		CHECK(err != PEAL_ETIMEOUT);
	}
	bad = err != PEAL_OK;
	peal_fetcher_free(x->f);
	peal_identity_unref(id);
	peal_anchors_unref(a);
	peal_loop_free(x->l);
	free(x);
	return bad;
}

/* A handshake makes thousands: all of them with --long, else a sample. */
static void every_allocation_may_fail(void)
{
	long step = getenv("PEAL_LONG") ? 1 : 97;
	struct tls_server s;

	tls_server_start(&s, folder,
			 "-cert good.pem -key good.key -WWW -CAfile ca.pem "
			 "-Verify 3");
	CHECK_INT(handshake(&s), 0);
	printf("a handshake: about %ld allocations\n",
	       alloc_fail_some(handshake, &s, 150, step));
	tls_server_stop(&s);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "verdicts", verdicts },
		{ "policies", policies },
		{ "versions", versions },
		{ "RSA signatures", rsa_signatures },
		{ "no common cipher", no_common_cipher },
		{ "cipher lists", cipher_lists },
		{ "pinned certificates", pinned_certificates },
		{ "client certificates", client_certificates },
		{ "an unasked certificate stays home",
		  unasked_certificate_stays_home },
		{ "a request without a demand is told",
		  request_without_demand_is_told },
		{ "identities do not mix", identities_do_not_mix },
		{ "anchors", anchors },
		{ "identities", identities },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	signal(SIGPIPE, SIG_IGN);
	return test_main_in(folder, make_certificates, cases,
			    sizeof(cases) / sizeof(*cases), argc, argv);
}
