/* ciphers.c - which cipher suites are offered. See peal/trust.h
 *
 * The list syntax of OpenSSL's ciphers(1): words between ':', ',' and blanks;
 * "!word" forbids for good, "-word" takes out, "+word" moves to the end,
 * "word+word" means both at once. Suites that RFC 7465 and 8996 forbid, and
 * others nobody should use, are not in our table: no list can name them. TLS
 * 1.3 suites always lead. RSA key exchange, which gives no forward secrecy,
 * comes in by its own name only, not with ALL or AES: our choice. */
#include <mbedtls/ssl_ciphersuites.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "peal/alloc.h"
#include "trust.h"

enum kind {
	ECDHE = 1,
	DHE = 2,
	KRSA = 4,
	ARSA = 8,
	AECDSA = 16,
	AES128 = 32,
	AES256 = 64,
	AESGCM = 128,
	CHACHA = 256,
	SHA1 = 512,
	SHA256 = 1024,
	SHA384 = 2048,
	TLS12 = 4096,
	STANDARD = 8192, /* offered when nobody asks for anything */
	ANY = 16383
};

struct suite {
	int id;
	const char *openssl, *iana;
	unsigned kind;
};

static const struct suite always[] = {
	{ MBEDTLS_TLS1_3_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384",
	  "TLS_AES_256_GCM_SHA384", 0 },
	{ MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	  "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", 0 },
	{ MBEDTLS_TLS1_3_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256",
	  "TLS_AES_128_GCM_SHA256", 0 },
};

#define SUITE(iana, openssl, kind)                   \
	{                                            \
		MBEDTLS_##iana, openssl, #iana, kind \
	}

/* In the order that words bring them in. */
/* clang-format off */
static const struct suite suites[] = {
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	      "ECDHE-ECDSA-AES256-GCM-SHA384",
	      ECDHE | AECDSA | AES256 | AESGCM | STANDARD | TLS12),
	SUITE(TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	      "ECDHE-RSA-AES256-GCM-SHA384",
	      ECDHE | ARSA | AES256 | AESGCM | STANDARD | TLS12),
	SUITE(TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	      "ECDHE-ECDSA-CHACHA20-POLY1305",
	      ECDHE | AECDSA | CHACHA | STANDARD | TLS12),
	SUITE(TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	      "ECDHE-RSA-CHACHA20-POLY1305",
	      ECDHE | ARSA | CHACHA | STANDARD | TLS12),
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	      "ECDHE-ECDSA-AES128-GCM-SHA256",
	      ECDHE | AECDSA | AES128 | AESGCM | STANDARD | TLS12),
	SUITE(TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	      "ECDHE-RSA-AES128-GCM-SHA256",
	      ECDHE | ARSA | AES128 | AESGCM | STANDARD | TLS12),
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
	      "ECDHE-ECDSA-AES256-SHA384",
	      ECDHE | AECDSA | AES256 | SHA384 | STANDARD | TLS12),
	SUITE(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	      "ECDHE-RSA-AES256-SHA384",
	      ECDHE | ARSA | AES256 | SHA384 | STANDARD | TLS12),
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	      "ECDHE-ECDSA-AES128-SHA256",
	      ECDHE | AECDSA | AES128 | SHA256 | STANDARD | TLS12),
	SUITE(TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	      "ECDHE-RSA-AES128-SHA256",
	      ECDHE | ARSA | AES128 | SHA256 | STANDARD | TLS12),
	SUITE(TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
	      "DHE-RSA-AES256-GCM-SHA384",
	      DHE | ARSA | AES256 | AESGCM | TLS12),
	SUITE(TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	      "DHE-RSA-CHACHA20-POLY1305",
	      DHE | ARSA | CHACHA | TLS12),
	SUITE(TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
	      "DHE-RSA-AES128-GCM-SHA256",
	      DHE | ARSA | AES128 | AESGCM | TLS12),
	SUITE(TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
	      "DHE-RSA-AES256-SHA256",
	      DHE | ARSA | AES256 | SHA256 | TLS12),
	SUITE(TLS_DHE_RSA_WITH_AES_128_CBC_SHA256,
	      "DHE-RSA-AES128-SHA256",
	      DHE | ARSA | AES128 | SHA256 | TLS12),
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	      "ECDHE-ECDSA-AES256-SHA",
	      ECDHE | AECDSA | AES256 | SHA1),
	SUITE(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	      "ECDHE-RSA-AES256-SHA",
	      ECDHE | ARSA | AES256 | SHA1),
	SUITE(TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	      "ECDHE-ECDSA-AES128-SHA",
	      ECDHE | AECDSA | AES128 | SHA1),
	SUITE(TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	      "ECDHE-RSA-AES128-SHA",
	      ECDHE | ARSA | AES128 | SHA1),
	SUITE(TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
	      "DHE-RSA-AES256-SHA",
	      DHE | ARSA | AES256 | SHA1),
	SUITE(TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
	      "DHE-RSA-AES128-SHA",
	      DHE | ARSA | AES128 | SHA1),
	SUITE(TLS_RSA_WITH_AES_256_GCM_SHA384,
	      "AES256-GCM-SHA384",
	      KRSA | ARSA | AES256 | AESGCM | TLS12),
	SUITE(TLS_RSA_WITH_AES_128_GCM_SHA256,
	      "AES128-GCM-SHA256",
	      KRSA | ARSA | AES128 | AESGCM | TLS12),
	SUITE(TLS_RSA_WITH_AES_256_CBC_SHA256,
	      "AES256-SHA256",
	      KRSA | ARSA | AES256 | SHA256 | TLS12),
	SUITE(TLS_RSA_WITH_AES_128_CBC_SHA256,
	      "AES128-SHA256",
	      KRSA | ARSA | AES128 | SHA256 | TLS12),
	SUITE(TLS_RSA_WITH_AES_256_CBC_SHA,
	      "AES256-SHA",
	      KRSA | ARSA | AES256 | SHA1),
	SUITE(TLS_RSA_WITH_AES_128_CBC_SHA,
	      "AES128-SHA",
	      KRSA | ARSA | AES128 | SHA1),
};
/* clang-format on */

/* What those make of DEFAULT, for the library. */
static const int standard[] = {
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	0
};

enum {
	ALWAYS = sizeof(always) / sizeof(*always),
	SUITES = sizeof(suites) / sizeof(*suites),
	NOTES = 16
};

/* A word stands for the suites that have any of its kinds; those without one
 * stand for what is never offered. */
static const struct {
	const char *word;
	unsigned kinds;
} keywords[] = {
	{ "DEFAULT", STANDARD },
	{ "ALL", ANY },
	{ "HIGH", ANY },
	{ "ECDHE", ECDHE },
	{ "EECDH", ECDHE },
	{ "kECDHE", ECDHE },
	{ "kEECDH", ECDHE },
	{ "DHE", DHE },
	{ "EDH", DHE },
	{ "kDHE", DHE },
	{ "kEDH", DHE },
	{ "RSA", KRSA },
	{ "kRSA", KRSA },
	{ "aRSA", ARSA },
	{ "aECDSA", AECDSA },
	{ "ECDSA", AECDSA },
	{ "AES", AES128 | AES256 },
	{ "AES128", AES128 },
	{ "AES256", AES256 },
	{ "AESGCM", AESGCM },
	{ "CHACHA20", CHACHA },
	{ "SHA", SHA1 },
	{ "SHA1", SHA1 },
	{ "SHA256", SHA256 },
	{ "SHA384", SHA384 },
	{ "TLSv1.2", TLS12 },
	{ "aNULL", 0 },
	{ "eNULL", 0 },
	{ "NULL", 0 },
	{ "ADH", 0 },
	{ "AECDH", 0 },
	{ "RC4", 0 },
	{ "DES", 0 },
	{ "3DES", 0 },
	{ "MD5", 0 },
	{ "EXPORT", 0 },
	{ "EXP", 0 },
	{ "LOW", 0 },
	{ "MEDIUM", 0 },
	{ "PSK", 0 },
	{ "SRP", 0 },
};

struct peal_ciphers {
	unsigned refs;
	unsigned n, notes_n;
	const struct suite *list[ALWAYS + SUITES];
	int ids[ALWAYS + SUITES + 1];
	char *notes[NOTES];
};

static const char blank[] = " \t\r\n", between[] = ":, \t\r\n";

/* While a text is read. */
struct reading {
	struct peal_ciphers *c;
	const struct suite *list[SUITES];
	unsigned n;
	int dead[SUITES]; /* forbidden for good */
	int tls13;        /* named one that is there anyway */
	enum peal_err err;
};

/* word NULL: about the whole list */
static void note(struct reading *r, const char *word, const char *what)
{
	char text[160];

	if (r->c->notes_n == NOTES || r->err)
		return;
	if (word)
		snprintf(text, sizeof(text), "\"%.40s\" %s", word, what);
	else
		snprintf(text, sizeof(text), "the list %s", what);
	r->c->notes[r->c->notes_n] = peal_strdup(text);
	if (r->c->notes[r->c->notes_n])
		r->c->notes_n++;
	else
		r->err = PEAL_ENOMEM;
}

static int is_called(const struct suite *s, const char *word)
{
	return strcasecmp(s->openssl, word) == 0 ||
	       strcasecmp(s->iana, word) == 0;
}

/* What one word, or the words of an "a+b", stand for. */
struct meaning {
	int known;
	int never;      /* something that is never offered */
	int tls13;      /* a suite that is offered anyway */
	int rsa_named;  /* RSA key exchange by its name */
	int in[SUITES]; /* the suites that have all of it */
};

static void meet_keyword(struct meaning *m, unsigned kinds)
{
	unsigned i;

	m->known = 1;
	m->never |= kinds == 0;
	m->rsa_named |= kinds == KRSA;
	for (i = 0; i < SUITES; i++)
		m->in[i] &= (suites[i].kind & kinds) != 0;
}

static void meet_suite(struct meaning *m, unsigned at)
{
	unsigned i;

	m->known = 1;
	m->rsa_named |= (suites[at].kind & KRSA) != 0;
	for (i = 0; i < SUITES; i++)
		m->in[i] &= i == at;
}

static void meet(struct meaning *m, const char *word)
{
	unsigned i;

	m->known = 0;
	for (i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (strcmp(keywords[i].word, word) == 0)
			meet_keyword(m, keywords[i].kinds);
	for (i = 0; i < SUITES && !m->known; i++)
		if (is_called(&suites[i], word))
			meet_suite(m, i);
	for (i = 0; i < ALWAYS && !m->known; i++)
		if (is_called(&always[i], word)) {
			m->known = m->tls13 = 1;
			memset(m->in, 0, sizeof(m->in));
		}
}

/* Takes `word` to pieces. */
static void understand(struct meaning *m, char *word)
{
	char *rest = NULL, *part;
	unsigned i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < SUITES; i++)
		m->in[i] = mbedtls_ssl_ciphersuite_from_id(suites[i].id) !=
			   NULL;
	part = strtok_r(word, "+", &rest);
	while (part) {
		meet(m, part);
		if (!m->known)
			return;
		part = strtok_r(NULL, "+", &rest);
	}
}

static int active(const struct reading *r, const struct suite *s)
{
	unsigned i;

	for (i = 0; i < r->n; i++)
		if (r->list[i] == s)
			return 1;
	return 0;
}

static void take_out(struct reading *r, const struct suite *s)
{
	unsigned i, kept = 0;

	for (i = 0; i < r->n; i++)
		if (r->list[i] != s)
			r->list[kept++] = r->list[i];
	r->n = kept;
}

/* May this word bring the suite in? */
static int welcome(const struct reading *r, const struct meaning *m, unsigned i)
{
	return !r->dead[i] && (m->rsa_named || !(suites[i].kind & KRSA));
}

static void apply(struct reading *r, const struct meaning *m, char sign)
{
	const struct suite *s;
	unsigned i;
	int was;

	for (i = 0; i < SUITES; i++) {
		s = &suites[i];
		if (!m->in[i])
			continue;
		was = active(r, s);
		if (sign)
			take_out(r, s);
		if (sign == '!')
			r->dead[i] = 1;
		if (sign == '+' ? was : !sign && !was && welcome(r, m, i))
			r->list[r->n++] = s;
	}
}

static void read_word(struct reading *r, const char *word)
{
	struct meaning m = { .known = 0 };
	char sign = strchr("!-+", *word) ? *word : '\0';
	char text[80];

	snprintf(text, sizeof(text), "%s", word + (sign != '\0'));
	if (strlen(word) < sizeof(text))
		understand(&m, text);
	if (!m.known) {
		note(r, word, "is no cipher suite known here; it is skipped");
		return;
	}
	if (m.never && !sign)
		note(r, word, "asks for cipher suites that are never offered");
	apply(r, &m, sign);
	r->tls13 |= m.tls13 && !sign;
}

static void read_text(struct reading *r, const char *text)
{
	char *copy = peal_strdup(text), *rest = NULL, *word;

	if (!copy) {
		r->err = PEAL_ENOMEM;
		return;
	}
	for (word = strtok_r(copy, between, &rest); word;
	     word = strtok_r(NULL, between, &rest))
		read_word(r, word);
	peal_free(copy);
	if (!r->n && !r->tls13)
		note(r, NULL, "leaves no cipher suite; the default is used");
}

static void settle(struct reading *r)
{
	struct peal_ciphers *c = r->c;
	struct meaning m;
	char word[] = "DEFAULT";
	unsigned i;

	if (!r->n && !r->tls13) {
		memset(r->dead, 0, sizeof(r->dead));
		understand(&m, word);
		apply(r, &m, '\0');
	}
	for (i = 0; i < ALWAYS; i++)
		c->list[c->n++] = &always[i];
	for (i = 0; i < r->n; i++)
		c->list[c->n++] = r->list[i];
	for (i = 0; i < c->n; i++)
		c->ids[i] = c->list[i]->id;
}

enum peal_err peal_ciphers_parse(struct peal_ciphers **out, const char *text)
{
	struct reading r = { .n = 0 };

	if (!out)
		return PEAL_EINVAL;
	r.c = peal_zalloc(sizeof(*r.c));
	if (!r.c)
		return PEAL_ENOMEM;
	r.c->refs = 1;
	if (text && text[strspn(text, blank)])
		read_text(&r, text);
	if (r.err) {
		peal_ciphers_unref(r.c);
		return r.err;
	}
	settle(&r);
	*out = r.c;
	return PEAL_OK;
}

struct peal_ciphers *peal_ciphers_ref(struct peal_ciphers *c)
{
	if (c)
		c->refs++;
	return c;
}

void peal_ciphers_unref(struct peal_ciphers *c)
{
	unsigned i;

	if (!c || --c->refs)
		return;
	for (i = 0; i < c->notes_n; i++)
		peal_free(c->notes[i]);
	peal_free(c);
}

const char *peal_ciphers_note(const struct peal_ciphers *c, unsigned i)
{
	return c && i < c->notes_n ? c->notes[i] : NULL;
}

const char *peal_ciphers_name(const struct peal_ciphers *c, unsigned i)
{
	return c && i < c->n ? c->list[i]->iana : NULL;
}

const int *peal_ciphers_ids(const struct peal_ciphers *c)
{
	return c ? c->ids : standard;
}
