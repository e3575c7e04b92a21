/* verify_test.c - the judgement of chains by the callback inside the library,
 * without a connection: certificates made on the fly, every order of failures.
 * With a connection: trust_test.c. */
#include <mbedtls/oid.h>
#include <time.h>

#include "alloc_fail.h"
#include "test.h"
#include "tls_server.h"
#include "trust/trust.h"

static char folder[] = "/tmp/peal-verify-XXXXXX";

/* NAME.pem is the certificate alone. */
static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"sub() {\n" /* NAME CN FROM TO ISSUER [DIGEST] */
	"  cert $1 \"/CN=$2\" $3 $4 $5 ec basicConstraints=critical,CA:TRUE "
	"$6\n"
	"}\n"
	"good='subjectAltName=DNS:pv.telco.net,IP:127.0.0.1'\n"
	"clients=\"$good\\nextendedKeyUsage=clientAuth\"\n"
	"root ca ec 'Test Root'\n"
	"root small 1024 'Small Root'\n"
	"old() {\n" /* NAME FROM TO DIGEST CN: a root with dates of its own */
	"  key $1 ec; openssl req -new -key $1.key -subj \"/CN=$5\" -out "
	"$1.csr\n"
	"  sign $1 $2 $3 $4 basicConstraints=critical,CA:TRUE -selfsign "
	"-keyfile $1.key\n"
	"}\n"
	"old oldroot -900 -5 sha256 'Old Root'\n"
	"old sha1root -10 900 sha1 'SHA-1 Root'\n"
	/* one key and name, several certificates */
	"for i in before after; do cp ca.key $i.key; openssl req -new -key "
	"ca.key -subj '/CN=Test Root' -out $i.csr; done\n"
	"sign before -1000 -5 sha256 basicConstraints=critical,CA:TRUE "
	"-selfsign -keyfile ca.key\n"
	"sign after -3 1000 sha256 basicConstraints=critical,CA:TRUE "
	"-selfsign -keyfile ca.key\n"
	"cat before.pem after.pem > renewed.pem\n"
	"cat ca.pem after.pem > both.pem\n"
	"cert long /CN=pv.telco.net -900 90 ca ec $good\n"
	"cert good /CN=pv.telco.net -1 90 ca ec $good\n"
	"cert other /CN=other.net -1 90 ca ec subjectAltName=DNS:other.net\n"
	/* wrong in every way, then in fewer and fewer */
	"cert all /CN=x -90 -2 ca 1024 "
	"'subjectAltName=DNS:x\\nextendedKeyUsage=clientAuth'\n"
	"cert usage /CN=x -1 90 ca ec "
	"'subjectAltName=DNS:x\\nextendedKeyUsage=clientAuth'\n"
	"cert keyusage /CN=pv.telco.net -1 90 ca ec "
	"\"$clients\\nkeyUsage=critical,keyAgreement\"\n"
	/* failures at different depths */
	"cert oldgood /CN=pv.telco.net -1 90 oldroot ec $good\n"
	"cert oldweak /CN=pv.telco.net -1 90 oldroot 1024 $good\n"
	"cert oldexpired /CN=pv.telco.net -90 -2 oldroot ec $good\n"
	"cert sha1good /CN=pv.telco.net -1 90 sha1root ec $good\n"
	"cert smallexpired /CN=pv.telco.net -90 -2 small ec $good\n"
	"sub sha1sub 'SHA-1 Sub' -90 90 ca sha1\n"
	"cert sha1subexpired /CN=pv.telco.net -90 -2 sha1sub ec $good\n"
	"cat sha1subexpired.pem sha1sub.pem > sha1chain.pem\n"
	"sub oldsub 'Old Sub' -90 -2 ca\n"
	"cert oldsubname /CN=x -1 90 oldsub ec subjectAltName=DNS:x\n"
	"cat oldsubname.pem oldsub.pem > oldchain.pem\n"
	"sub twin 'Twin' -90 90 ca; sub twin2 'Twin' -90 90 ca\n"
	"cert twinned /CN=pv.telco.net -1 80 twin ec $good\n"
	"cat twinned.pem twin2.pem > forged.pem\n"
	"cat twinned.pem twin.pem > twinchain.pem\n"
	"cert noca '/CN=No CA' -1 90 ca ec basicConstraints=CA:FALSE\n"
	"cert below /CN=pv.telco.net -1 90 noca ec $good\n"
	"cat below.pem noca.pem > belowchain.pem\n"
	"sub nopath 'No Path' -1 90 ca\n"
	"cert path0 '/CN=Path 0' -1 90 ca ec "
	"basicConstraints=critical,CA:TRUE,pathlen:0\n"
	"sub path1 'Path 1' -1 90 path0\n"
	"cert toodeep /CN=pv.telco.net -1 90 path1 ec $good\n"
	"cat toodeep.pem path1.pem path0.pem > pathchain.pem\n"
	/* extra certificates, in no chain */
	"cat good.pem other.pem > extra.pem\n"
	/* keys */
	"openssl ecparam -name prime192v1 -genkey -noout -out ec192.key\n"
	"chmod 600 ec192.key\n"
	"openssl req -new -key ec192.key -subj /CN=pv.telco.net -out "
	"ec192.csr\n"
	"sign ec192 -1 90 sha256 $good -cert ca.pem -keyfile ca.key\n"
	"cert sha1leaf /CN=pv.telco.net -1 90 ca ec $good sha1\n"
	"root rsaroot 2048 'RSA Root'\n"
	"cert md5leaf /CN=pv.telco.net -1 90 rsaroot ec $good md5\n"
	"cert rsa3072 /CN=pv.telco.net -1 90 ca 3072 $good\n"
	/* a public key of 8,192 bits, nobody has the private one of */
	"big() {\n"
	"  printf 'asn1=SEQUENCE:k\\n[k]\\na=SEQUENCE:a\\nb=BITWRAP,SEQUENCE:b"
	"\\n[a]\\no=OID:rsaEncryption\\np=NULL\\n[b]\\nn=INTEGER:0x%s\\n"
	"e=INTEGER:65537\\n' \"C$(openssl rand -hex $(($2/8)) | tr -d '\\n' | "
	"cut -c3-)1$3\" > $1.asn1\n"
	"  openssl asn1parse -genconf $1.asn1 -noout -out $1.der\n"
	"  openssl pkey -pubin -inform DER -in $1.der -pubout -out $1.pub\n"
	"  openssl req -new -key good.key -subj /CN=pv.telco.net -out "
	"$1.csr\n"
	"  printf '%b\\n' \"$good\" > $1.ext\n"
	"  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -force_pubkey "
	"$1.pub -days 90 -extfile $1.ext -CAcreateserial -out $1.pem\n"
	"}\n"
	"big rsa8192 8192\n"
	/* extensions */
	"cert constrained '/CN=Constrained' -1 90 ca ec 'basicConstraints="
	"critical,CA:TRUE\\nnameConstraints=critical,permitted;DNS:telco.net'\n"
	"cert unknown /CN=pv.telco.net -1 90 ca ec "
	"\"$good\\n1.2.3.4.5=critical,ASN1:NULL\"\n"
	"cert twice /CN=pv.telco.net -1 90 ca ec "
	"\"$good\\n2.5.29.99=DER:300e820c70762e74656c636f2e6e6574\"\n"
	"cert nul /CN=pv.telco.net -1 90 ca ec 'subjectAltName=DER:3024"
	"820c70762e74656c636f2e6e6574821470762e74656c636f2e6e6574002e65766c2e6f72"
	"'\n"
	/* the names of the provisioning guides */
	"n() { cert $1 \"$2\" -1 90 ca ec \"$3\"; }\n"
	"n v1 /CN=sprov.callme.com basicConstraints=CA:FALSE\n"
	"n v2 '/O=Telco/CN=pv.telco.net\\/mailto:admin@telco.net' "
	"basicConstraints=CA:FALSE\n"
	"n v3 '/CN=prof.voice.com\\/info@voice.com' basicConstraints=CA:FALSE\n"
	"n v5 '/CN=pv.telco.net\\/admin.telco.net' basicConstraints=CA:FALSE\n"
	"n v6 /CN=pv.telco.net subjectAltName=DNS:other.net\n"
	"n v7 '/CN=pv.telco.net\\/x' subjectAltName=email:a@b.c\n"
	"n v8 /O=Telco 'subjectAltName=DNS:*.telco.net'\n"
	"n v9 /O=Telco subjectAltName=IP:192.168.1.200\n"
	"n v10 /O=Telco subjectAltName=DNS:192.168.1.200\n"
	"n v11 '/CN=sprov.callme.com.evil.org\\/sprov.callme.com' "
	"basicConstraints=CA:FALSE\n"
	"n mid /O=Telco 'subjectAltName=DNS:pv.*.net,DNS:p*.telco.net'\n"
	/* 10,000 names; 50 certificates on top of each other */
	"seq -f 'DNS:h%g.example' -s , 1 10000 > many\n"
	"n many /O=Telco \"subjectAltName=$(cat many),DNS:pv.telco.net\"\n"
	"deep() {\n"
	"  last=ca i=1; : > chain\n"
	"  while [ $i -le $1 ]; do\n"
	"    sub deep$i \"Deep $i\" -1 90 $last; last=deep$i; i=$((i+1))\n"
	"    cat $last.pem chain > c2; mv c2 chain\n"
	"    [ $i != 9 ] && [ $i != 10 ] || { cert deepleaf$i /CN=pv.telco.net "
	"-1 90 $last ec $good; cat deepleaf$i.pem chain > deepchain$i.pem; }\n"
	"  done\n"
	"  cert deepleaf /CN=pv.telco.net -1 90 $last ec $good\n"
	"  cat deepleaf.pem chain > deepchain.pem\n"
	"}\n"
	"deep 50\n";

static const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, 128, "%s/%s.pem", folder, name);
	return p;
}

static struct peal_anchors *roots(const char *name, unsigned flags)
{
	struct peal_anchors *a;

	REQUIRE(peal_anchors_new(&a) == PEAL_OK);
	REQUIRE(peal_anchors_load(a, path_of(name), flags, NULL, NULL) ==
		PEAL_OK);
	return a;
}

static enum peal_err keep_digest(const struct peal_cert_facts *f, void *arg)
{
	unsigned char *out = arg;
	unsigned i, byte;

	for (i = 0; i < PEAL_DIGEST_SIZE; i++) {
		sscanf(f->sha256 + (size_t)2 * i, "%2x", &byte);
		out[i] = (unsigned char)byte;
	}
	return PEAL_ECANCELED; /* the first one is enough */
}

static void digest_of(const char *name, unsigned char out[PEAL_DIGEST_SIZE])
{
	static char bytes[400000];
	FILE *f = fopen(path_of(name), "r");
	size_t len;

	REQUIRE(f != NULL);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	CHECK_ERR(peal_certs_read(bytes, len, keep_digest, out, NULL),
		  PEAL_ECANCELED);
}

static struct peal_cert_set *set_of(const char *name)
{
	struct peal_cert_set *s;
	unsigned char sha256[PEAL_DIGEST_SIZE];

	digest_of(name, sha256);
	REQUIRE(peal_cert_set_new(&s) == PEAL_OK);
	REQUIRE(peal_cert_set_add(s, sha256) == PEAL_OK);
	return s;
}

/* One judgement and what came of it. */
struct trial {
	struct peal_tls_policy policy;
	struct peal_verdict v;
	struct peal_cert_facts facts[PEAL_LIMIT_CHAIN];
	unsigned facts_n;
	mbedtls_x509_crt chain;
	int rc; /* of the library */
};

static void begin(struct trial *t, const char *anchors)
{
	memset(t, 0, sizeof(*t));
	peal_tls_policy_init(&t->policy);
	t->policy.anchors = anchors ? roots(anchors, 0) : NULL;
	mbedtls_x509_crt_init(&t->chain);
}

static void end(struct trial *t)
{
	peal_anchors_unref(t->policy.anchors);
	peal_cert_set_unref(t->policy.rejected);
	peal_cert_set_unref(t->policy.pinned);
	peal_cert_set_unref(t->policy.removed);
	mbedtls_x509_crt_free(&t->chain);
}

static enum peal_err judge(struct trial *t, const char *name, const char *host)
{
	uint32_t flags = 0;

	mbedtls_x509_crt_free(&t->chain);
	REQUIRE(mbedtls_x509_crt_parse_file(&t->chain, path_of(name)) == 0);
	peal_verdict_init(&t->v, &t->policy, host, t->facts, &t->facts_n);
	t->rc = mbedtls_x509_crt_verify_with_profile(
		&t->chain, peal_verdict_list(&t->v), NULL, &t->v.profile, host,
		&flags, peal_verdict_ask, &t->v);
	/* what the library does and what we say is one */
	CHECK_INT(t->rc == 0, t->v.err == PEAL_OK);
	CHECK_INT(flags == 0, t->v.err == PEAL_OK);
	return t->v.err;
}

static void says(const struct trial *t, const char *text)
{
	if (!CHECK(strstr(t->v.reason.text, text) != NULL))
		fprintf(stderr, "\t\"%s\", not \"%s\"\n", t->v.reason.text,
			text);
}

/* The vectors 1 to 11 of the documented names. */
static void documented_names_on_certificates(void)
{
	static const struct {
		const char *host, *cert;
		enum peal_err err;
	} vectors[] = {
		{ "sprov.callme.com", "v1", PEAL_OK },
		{ "pv.telco.net", "v2", PEAL_OK },
		{ "PROF.voice.com.", "v3", PEAL_OK },
		{ "telco.net", "v2", PEAL_ECNAME },
		{ "admin.telco.net", "v5", PEAL_ECNAME },
		{ "pv.telco.net", "v6", PEAL_ECNAME },
		{ "pv.telco.net", "v7", PEAL_OK },
		{ "a.b.telco.net", "v8", PEAL_ECNAME },
		{ "a.telco.net", "v8", PEAL_OK },
		{ "192.168.1.200", "v9", PEAL_OK },
		{ "192.168.1.201", "v9", PEAL_ECNAME },
		{ "192.168.1.200", "v10", PEAL_ECNAME },
		{ "sprov.callme.com", "v11", PEAL_ECNAME },
		{ "pv.telco.net", "mid", PEAL_ECNAME },
		{ "pv.telco.net", "nul", PEAL_ECNAME },
	};
	struct trial t;
	size_t i;

	begin(&t, "ca");
	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		if (!CHECK_ERR(judge(&t, vectors[i].cert, vectors[i].host),
			       vectors[i].err))
			fprintf(stderr, "\t%s for %s: %s\n", vectors[i].cert,
				vectors[i].host, t.v.reason.text);
	judge(&t, "nul", "pv.telco.net");
	says(&t, "NUL inside");
	t.policy.cn_fallback = 0;
	CHECK_ERR(judge(&t, "v1", "sprov.callme.com"), PEAL_ECNAME);
	t.policy.check_name = 0;
	CHECK_ERR(judge(&t, "v6", "pv.telco.net"), PEAL_OK);
	end(&t);
}

/* One certificate that is wrong in every way; one thing after the other is
 * put right, and the next failure shows. */
static void failures_come_in_order(void)
{
	struct trial t;

	begin(&t, "oldroot");
	t.policy.dns_failure = "the address is another's";
	t.policy.rejected = set_of("all");
	t.policy.pinned = set_of("all");
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECREJECTED);
	says(&t, "the administrator rejected the certificate for x");
	peal_cert_set_unref(t.policy.rejected);
	t.policy.rejected = NULL;
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_OK);
	CHECK_INT(t.v.pinned, 1);
	peal_cert_set_unref(t.policy.pinned);
	t.policy.pinned = NULL;
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECUNTRUSTED);
	says(&t, "no trusted root for its issuer CN=Test Root");
	peal_anchors_unref(t.policy.anchors);
	t.policy.anchors = roots("ca", 0);
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECWEAK);
	says(&t, "1024 bits");
	t.policy.min_rsa_bits = 1024;
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECEXPIRED);
	says(&t, "for x expired 20");
	t.policy.now = time(NULL) - 10 * 86400;
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECUNTRUSTED);
	says(&t, "serverAuth");
	t.policy.now = 0;
	CHECK_ERR(judge(&t, "usage", "pv.telco.net"), PEAL_ECUNTRUSTED);
	CHECK_ERR(judge(&t, "other", "pv.telco.net"), PEAL_ECNAME);
	says(&t, "certificate is for other.net, not for pv.telco.net");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_ECDNS);
	CHECK_STR(t.v.reason.text, "the address is another's");
	t.policy.dns_failure = NULL;
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_OK);
	CHECK_INT(t.v.pinned, 0);
	CHECK_STR(t.v.reason.text, "");
	end(&t);
}

/* The library speaks of the root first; what is wrong with it must not hide
 * what comes earlier in the order. */
static void the_order_holds_across_depths(void)
{
	static const struct {
		const char *roots, *cert;
		enum peal_err err;
		const char *says;
	} cases[] = {
		{ "oldroot", "oldgood", PEAL_ECEXPIRED, "for Old Root" },
		{ "oldroot", "oldweak", PEAL_ECWEAK, "for pv.telco.net" },
		{ "oldroot", "oldexpired", PEAL_ECEXPIRED, "pv.telco.net" },
		{ "small", "smallexpired", PEAL_ECWEAK, "for Small Root" },
		{ "ca", "sha1chain", PEAL_ECWEAK, "for SHA-1 Sub" },
		{ "ca", "oldchain", PEAL_ECEXPIRED, "for Old Sub" },
		{ "ca", "forged", PEAL_ECUNTRUSTED,
		  "signature of the certificate for pv.telco.net is not by "
		  "Twin" },
		{ "ca", "twinchain", PEAL_OK, "" },
		{ "ca", "belowchain", PEAL_ECUNTRUSTED,
		  "CN=No CA, which may not issue it" },
		{ "ca", "pathchain", PEAL_ECUNTRUSTED, "may not issue it" },
		{ "ca", "ec192", PEAL_ECWEAK, "192 bits" },
		{ "ca", "sha1leaf", PEAL_ECWEAK, "outdated hash" },
		{ "rsaroot", "md5leaf", PEAL_ECWEAK, "outdated hash" },
		{ "ca", "rsa3072", PEAL_OK, "" },
		{ "ca", "rsa8192", PEAL_OK, "" },
		/* an anchor's signature of itself does not matter */
		{ "sha1root", "sha1good", PEAL_OK, "" },
		{ "ca", "oldroot", PEAL_ECUNTRUSTED, "self-signed" },
		{ NULL, "good", PEAL_ECUNTRUSTED, "no trusted roots" },
	};
	struct trial t;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&t, cases[i].roots);
		if (!CHECK_ERR(judge(&t, cases[i].cert, "pv.telco.net"),
			       cases[i].err))
			fprintf(stderr, "\t%s: %s\n", cases[i].cert,
				t.v.reason.text);
		says(&t, cases[i].says);
		CHECK(t.facts_n >= 1);
		end(&t);
	}
}

static void rejected_anywhere(void)
{
	static const char *const members[][2] = {
		{ "twinchain", "twinned" }, { "twinchain", "twin" },
		{ "twinchain", "ca" },      { "extra", "other" },
		{ "extra", "good" },        { "forged", "twin2" },
	};
	struct trial t;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
		begin(&t, "ca");
		t.policy.pinned = set_of(members[i][0]);
		t.policy.rejected = set_of(members[i][1]);
		if (!CHECK_ERR(judge(&t, members[i][0], "pv.telco.net"),
			       PEAL_ECREJECTED))
			fprintf(stderr, "\t%s\n", members[i][1]);
		end(&t);
	}
	begin(&t, "ca");
	t.policy.rejected = set_of("other");
	CHECK_ERR(judge(&t, "twinchain", "pv.telco.net"), PEAL_OK);
	end(&t);
}

/* Whatever the chain above it is like. */
static void a_pinned_leaf_passes(void)
{
	static const char *const certs[] = { "all",        "oldweak",
					     "sha1chain",  "forged",
					     "belowchain", "ec192",
					     "oldroot",    "keyusage" };
	struct trial t;
	size_t i;

	for (i = 0; i < sizeof(certs) / sizeof(*certs); i++) {
		begin(&t, "oldroot");
		t.policy.pinned = set_of(certs[i]);
		t.policy.dns_failure = "somebody else";
		CHECK_ERR(judge(&t, certs[i], "nobody.example"), PEAL_OK);
		CHECK_INT(t.v.pinned, 1);
		CHECK(t.v.not_after == INT64_MAX);
		/* what the library asks once the callback is through */
		CHECK_INT(mbedtls_x509_crt_check_extended_key_usage(
				  &t.chain, MBEDTLS_OID_SERVER_AUTH,
				  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)),
			  0);
		CHECK_INT(mbedtls_x509_crt_check_key_usage(
				  &t.chain, MBEDTLS_X509_KU_DIGITAL_SIGNATURE),
			  0);
		end(&t);
		/* without any root, too */
		begin(&t, NULL);
		t.policy.pinned = set_of(certs[i]);
		CHECK_ERR(judge(&t, certs[i], "nobody.example"), PEAL_OK);
		end(&t);
	}
	/* an intermediate is no leaf */
	begin(&t, "oldroot");
	t.policy.pinned = set_of("twin");
	CHECK_ERR(judge(&t, "twinchain", "pv.telco.net"), PEAL_ECUNTRUSTED);
	end(&t);
}

static void anchors_without_dates(void)
{
	struct trial t;

	begin(&t, NULL);
	t.policy.anchors = roots("oldroot", PEAL_ANCHOR_DATELESS);
	CHECK_ERR(judge(&t, "oldgood", "pv.telco.net"), PEAL_OK);
	CHECK(t.v.not_after > time(NULL) + 80 * 86400);
	CHECK_ERR(judge(&t, "oldexpired", "pv.telco.net"), PEAL_ECEXPIRED);
	CHECK_ERR(judge(&t, "oldweak", "pv.telco.net"), PEAL_ECWEAK);
	CHECK_ERR(judge(&t, "oldgood", "elsewhere.net"), PEAL_ECNAME);
	/* the server's own certificate is the anchor */
	t.policy.check_name = 0;
	CHECK_ERR(judge(&t, "oldroot", "pv.telco.net"), PEAL_OK);
	end(&t);
	begin(&t, "oldroot");
	t.policy.check_name = 0;
	CHECK_ERR(judge(&t, "oldroot", "pv.telco.net"), PEAL_ECEXPIRED);
	end(&t);
	begin(&t, "sha1root");
	t.policy.check_name = 0;
	CHECK_ERR(judge(&t, "sha1root", "pv.telco.net"), PEAL_OK);
	end(&t);
}

/* The library takes the first one that signed, by the process clock. */
static void a_root_that_was_renewed(void)
{
	unsigned char sha256[PEAL_DIGEST_SIZE];
	struct trial t;

	begin(&t, "both");
	t.policy.removed = set_of("ca");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_OK);
	digest_of("after", sha256);
	CHECK_MEM(t.v.anchor_sha256, 32, sha256, 32);
	/* what was rejected is not passed by, nor taken instead */
	t.policy.rejected = set_of("after");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_ECUNTRUSTED);
	peal_cert_set_unref(t.policy.rejected);
	t.policy.rejected = set_of("ca");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_ECREJECTED);
	end(&t);
	begin(&t, "renewed");
	CHECK_ERR(judge(&t, "long", "pv.telco.net"), PEAL_OK);
	t.policy.now = time(NULL) - 10 * 86400;
	CHECK_ERR(judge(&t, "long", "pv.telco.net"), PEAL_OK);
	digest_of("before", sha256);
	CHECK_MEM(t.v.anchor_sha256, 32, sha256, 32);
	t.policy.now = time(NULL) - 4 * 86400; /* neither */
	CHECK_ERR(judge(&t, "long", "pv.telco.net"), PEAL_ECFUTURE);
	end(&t);
}

static void removed_anchors(void)
{
	struct trial t;

	begin(&t, "ca");
	t.policy.removed = set_of("ca");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_ECUNTRUSTED);
	says(&t, "Test Root was removed by the administrator");
	CHECK_ERR(judge(&t, "all", "pv.telco.net"), PEAL_ECUNTRUSTED);
	end(&t);
	begin(&t, "ca"); /* an intermediate is no anchor */
	t.policy.removed = set_of("twin");
	CHECK_ERR(judge(&t, "twinchain", "pv.telco.net"), PEAL_OK);
	end(&t);
}

static void what_the_verdict_tells(void)
{
	unsigned char sha256[PEAL_DIGEST_SIZE];
	static const unsigned char none[PEAL_DIGEST_SIZE];
	struct trial t;

	begin(&t, NULL);
	t.policy.anchors = roots("ca", PEAL_ANCHOR_PRIVATE);
	digest_of("ca", sha256);
	CHECK_ERR(judge(&t, "twinchain", "pv.telco.net"), PEAL_OK);
	CHECK_INT(t.v.anchor_private, 1);
	CHECK_MEM(t.v.anchor_sha256, 32, sha256, 32);
	CHECK_INT(t.facts_n, 2);
	CHECK_STR(t.facts[0].cn, "pv.telco.net");
	CHECK_STR(t.facts[1].cn, "Twin");
	CHECK_INT(t.facts[1].is_ca, 1);
	CHECK(t.facts[0].der == t.chain.raw.p);
	/* the leaf ends first */
	CHECK(t.v.not_after == t.facts[0].to);
	/* also when a later check fails */
	CHECK_ERR(judge(&t, "twinchain", "x.example"), PEAL_ECNAME);
	CHECK_INT(t.v.anchor_private, 1);
	CHECK_MEM(t.v.anchor_sha256, 32, sha256, 32);
	CHECK_ERR(judge(&t, "oldgood", "x.example"), PEAL_ECUNTRUSTED);
	CHECK_INT(t.v.anchor_private, 0);
	CHECK_MEM(t.v.anchor_sha256, 32, none, 32);
	end(&t);
	begin(&t, "ca");
	CHECK_ERR(judge(&t, "good", "pv.telco.net"), PEAL_OK);
	CHECK_INT(t.v.anchor_private, 0);
	end(&t);
}

static enum peal_err again(struct trial *t, int with_peer)
{
	struct peal_verdict first = t->v;

	peal_verdict_init(&t->v, &t->policy, "pv.telco.net", t->facts,
			  &t->facts_n);
	t->v.pinned = first.pinned;
	t->v.not_after = first.not_after;
	memcpy(t->v.anchor_sha256, first.anchor_sha256, PEAL_DIGEST_SIZE);
	return peal_verdict_again(&t->v, with_peer ? &t->chain : NULL);
}

static void kept_connections_are_judged_again(void)
{
	struct trial t;
	int peer;

	for (peer = 0; peer < 2; peer++) {
		begin(&t, "ca");
		judge(&t, "good", "pv.telco.net");
		CHECK_ERR(again(&t, peer), PEAL_OK);
		CHECK_INT(t.facts_n, 1);
		t.policy.dns_failure = "moved";
		CHECK_ERR(again(&t, peer), PEAL_ECDNS);
		t.policy.now = time(NULL) + 100 * 86400;
		CHECK_ERR(again(&t, peer), PEAL_ECEXPIRED);
		t.policy.rejected = set_of("ca");
		CHECK_ERR(again(&t, peer), PEAL_ECREJECTED);
		end(&t);
		begin(&t, "ca");
		t.policy.pinned = set_of("all");
		judge(&t, "all", "pv.telco.net");
		t.policy.dns_failure = "moved";
		CHECK_ERR(again(&t, peer), PEAL_OK);
		end(&t);
	}
	begin(&t, "ca");
	judge(&t, "good", "pv.telco.net");
	t.policy.rejected = set_of("good");
	CHECK_ERR(again(&t, 1), PEAL_ECREJECTED);
	end(&t);
}

/* --- hard inputs --- */

static void long_chains(void)
{
	struct peal_reason reason;
	struct trial t;

	begin(&t, "ca");
	CHECK_ERR(judge(&t, "deepchain9", "pv.telco.net"), PEAL_OK);
	CHECK_ERR(judge(&t, "deepchain10", "pv.telco.net"), PEAL_ECUNTRUSTED);
	CHECK_ERR(judge(&t, "deepchain", "pv.telco.net"), PEAL_ECUNTRUSTED);
	CHECK_ERR(peal_err_mbedtls(t.rc, "pv.telco.net", &reason),
		  PEAL_ECUNTRUSTED);
	CHECK(strstr(reason.text, "too long") != NULL);
	end(&t);
	/* of those presented some are kept for traces */
	begin(&t, NULL);
	t.policy.pinned = set_of("good");
	shell(folder, "cat good.pem other.pem other.pem other.pem other.pem "
		      "> five.pem; cat five.pem five.pem five.pem five.pem "
		      "five.pem all.pem > crowd.pem");
	CHECK_ERR(judge(&t, "crowd", "pv.telco.net"), PEAL_OK);
	CHECK_INT(t.facts_n, PEAL_LIMIT_CHAIN);
	t.policy.rejected = set_of("all"); /* behind those */
	CHECK_ERR(judge(&t, "crowd", "pv.telco.net"), PEAL_ECREJECTED);
	end(&t);
}

static void refused_extension(int rc, const char *name)
{
	struct peal_reason reason;

	CHECK_ERR(peal_err_mbedtls(rc, "pv.telco.net", &reason),
		  PEAL_ECUNTRUSTED);
	if (!CHECK(strstr(reason.text, "name constraints") != NULL))
		fprintf(stderr, "\t%s: %s\n", name, reason.text);
}

static void extensions_that_cannot_be_honoured(void)
{
	static const char *const names[] = { "constrained", "unknown" };
	mbedtls_x509_crt crt;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		mbedtls_x509_crt_init(&crt);
		refused_extension(
			mbedtls_x509_crt_parse_file(&crt, path_of(names[i])),
			names[i]);
		mbedtls_x509_crt_free(&crt);
	}
}

/* 2.5.29.99, which nobody knows, becomes a second subjectAltName. */
static void an_extension_twice(void)
{
	static const unsigned char unknown[] = { 0x55, 0x1d, 0x63 };
	mbedtls_x509_crt crt, patched;
	unsigned char *at;

	mbedtls_x509_crt_init(&crt);
	mbedtls_x509_crt_init(&patched);
	REQUIRE(mbedtls_x509_crt_parse_file(&crt, path_of("twice")) == 0);
	at = memmem(crt.raw.p, crt.raw.len, unknown, sizeof(unknown));
	REQUIRE(at != NULL);
	at[2] = 0x11;
	refused_extension(mbedtls_x509_crt_parse_der(&patched, crt.raw.p,
						     crt.raw.len),
			  "twice");
	mbedtls_x509_crt_free(&patched);
	mbedtls_x509_crt_free(&crt);
}

static void ten_thousand_names(void)
{
	struct timespec from, to;
	struct trial t;
	double ms;
	int i;

	begin(&t, "ca");
	CHECK_ERR(judge(&t, "many", "pv.telco.net"), PEAL_OK);
	CHECK_ERR(judge(&t, "many", "H10000.example"), PEAL_OK);
	CHECK_ERR(judge(&t, "many", "h10001.example"), PEAL_ECNAME);
	says(&t, "h1.example, h2.example, h3.example, h4.example and others");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (i = 0; i < 10; i++)
		peal_cert_name_check(&t.chain, "h10001.example", 1,
				     &t.v.reason);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 +
	     (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	printf("10,000 names: %.3f ms\n", ms / 10);
	CHECK(ms / 10 < 50);
	end(&t);
}

/* Everything that a policy and a judgement allocate. */
static int whole_policy(void *arg)
{
	struct trial *t = arg;
	struct peal_anchors *base = NULL;
	uint32_t flags;
	int bad;

	memset(t, 0, sizeof(*t));
	peal_tls_policy_init(&t->policy);
	mbedtls_x509_crt_init(&t->chain);
	bad = peal_anchors_new(&base) ||
	      peal_anchors_load(base, path_of("ca"), 0, NULL, NULL) ||
	      peal_anchors_extend(&t->policy.anchors, base) ||
	      peal_anchors_load(t->policy.anchors, path_of("oldroot"), 0, NULL,
				NULL) ||
	      peal_cert_set_new(&t->policy.rejected) ||
	      peal_cert_set_add(t->policy.rejected, (unsigned char[32]){ 1 }) ||
	      peal_ciphers_parse(&t->policy.ciphers, "ALL:!DHE:FOO") ||
	      mbedtls_x509_crt_parse_file(&t->chain, path_of("twinchain"));
	peal_anchors_unref(base);
	if (!bad) {
		peal_verdict_init(&t->v, &t->policy, "pv.telco.net", t->facts,
				  &t->facts_n);
		bad = mbedtls_x509_crt_verify_with_profile(
			      &t->chain, peal_verdict_list(&t->v), NULL,
			      &t->v.profile, NULL, &flags, peal_verdict_ask,
			      &t->v) != 0;
		CHECK(bad || t->v.err == PEAL_OK);
		CHECK(!bad || t->v.err != PEAL_OK);
	}
	peal_ciphers_unref(t->policy.ciphers);
	end(t);
	return bad;
}

static void every_allocation_may_fail(void)
{
	struct trial *t = calloc(1, sizeof(*t));

	printf("a policy and a judgement: %ld allocations\n",
	       alloc_fail_each(whole_policy, t));
	free(t);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "documented names on certificates, vectors 1 to 11",
		  documented_names_on_certificates },
		{ "failures come in order", failures_come_in_order },
		{ "the order holds across depths",
		  the_order_holds_across_depths },
		{ "rejected anywhere", rejected_anywhere },
		{ "a pinned leaf passes", a_pinned_leaf_passes },
		{ "anchors without dates", anchors_without_dates },
		{ "a root that was renewed", a_root_that_was_renewed },
		{ "removed anchors", removed_anchors },
		{ "what the verdict tells", what_the_verdict_tells },
		{ "kept connections are judged again",
		  kept_connections_are_judged_again },
		{ "long chains", long_chains },
		{ "extensions that cannot be honoured",
		  extensions_that_cannot_be_honoured },
		{ "an extension twice", an_extension_twice },
		{ "ten thousand names", ten_thousand_names },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	return test_main_in(folder, make_certificates, cases,
			    sizeof(cases) / sizeof(*cases), argc, argv);
}
