/* ciphers_test.c - TLS_Cipher_List: what a text makes the phone offer. */
#include "peal/trust.h"

#include <mbedtls/ssl_ciphersuites.h>

#include "alloc_fail.h"
#include "test.h"
#include "trust/trust.h"

#define TLS13                                                  \
	"TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 " \
	"TLS_AES_128_GCM_SHA256 "
#define E "TLS_ECDHE_ECDSA_WITH_"
#define R "TLS_ECDHE_RSA_WITH_"
#define D "TLS_DHE_RSA_WITH_"
#define K "TLS_RSA_WITH_"
#define DEFAULTS                                                            \
	TLS13 E "AES_256_GCM_SHA384 " R "AES_256_GCM_SHA384 " E             \
		"CHACHA20_POLY1305_SHA256 " R "CHACHA20_POLY1305_SHA256 " E \
		"AES_128_GCM_SHA256 " R "AES_128_GCM_SHA256 " E             \
		"AES_256_CBC_SHA384 " R "AES_256_CBC_SHA384 " E             \
		"AES_128_CBC_SHA256 " R "AES_128_CBC_SHA256 "
#define RSA_KEYS                                                               \
	K "AES_256_GCM_SHA384 " K "AES_128_GCM_SHA256 " K                      \
	  "AES_256_CBC_SHA256 " K "AES_128_CBC_SHA256 " K "AES_256_CBC_SHA " K \
	  "AES_128_CBC_SHA "

/* The names of a list, each with a blank behind it. */
static const char *offered(const char *list)
{
	static char text[4000];
	struct peal_ciphers *c;
	const char *name;
	size_t used = 0;
	unsigned i;

	REQUIRE(peal_ciphers_parse(&c, list) == PEAL_OK);
	text[0] = '\0';
	for (i = 0; (name = peal_ciphers_name(c, i)) != NULL; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s ", name);
	peal_ciphers_unref(c);
	return text;
}

static void words(void)
{
	static const struct {
		const char *list, *offers;
	} cases[] = {
		{ NULL, DEFAULTS },
		{ "", DEFAULTS },
		{ " \t ", DEFAULTS },
		{ "DEFAULT", DEFAULTS },
		/* the documents' own example */
		{ "RSA:!aNULL:!eNULL", TLS13 RSA_KEYS },
		{ "kRSA", TLS13 RSA_KEYS },
		/* names in both spellings and any case, all separators */
		{ "AES128-SHA", TLS13 K "AES_128_CBC_SHA " },
		{ "TLS_RSA_WITH_AES_128_CBC_SHA", TLS13 K "AES_128_CBC_SHA " },
		{ "aes128-sha", TLS13 K "AES_128_CBC_SHA " },
		{ "AES128-SHA,AES256-SHA ECDHE-RSA-AES128-GCM-SHA256:"
		  "ECDHE-ECDSA-CHACHA20-POLY1305",
		  TLS13 K "AES_128_CBC_SHA " K "AES_256_CBC_SHA " R
			  "AES_128_GCM_SHA256 " E "CHACHA20_POLY1305_SHA256 " },
		{ "::AES128-SHA:: :AES128-SHA,", TLS13 K "AES_128_CBC_SHA " },
		/* both at once */
		{ "ECDHE+AESGCM+aRSA",
		  TLS13 R "AES_256_GCM_SHA384 " R "AES_128_GCM_SHA256 " },
		{ "RSA+AESGCM",
		  TLS13 K "AES_256_GCM_SHA384 " K "AES_128_GCM_SHA256 " },
		/* forbidden for good, taken out, moved to the end */
		{ "!ECDHE:AESGCM:ECDHE",
		  TLS13 D "AES_256_GCM_SHA384 " D "AES_128_GCM_SHA256 " },
		{ "CHACHA20:-ECDHE:ECDHE+CHACHA20", TLS13 D
		  "CHACHA20_POLY1305_SHA256 " E "CHACHA20_POLY1305_SHA256 " R
		  "CHACHA20_POLY1305_SHA256 " },
		{ "CHACHA20:+aECDSA", TLS13 R "CHACHA20_POLY1305_SHA256 " D
					      "CHACHA20_POLY1305_SHA256 " E
					      "CHACHA20_POLY1305_SHA256 " },
		{ "CHACHA20:!DHE:!aECDSA:+SHA256",
		  TLS13 R "CHACHA20_POLY1305_SHA256 " },
		{ "SHA384:!AES128",
		  TLS13 E "AES_256_CBC_SHA384 " R "AES_256_CBC_SHA384 " },
		{ "EECDH+SHA256:kECDHE+SHA384:!ECDSA",
		  TLS13 R "AES_128_CBC_SHA256 " R "AES_256_CBC_SHA384 " },
		{ "HIGH:!TLSv1.2:!DHE:!AES256",
		  TLS13 E "AES_128_CBC_SHA " R "AES_128_CBC_SHA " },
		/* a TLS 1.3 suite is there anyway, and is no empty list */
		{ "TLS_AES_128_GCM_SHA256", TLS13 },
		{ "TLS_AES_128_GCM_SHA256:AES128-SHA",
		  TLS13 K "AES_128_CBC_SHA " },
		/* words nobody knows are skipped */
		{ "NONSENSE:AES128-SHA:@STRENGTH", TLS13 K "AES_128_CBC_SHA " },
		/* what leaves nothing */
		{ "NONSENSE", DEFAULTS },
		{ "!ALL", DEFAULTS },
		{ "aNULL:eNULL", DEFAULTS },
		{ "ALL:!ALL", DEFAULTS },
		{ "!", DEFAULTS },
		{ "+", DEFAULTS },
		{ "+ALL", DEFAULTS },
		{ "ECDHE+RSA", DEFAULTS },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!CHECK_STR(offered(cases[i].list), cases[i].offers))
			fprintf(stderr, "\tlist \"%s\"\n", cases[i].list);
}

/* RFC 7465, RFC 8996: whatever the list says. */
static void the_broken_ones_are_never_offered(void)
{
	static const char *const lists[] = {
		"RC4-SHA:RC4-MD5:DES-CBC3-SHA:DES-CBC-SHA:NULL-SHA256",
		"TLS_RSA_WITH_RC4_128_SHA,TLS_RSA_WITH_3DES_EDE_CBC_SHA",
		"ADH-AES128-SHA:AECDH-AES128-SHA:EXP-RC4-MD5",
		"ALL:COMPLEMENTOFALL:eNULL:aNULL:RC4:3DES:MD5:EXPORT:LOW",
		"ALL:RSA",
	};
	static const char *const broken[] = { "RC4",  "DES",    "NULL",
					      "anon", "EXPORT", "MD5" };
	const char *text;
	size_t i, j;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		text = offered(lists[i]);
		for (j = 0; j < sizeof(broken) / sizeof(*broken); j++)
			if (!CHECK(!strstr(text, broken[j])))
				fprintf(stderr, "\t%s: %s\n", lists[i], text);
	}
}

static void no_forward_secrecy_only_by_name(void)
{
	CHECK(!strstr(offered("ALL"), " TLS_RSA_WITH"));
	CHECK(!strstr(offered("AES"), " TLS_RSA_WITH"));
	CHECK(!strstr(offered("aRSA"), " TLS_RSA_WITH"));
	CHECK(strstr(offered("ALL:RSA"), " TLS_RSA_WITH") != NULL);
}

static void notes(void)
{
	struct peal_ciphers *c;
	char list[400] = "!aNULL";
	unsigned i;

	REQUIRE(peal_ciphers_parse(&c, "NONSENSE:RC4:!MD5:AES128-SHA") ==
		PEAL_OK);
	CHECK_STR(peal_ciphers_note(c, 0),
		  "\"NONSENSE\" is no cipher suite known here; it is skipped");
	CHECK_STR(peal_ciphers_note(c, 1),
		  "\"RC4\" asks for cipher suites that are never offered");
	CHECK(peal_ciphers_note(c, 2) == NULL);
	peal_ciphers_unref(c);
	REQUIRE(peal_ciphers_parse(&c, "!ALL") == PEAL_OK);
	CHECK_STR(peal_ciphers_note(c, 0),
		  "the list leaves no cipher suite; the default is used");
	peal_ciphers_unref(c);
	REQUIRE(peal_ciphers_parse(&c, "") == PEAL_OK);
	CHECK(peal_ciphers_note(c, 0) == NULL);
	peal_ciphers_unref(c);
	for (i = 0; i < 40; i++)
		strcat(list, ":x");
	REQUIRE(peal_ciphers_parse(&c, list) == PEAL_OK);
	CHECK(peal_ciphers_note(c, 15) != NULL);
	CHECK(peal_ciphers_note(c, 16) == NULL);
	peal_ciphers_unref(c);
	memset(list, 'y', 200);
	list[200] = '\0';
	REQUIRE(peal_ciphers_parse(&c, list) == PEAL_OK);
	CHECK(strstr(peal_ciphers_note(c, 0), "yyyy\" is no") != NULL);
	peal_ciphers_unref(c);
}

static void for_the_library(void)
{
	struct peal_ciphers *c, *again;
	const int *ids, *standard = peal_ciphers_ids(NULL);
	unsigned i;

	REQUIRE(peal_ciphers_parse(&c, NULL) == PEAL_OK);
	again = peal_ciphers_ref(c);
	ids = peal_ciphers_ids(c);
	for (i = 0; standard[i]; i++) {
		CHECK_INT(ids[i], standard[i]);
		CHECK(mbedtls_ssl_ciphersuite_from_id(ids[i]) != NULL);
	}
	CHECK_INT(ids[i], 0);
	peal_ciphers_unref(again);
	peal_ciphers_unref(c);
	peal_ciphers_unref(NULL);
	CHECK(peal_ciphers_ref(NULL) == NULL);
}

static int parse(void *arg)
{
	struct peal_ciphers *c = NULL;
	enum peal_err err = peal_ciphers_parse(&c, arg);

	if (!err)
		peal_ciphers_unref(c);
	return err != PEAL_OK;
}

static void every_allocation_may_fail(void)
{
	char list[] = "NONSENSE:RC4:!ALL";

	alloc_fail_each(parse, list);
}

TEST_MAIN({ "words", words },
	  { "the broken ones are never offered",
	    the_broken_ones_are_never_offered },
	  { "no forward secrecy only by name",
	    no_forward_secrecy_only_by_name },
	  { "notes", notes }, { "for the library", for_the_library },
	  { "every allocation may fail", every_allocation_may_fail })
