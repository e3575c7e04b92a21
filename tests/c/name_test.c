/* name_test.c - the name rule. The certificate names of the first table are
 * those of the MPP provisioning guides. */
#include "peal/trust.h"
#include "test.h"

struct vector {
	const char *host;
	const char *san; /* NULL: none */
	const char *cn;
	int fits;
};

static void check(const struct vector *v, int cn_fallback)
{
	const char *sans[1] = { v->san };
	int fits = peal_name_matches(v->host, sans, v->san ? 1 : 0, v->cn,
				     v->cn ? strlen(v->cn) : 0, cn_fallback);

	if (!CHECK_INT(fits, v->fits))
		fprintf(stderr, "\thost %s, SAN %s, CN %s\n", v->host,
			v->san ? v->san : "-", v->cn ? v->cn : "-");
}

static void documented_names(void)
{
	static const struct vector vectors[] = {
		{ "sprov.callme.com", NULL, "sprov.callme.com", 1 },
		{ "pv.telco.net", NULL, "pv.telco.net/mailto:admin@telco.net",
		  1 },
		{ "PROF.voice.com.", NULL, "prof.voice.com/info@voice.com", 1 },
		{ "telco.net", NULL, "pv.telco.net/mailto:admin@telco.net", 0 },
		{ "admin.telco.net", NULL, "pv.telco.net/admin.telco.net", 0 },
		{ "pv.telco.net", "DNS:other.net", "pv.telco.net", 0 },
		{ "pv.telco.net", "email:a@b.c", "pv.telco.net/x", 1 },
		{ "a.b.telco.net", "DNS:*.telco.net", NULL, 0 },
		{ "192.168.1.200", "IP:192.168.1.200", NULL, 1 },
		{ "192.168.1.200", "DNS:192.168.1.200", NULL, 0 },
		{ "sprov.callme.com", NULL,
		  "sprov.callme.com.evil.org/sprov.callme.com", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		check(&vectors[i], 1);
}

static void wildcards(void)
{
	static const struct vector vectors[] = {
		{ "pv.telco.net", "DNS:*.telco.net", NULL, 1 },
		{ "PV.Telco.Net", "DNS:*.TELCO.net", NULL, 1 },
		{ "pv.telco.net", NULL, "*.telco.net", 1 },
		{ "telco.net", "DNS:*.telco.net", NULL, 0 },
		{ "telco.net", "DNS:*.net", NULL, 0 },
		{ "net", "DNS:*", NULL, 0 },
		{ "pv.telco.net", "DNS:p*.telco.net", NULL, 0 },
		{ "pv.telco.net", "DNS:pv.*.net", NULL, 0 },
		{ "pv.telco.net", "DNS:*pv.telco.net", NULL, 0 },
		{ "pv.telco.net", "DNS:*..telco.net", NULL, 0 },
		{ "xn--pv-yka.telco.net", "DNS:*.telco.net", NULL, 0 },
		{ "1.2.3.4", "DNS:*.2.3.4", NULL, 0 },
		{ ".telco.net", "DNS:*.telco.net", NULL, 0 },
		{ "*.telco.net", "DNS:x.telco.net", NULL, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		check(&vectors[i], 1);
}

static void addresses(void)
{
	static const struct vector vectors[] = {
		{ "2001:db8::1", "IP:2001:DB8:0:0::1", NULL, 1 },
		{ "[2001:db8::1]", "IP:2001:db8::1", NULL, 1 },
		{ "::ffff:1.2.3.4", "IP:1.2.3.4", NULL, 0 },
		{ "192.168.1.200", "IP:192.168.1.201", NULL, 0 },
		{ "192.168.1.200", NULL, "192.168.1.200/x", 1 },
		{ "192.168.1.200", NULL, "192.168.1.20", 0 },
		{ "pv.telco.net", "IP:192.168.1.200", "pv.telco.net", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		check(&vectors[i], 1);
}

static void common_name_can_be_switched_off(void)
{
	static const struct vector off = { "a.example", NULL, "a.example", 0 };
	static const struct vector san = { "a.example", "DNS:a.example", NULL,
					   1 };

	check(&off, 0);
	check(&san, 0);
}

static void odd_names(void)
{
	static const char nul[] = "pv.telco.net\0.evil.org";
	static const char nul_slash[] = "pv.telco.net/\0";
	static const struct vector vectors[] = {
		{ "", "DNS:", "", 0 },
		{ ".", "DNS:.", NULL, 0 },
		{ "pv.telco.net", NULL, " pv.telco.net \t/x", 1 },
		{ "pv.telco.net", NULL, "/pv.telco.net", 0 },
		{ "pv.telco.net", "DNS:pv.telco.net.", NULL, 0 },
		{ "pv.telco.net", "DNS:", "pv.telco.net", 0 },
	};
	char lengthy[400];
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		check(&vectors[i], 1);
	CHECK_INT(peal_name_matches("pv.telco.net", NULL, 0, nul,
				    sizeof(nul) - 1, 1),
		  0);
	CHECK_INT(peal_name_matches("pv.telco.net", NULL, 0, nul_slash,
				    sizeof(nul_slash) - 1, 1),
		  0);
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	CHECK_INT(peal_name_matches(lengthy, NULL, 0, lengthy,
				    sizeof(lengthy) - 1, 1),
		  0);
}

static void any_of_several(void)
{
	static const char *const sans[] = { "email:x", "DNS:a.example",
					    "IP:10.0.0.1", "DNS:*.b.example" };

	CHECK_INT(peal_name_matches("c.b.example", sans, 4, NULL, 0, 1), 1);
	CHECK_INT(peal_name_matches("10.0.0.1", sans, 4, NULL, 0, 1), 1);
	CHECK_INT(peal_name_matches("a.example", sans, 1, "a.example", 9, 1),
		  1);
	CHECK_INT(peal_name_matches("d.example", sans, 4, "d.example", 9, 1),
		  0);
}

TEST_MAIN({ "documented names", documented_names }, { "wildcards", wildcards },
	  { "addresses", addresses },
	  { "the common name can be switched off",
	    common_name_can_be_switched_off },
	  { "odd names", odd_names }, { "any of several", any_of_several })
