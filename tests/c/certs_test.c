/* certs_test.c - certificates as bytes: PEM, DER and PKCS #7, their facts;
 * lists of fingerprints, sets of roots; what codes of the library mean. */
#include "alloc_fail.h"
#include "test.h"
#include "tls_server.h"
#include "trust/trust.h"

static char folder[] = "/tmp/peal-certs-XXXXXX";

static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"root ca ec 'Test Root'\n"
	"root other ec 'Other Root'\n"
	"cert leaf '/O=Telco/CN=pv.telco.net\\/mailto:admin@telco.net' -1 90 "
	"ca 2048 \"subjectAltName=DNS:pv.telco.net,IP:192.168.1.200,IP:fe80::1,"
	"email:a@b.c,URI:https://x/y,RID:1.2.3\\nextendedKeyUsage=serverAuth,"
	"clientAuth,codeSigning\"\n"
	"cert evil \"/CN=a$(printf '\\033')b\" -1 90 ca ec "
	"subjectAltName=DER:300c820a612e62000d0a6d6f7265\n"
	"u=$(printf '/OU=%060d' 0 0 0 0 0)\n"
	"openssl req -x509 -key leaf.key -days 9 -out long.pem -subj "
	"\"$u/CN=a$(printf '\033')b\"\n"
	"cat ca.pem other.pem leaf.pem > three.pem\n"
	"openssl x509 -req -in leaf.csr -signkey leaf.key -out old.pem\n"
	"for i in ca leaf old; do openssl x509 -in $i.pem -outform DER -out $i.der;"
	" done\n"
	"openssl crl2pkcs7 -nocrl -certfile three.pem -outform DER -out "
	"three.p7\n"
	"openssl crl2pkcs7 -nocrl -outform DER -out none.p7\n"
	"openssl x509 -in leaf.pem -noout -fingerprint -sha256 > leaf.sha256\n"
	"openssl x509 -in leaf.pem -noout -fingerprint -sha1 > leaf.sha1\n";

struct file {
	unsigned char bytes[60000];
	size_t len;
};

static struct file *read_file(const char *name)
{
	static struct file file;
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	REQUIRE(f != NULL);
	memset(&file, 0, sizeof(file));
	file.len = fread(file.bytes, 1, sizeof(file.bytes) - 1, f);
	fclose(f);
	return &file;
}

/* What a reading gives. */
struct seen {
	unsigned n;
	unsigned stop_at; /* 0: never */
	char names[4000];
	struct peal_cert_facts last;
	unsigned char der[4000]; /* of the last */
	struct peal_reason reason;
};

static enum peal_err see(const struct peal_cert_facts *f, void *arg)
{
	struct seen *s = arg;
	size_t used = strlen(s->names);

	if (++s->n == s->stop_at)
		return PEAL_ECANCELED;
	snprintf(s->names + used, sizeof(s->names) - used, "%s;", f->cn);
	s->last = *f;
	REQUIRE(f->der_len <= sizeof(s->der));
	memcpy(s->der, f->der, f->der_len);
	s->last.der = s->der;
	return PEAL_OK;
}

static struct seen *look(const void *bytes, size_t len, enum peal_err wanted)
{
	static struct seen s;

	memset(&s, 0, sizeof(s));
	if (!CHECK_ERR(peal_certs_read(bytes, len, see, &s, &s.reason), wanted))
		fprintf(stderr, "\t%s\n", s.reason.text);
	return &s;
}

static void forms(void)
{
	static const struct {
		const char *file, *names;
	} cases[] = {
		{ "three.pem", "Test Root;Other Root;pv.telco.net/"
			       "mailto:admin@telco.net;" },
		{ "three.p7", "Test Root;Other Root;pv.telco.net/"
			      "mailto:admin@telco.net;" },
		{ "ca.pem", "Test Root;" },
		{ "ca.der", "Test Root;" },
	};
	struct file *f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f = read_file(cases[i].file);
		CHECK_STR(look(f->bytes, f->len, PEAL_OK)->names,
			  cases[i].names);
	}
	f = read_file("none.p7");
	CHECK_STR(look(f->bytes, f->len, PEAL_EINVAL)->reason.text,
		  "there is no certificate in it");
}

static void other_text_is_ignored(void)
{
	static char text[20000];
	struct file *f = read_file("ca.pem");
	int n = snprintf(text, sizeof(text),
			 "0 s:/CN=Test Root\r\n%s\nsubject: x\n-----BEGIN "
			 "CERTIFICATE\n",
			 (char *)f->bytes);

	CHECK_INT(look(text, (size_t)n, PEAL_OK)->n, 1);
}

static void nothing_usable(void)
{
	static const char *const texts[] = { "", "<html></html>", "0", "000",
					     "-----BEGIN PRIVATE KEY-----" };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CHECK_STR(look(texts[i], strlen(texts[i]), PEAL_EINVAL)
				  ->reason.text,
			  "there is no certificate in it");
	CHECK_ERR(peal_certs_read(NULL, 0, see, NULL, NULL), PEAL_EINVAL);
}

static void broken_ones_are_named(void)
{
	static char text[80000];
	struct file *f = read_file("ca.pem");
	struct seen *s;
	int n = snprintf(text, sizeof(text),
			 "%s\n-----BEGIN CERTIFICATE-----\n????\n-----END "
			 "CERTIFICATE-----\n",
			 (char *)f->bytes);
	unsigned char *at;

	s = look(text, (size_t)n, PEAL_ECORRUPT);
	CHECK_INT(s->n, 1);
	CHECK_INT(s->reason.byte, (long)f->len + 1);
	CHECK(strstr(s->reason.text, "certificate 2, at byte") != NULL);
	f = read_file("three.p7");
	at = memmem(f->bytes, f->len, "Other Root", 10); /* its issuer */
	REQUIRE(at != NULL);
	at[-1] = 200; /* a length that leads out of it */
	s = look(f->bytes, f->len, PEAL_ECORRUPT);
	CHECK(strstr(s->reason.text, "certificate 2, at byte") != NULL);
	CHECK(s->reason.byte > 0);
}

/* No length at which a file is cut off does harm, or passes. */
static void cut_off(void)
{
	static const char *const files[] = { "leaf.der", "three.p7" };
	struct file *f;
	struct seen *s = calloc(1, sizeof(*s));
	unsigned char *exact;
	size_t i, len;

	for (i = 0; i < 2; i++) {
		f = read_file(files[i]);
		for (len = 0; len < f->len; len++) {
			exact = malloc(len + 1);
			memcpy(exact, f->bytes, len);
			memset(s, 0, sizeof(*s));
			CHECK(peal_certs_read(exact, len, see, s, NULL) !=
			      PEAL_OK);
			free(exact);
		}
	}
	free(s);
}

static void bounds(void)
{
	struct file *f = read_file("ca.pem");
	size_t len = f->len, n = PEAL_LIMIT_CERTS + 1, i;
	char *many = malloc(len * n), *big = calloc(1, PEAL_LIMIT_PEM + 1);
	static const char line[] = "-----BEGIN CERTIFICATE-----\n";
	struct seen *s;

	for (i = 0; i < n; i++)
		memcpy(many + i * len, f->bytes, len);
	CHECK_INT(look(many, len * (n - 1), PEAL_OK)->n, n - 1);
	s = look(many, len * n, PEAL_ETOOBIG);
	CHECK(strstr(s->reason.text, "more than 512") != NULL);
	look(big, PEAL_LIMIT_PEM + 1, PEAL_ETOOBIG);
	/* beginnings without an end must not take for ever */
	for (i = 0; i + sizeof(line) < PEAL_LIMIT_PEM; i += sizeof(line) - 1)
		memcpy(big + i, line, sizeof(line) - 1);
	look(big, PEAL_LIMIT_PEM, PEAL_ECORRUPT);
	free(many);
	free(big);
}

static void a_callback_ends_it(void)
{
	struct file *f = read_file("three.pem");
	struct seen s = { .stop_at = 2 };

	CHECK_ERR(peal_certs_read(f->bytes, f->len, see, &s, NULL),
		  PEAL_ECANCELED);
	CHECK_INT(s.n, 2);
}

/* openssl's "sha256 Fingerprint=AB:CD..." as our digits */
static void check_fingerprint(const char *file, const char *ours)
{
	struct file *f = read_file(file);
	char digits[100] = "", *out = digits;
	const char *p = strchr((char *)f->bytes, '=');

	REQUIRE(p != NULL);
	for (p++; *p && *p != '\n'; p++)
		if (*p != ':')
			*out++ = (char)(*p >= 'A' ? *p - 'A' + 'a' : *p);
	*out = '\0';
	CHECK_STR(ours, digits);
}

static void facts(void)
{
	struct file *f = read_file("leaf.der");
	struct seen *s = look(f->bytes, f->len, PEAL_OK);
	struct peal_cert_facts *c = &s->last;

	CHECK_STR(c->cn, "pv.telco.net/mailto:admin@telco.net");
	CHECK_STR(c->subject,
		  "CN=pv.telco.net/mailto:admin@telco.net, O=Telco");
	CHECK_STR(c->issuer, "CN=Test Root");
	CHECK_STR(c->key_type, "RSA");
	CHECK_INT(c->key_bits, 2048);
	CHECK_INT(c->is_ca, 0);
	CHECK_INT(c->self_signed, 0);
	CHECK_INT(c->to - c->from, 91 * 86400);
	CHECK_MEM(c->der, c->der_len, f->bytes, f->len);
	check_fingerprint("leaf.sha256", c->sha256);
	check_fingerprint("leaf.sha1", c->sha1);
	f = read_file("ca.der");
	s = look(f->bytes, f->len, PEAL_OK);
	CHECK_INT(s->last.is_ca, 1);
	CHECK_INT(s->last.self_signed, 1);
	CHECK_STR(s->last.key_type, "EC");
	CHECK_INT(s->last.key_bits, 256);
}

/* `openssl x509 -req` makes version 1, which has no basicConstraints: of a
 * server, it must not become one that vouches for others when it is accepted. */
static void version_1_is_no_ca(void)
{
	struct file *f = read_file("old.der");
	struct seen *s = look(f->bytes, f->len, PEAL_OK);

	CHECK_INT(s->last.is_ca, 0);
	CHECK_INT(s->last.self_signed, 1);
}

static enum peal_err join(const char *text, void *arg)
{
	char *all = arg;

	strcat(strcat(all, text), ";");
	return PEAL_OK;
}

static void names_and_purposes(void)
{
	struct file *f = read_file("leaf.der");
	char all[1000] = "";

	CHECK_ERR(peal_cert_sans(f->bytes, f->len, join, all), PEAL_OK);
	CHECK_STR(all, "DNS:pv.telco.net;IP:192.168.1.200;IP:fe80::1;"
		       "email:a@b.c;URI:https://x/y;");
	all[0] = '\0';
	CHECK_ERR(peal_cert_purposes(f->bytes, f->len, join, all), PEAL_OK);
	CHECK_STR(all, "serverAuth;clientAuth;1.3.6.1.5.5.7.3.3;");
	f = read_file("ca.der");
	all[0] = '\0';
	CHECK_ERR(peal_cert_sans(f->bytes, f->len, join, all), PEAL_OK);
	CHECK_ERR(peal_cert_purposes(f->bytes, f->len, join, all), PEAL_OK);
	CHECK_STR(all, "");
	CHECK_ERR(peal_cert_sans("x", 1, join, all), PEAL_ECORRUPT);
}

static void what_is_shown_is_one_clean_line(void)
{
	struct file *f = read_file("evil.pem");
	struct seen *s = look(f->bytes, f->len, PEAL_OK);
	char all[100] = "";

	CHECK_STR(s->last.cn, "a?b");
	CHECK(!strchr(s->last.subject, 27));
	CHECK_ERR(peal_cert_sans(s->last.der, s->last.der_len, join, all),
		  PEAL_OK);
	CHECK_STR(all, "DNS:a.b???more;");
	/* more than there is room for: the common name stands for it */
	f = read_file("long.pem");
	s = look(f->bytes, f->len, PEAL_OK);
	CHECK_STR(s->last.subject, "a?b");
}

/* --- sets --- */

static void fingerprints(void)
{
	struct peal_cert_set *a, *b;
	unsigned char print[32] = { 0 }, x[32], y[32];
	unsigned i;

	REQUIRE(peal_cert_set_new(&a) == PEAL_OK);
	REQUIRE(peal_cert_set_new(&b) == PEAL_OK);
	for (i = 0; i < 100; i++) {
		print[0] = (unsigned char)(i * 37);
		CHECK_ERR(peal_cert_set_add(a, print), PEAL_OK);
		CHECK_ERR(peal_cert_set_add(a, print), PEAL_OK);
		print[0] = (unsigned char)((99 - i) * 37);
		CHECK_ERR(peal_cert_set_add(b, print), PEAL_OK);
		CHECK_INT(peal_cert_set_count(a), i + 1);
	}
	for (i = 0; i < 256; i++) {
		print[0] = (unsigned char)(i * 37);
		CHECK_INT(peal_cert_set_has(a, print), i < 100);
	}
	CHECK_ERR(peal_cert_set_digest(a, x), PEAL_OK);
	CHECK_ERR(peal_cert_set_digest(b, y), PEAL_OK);
	CHECK_MEM(x, 32, y, 32); /* in whatever order they came */
	print[31] = 1;
	CHECK_ERR(peal_cert_set_add(b, print), PEAL_OK);
	CHECK_ERR(peal_cert_set_digest(b, y), PEAL_OK);
	CHECK(memcmp(x, y, 32) != 0);
	CHECK_INT(peal_cert_set_has(NULL, print), 0);
	CHECK_INT(peal_cert_set_count(NULL), 0);
	CHECK_ERR(peal_cert_set_digest(NULL, y), PEAL_OK);
	peal_cert_set_unref(peal_cert_set_ref(a));
	peal_cert_set_unref(a);
	peal_cert_set_unref(b);
	peal_cert_set_unref(peal_cert_set_ref(NULL));
}

static struct peal_anchors *with(struct peal_anchors *base, const char *file,
				 unsigned flags)
{
	struct file *f = read_file(file);
	struct peal_anchors *a;

	REQUIRE(peal_anchors_extend(&a, base) == PEAL_OK);
	CHECK_ERR(peal_anchors_add(a, f->bytes, f->len, flags, NULL, NULL),
		  PEAL_OK);
	return a;
}

static void roots_on_top_of_others(void)
{
	struct peal_anchors *base = with(NULL, "ca.pem", 0);
	struct peal_anchors *first = base;
	mbedtls_x509_crt *shared = base->first;
	struct peal_anchors *a = with(base, "other.pem", 0);
	struct peal_anchors *b = with(base, "other.pem", 0);
	struct peal_anchors *c = with(base, "other.pem", PEAL_ANCHOR_PRIVATE);
	struct peal_anchors *empty;
	struct file *f = read_file("other.pem");
	struct peal_reason reason;
	unsigned char x[32], y[32];

	CHECK_INT(peal_anchors_count(base), 1);
	CHECK_INT(peal_anchors_count(a), 2);
	CHECK(a->first != shared && a->first->next == shared);
	CHECK(b->first->next == shared && shared->next == NULL);
	peal_anchors_digest(a, x);
	peal_anchors_digest(b, y);
	CHECK_MEM(x, 32, y, 32);
	peal_anchors_digest(c, y);
	CHECK(memcmp(x, y, 32) != 0);
	peal_anchors_digest(base, y);
	CHECK(memcmp(x, y, 32) != 0);
	/* what others share does not change */
	CHECK_ERR(peal_anchors_add(first, f->bytes, f->len, 0, NULL, &reason),
		  PEAL_ESTATE);
	CHECK(strstr(reason.text, "share") != NULL);
	CHECK(shared->next == NULL);
	/* it lives as long as the last of them */
	peal_anchors_unref(base);
	peal_anchors_unref(a);
	peal_anchors_unref(c);
	CHECK(b->first->next == shared && shared->raw.len > 0);
	REQUIRE(peal_anchors_extend(&empty, b) == PEAL_OK);
	peal_anchors_unref(b);
	CHECK_INT(peal_anchors_count(empty), 2);
	CHECK(empty->first->next == shared);
	peal_anchors_unref(empty);
}

/* --- codes of the library --- */

/* Every code that the library's headers define. */
static unsigned check_codes(const char *header, const char *prefix)
{
	struct peal_reason reason;
	char path[300], line[400], name[100];
	unsigned n = 0, code;
	enum peal_err err;
	FILE *f;

	snprintf(path, sizeof(path), "%s/.deps/include/mbedtls/%s",
		 PEAL_SOURCE_DIR, header);
	f = fopen(path, "r");
	if (!f) {
		snprintf(path, sizeof(path), "/usr/include/mbedtls/%s", header);
		f = fopen(path, "r");
	}
	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "#define %90s -0x%x", name, &code) != 2 ||
		    strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		n++;
		err = peal_err_mbedtls(-(int)code, "pv.telco.net", &reason);
		if (!CHECK(err != PEAL_OK) ||
		    !CHECK(!strstr(reason.text, "(code")))
			fprintf(stderr, "\t%s\n", name);
		if (err != PEAL_ENOMEM)
			CHECK(strstr(reason.text, "pv.telco.net") != NULL);
	}
	fclose(f);
	return n;
}

static void every_code_has_a_word(void)
{
	CHECK(check_codes("ssl.h", "MBEDTLS_ERR_SSL_") >= 40);
	CHECK(check_codes("x509.h", "MBEDTLS_ERR_X509_") >= 20);
	CHECK(check_codes("pk.h", "MBEDTLS_ERR_PK_") >= 15);
	CHECK(check_codes("rsa.h", "MBEDTLS_ERR_RSA_") >= 9);
}

static void codes(void)
{
	static const struct {
		int code;
		enum peal_err err;
	} cases[] = {
		{ MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, PEAL_ETVERSION },
		{ MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, PEAL_ETHANDSHAKE },
		{ MBEDTLS_ERR_SSL_BAD_CERTIFICATE, PEAL_ECUNTRUSTED },
		{ MBEDTLS_ERR_SSL_ALLOC_FAILED, PEAL_ENOMEM },
		{ MBEDTLS_ERR_X509_FATAL_ERROR, PEAL_ECUNTRUSTED },
		{ MBEDTLS_ERR_X509_INVALID_EXTENSIONS +
			  MBEDTLS_ERR_ASN1_UNEXPECTED_TAG,
		  PEAL_ECUNTRUSTED },
		{ MBEDTLS_ERR_X509_INVALID_EXTENSIONS +
			  MBEDTLS_ERR_ASN1_ALLOC_FAILED,
		  PEAL_ENOMEM },
		{ MBEDTLS_ERR_PK_INVALID_PUBKEY + MBEDTLS_ERR_ASN1_OUT_OF_DATA,
		  PEAL_ECUNTRUSTED },
		{ MBEDTLS_ERR_RSA_VERIFY_FAILED, PEAL_ETHANDSHAKE },
		{ -0x1234, PEAL_ETHANDSHAKE },
		{ -1, PEAL_ETHANDSHAKE },
		{ 0, PEAL_ETHANDSHAKE },
	};
	struct peal_reason reason;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!CHECK_ERR(peal_err_mbedtls(cases[i].code, "h", &reason),
			       cases[i].err))
			fprintf(stderr, "\t-0x%04x\n",
				(unsigned)-cases[i].code);
}

/* --- allocation --- */

static int read_all(void *arg)
{
	struct file *f = arg;
	struct seen *s = calloc(1, sizeof(*s));
	char all[1000] = "";
	enum peal_err err = peal_certs_read(f->bytes, f->len, see, s, NULL);

	if (!err)
		err = peal_cert_sans(s->last.der, s->last.der_len, join, all);
	if (!err)
		err = peal_cert_purposes(s->last.der, s->last.der_len, join,
					 all);
	free(s);
	return err != PEAL_OK;
}

static void every_allocation_may_fail(void)
{
	alloc_fail_each(read_all, read_file("three.pem"));
	alloc_fail_each(read_all, read_file("three.p7"));
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "forms", forms },
		{ "other text is ignored", other_text_is_ignored },
		{ "nothing usable", nothing_usable },
		{ "broken ones are named", broken_ones_are_named },
		{ "cut off", cut_off },
		{ "bounds", bounds },
		{ "a callback ends it", a_callback_ends_it },
		{ "facts", facts },
		{ "version 1 is no CA", version_1_is_no_ca },
		{ "names and purposes", names_and_purposes },
		{ "what is shown is one clean line",
		  what_is_shown_is_one_clean_line },
		{ "fingerprints", fingerprints },
		{ "roots on top of others", roots_on_top_of_others },
		{ "every code has a word", every_code_has_a_word },
		{ "codes", codes },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	return test_main_in(folder, make_certificates, cases,
			    sizeof(cases) / sizeof(*cases), argc, argv);
}
