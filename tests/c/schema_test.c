/* schema_test.c - names, families, types and canonical forms. */
#include "peal/limits.h"
#include "peal/schema.h"

#include "alloc_fail.h"
#include "test.h"

static const char *const auth_types[] = { "Disabled",
					  "Basic Http Authentication",
					  "XSI Authentication", NULL };
static const char *const levels[] = { "NOTICE",   "INFO",   "DEBUG",
				      "0=NOTICE", "1=INFO", "2=DEBUG",
				      "3=DEBUG",  NULL };
static const char *const privacy[] = { "Disabled", "none", "header", "session",
				       "user",     "id",   NULL };
static const char *const options[] = { "66", "160", "159", "150",
				       "60", "43",  "125", NULL };

static struct peal_param param(const char *name, enum peal_type type,
			       const char *deflt)
{
	struct peal_param p = {
		.name = name, .type = type, .lo = 1, .deflt = deflt
	};

	return p;
}

static struct peal_schema *empty_schema(void)
{
	struct peal_schema *s;

	REQUIRE(!peal_schema_new(&s));
	return s;
}

/* A schema of one parameter of this description. */
static struct peal_schema *schema_of(const struct peal_param *p)
{
	struct peal_schema *s = empty_schema();
	struct peal_reason why;

	if (!CHECK_ERR(peal_schema_add(s, p, &why), PEAL_OK))
		fprintf(stderr, "\t%s\n", why.text);
	REQUIRE(!peal_schema_seal(s));
	return s;
}

struct outcome {
	const char *text;
	const char *canonical; /* NULL: refused */
};

static void check_all(struct peal_param p, const struct outcome *list)
{
	struct peal_schema *s = schema_of(&p);
	struct peal_buf out;

	peal_buf_init(&out, PEAL_LIMIT_VALUE + 1);
	for (; list->text; list++) {
		struct peal_reason why;
		enum peal_err err = peal_schema_check(
			s, 0, list->text, strlen(list->text), &out, &why);
		const char *got = err ? NULL : peal_buf_cstr(&out);

		if (!CHECK_STR(got, list->canonical))
			fprintf(stderr, "\tfor %s \"%s\"\n",
				peal_type_name(p.type), list->text);
		if (err) {
			CHECK_ERR(err, PEAL_ETYPE);
			CHECK(why.text[0]);
		}
	}
	peal_buf_fini(&out);
	peal_schema_unref(s);
}

static void bools(void)
{
	static const struct outcome list[] = {
		{ "Yes", "Yes" },    { "yes", "Yes" }, { "ENABLE", "Yes" },
		{ "1", "Yes" },      { "No", "No" },   { "no", "No" },
		{ "disable", "No" }, { "0", "No" },    { "Ja", NULL },
		{ "true", NULL },    { "on", NULL },   { "", NULL },
		{ "Yess", NULL },    { NULL, NULL },
	};

	check_all(param("B", PEAL_T_BOOL, "Yes"), list);
}

static void choices(void)
{
	static const struct outcome auth[] = {
		{ "basic  HTTP authentication", "Basic Http Authentication" },
		{ "Basic HTTP Authentication", "Basic Http Authentication" },
		{ "disabled", "Disabled" },
		{ "XSIAuthentication", NULL },
		{ "Basic", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	static const struct outcome level[] = {
		{ "0", "NOTICE" },    { "1", "INFO" },      { "2", "DEBUG" },
		{ "3", "DEBUG" },     { "debug", "DEBUG" }, { "4", NULL },
		{ "0=NOTICE", NULL }, { NULL, NULL },
	};
	static const struct outcome header[] = {
		{ "ID", "id" },   { "Session", "session" },
		{ "geen", NULL }, { "id;critical", NULL },
		{ NULL, NULL },
	};
	struct peal_param p = param("C", PEAL_T_CHOICE, "Disabled");

	p.choices = auth_types;
	check_all(p, auth);
	p.choices = privacy;
	check_all(p, header);
	p.choices = levels;
	p.deflt = "NOTICE";
	check_all(p, level);
}

static void numbers(void)
{
	static const struct outcome delay[] = {
		{ "65536", NULL },
		{ "65535", "65535" },
		{ "0x10", "16" },
		{ "0XfF", "255" },
		{ "007", "7" },
		{ "-1", NULL },
		{ "+1", NULL },
		{ "1.5", NULL },
		{ "", NULL },
		{ "0x", NULL },
		{ "abc", NULL },
		{ " 1", NULL },
		{ "99999999999999999999", NULL },
		{ NULL, NULL },
	};
	static const struct outcome upload[] = {
		{ "599", NULL },     { "600", "600" }, { "2592000", "2592000" },
		{ "2592001", NULL }, { NULL, NULL },
	};
	static const struct outcome wide[] = {
		{ "18446744073709551615", "18446744073709551615" },
		{ "18446744073709551616", NULL },
		{ "0xffffffffffffffff", "18446744073709551615" },
		{ NULL, NULL },
	};
	static const struct outcome byte[] = {
		{ "-128", "-128" }, { "-129", NULL }, { "+127", "127" },
		{ "128", NULL },    { "-0", "0" },    { "0x10", NULL },
		{ "-", NULL },      { "+", NULL },    { NULL, NULL },
	};
	static const struct outcome least[] = {
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "-9223372036854775809", NULL },
		{ "9223372036854775807", "9223372036854775807" },
		{ NULL, NULL },
	};
	struct peal_param p = param("N", PEAL_T_UNS, "2");

	p.bits = 16;
	check_all(p, delay);
	p.bits = 32;
	p.lo = 600;
	p.hi = 2592000;
	p.deflt = "3600";
	check_all(p, upload);
	p = param("N", PEAL_T_UNS, "0");
	p.bits = 64;
	check_all(p, wide);
	p.type = PEAL_T_SIG;
	check_all(p, least);
	p.bits = 8;
	check_all(p, byte);
}

static void decimals(void)
{
	static const struct outcome two[] = {
		{ "1.50", "1.5" },
		{ "01.25", "1.25" },
		{ "1.255", NULL },
		{ ".5", "0.5" },
		{ "5.", NULL },
		{ "-0.0", "0" },
		{ "-1.5", "-1.5" },
		{ "1e3", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "1234567890123456", NULL },
		{ NULL, NULL },
		{ NULL, NULL },
	};
	static const struct outcome time[] = {
		{ "1.259", "1.25" }, { "3", "3" },  { "-3", NULL },
		{ "0.001", "0" },    { "x", NULL }, { NULL, NULL },
	};
	static const struct outcome power[] = {
		{ "-13.5", "-13.5" },
		{ "-16", "-16" },
		{ "1.55", NULL },
		{ NULL, NULL },
	};
	struct peal_param p = param("D", PEAL_T_FLOAT, "0");

	p.max = 2;
	check_all(p, two);
	p.type = PEAL_T_TIME;
	check_all(p, time);
	p.type = PEAL_T_PWR;
	check_all(p, power);
}

#define HOST_63 \
	"a23456789012345678901234567890.234567890123456789012345678901.3"

static void hosts(void)
{
	static const struct outcome ip[] = {
		{ "192.168.1.1", "192.168.1.1" },
		{ "192.168.1.300", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "01.2.3.4", NULL },
		{ "1.2.3.", NULL },
		{ "", "" },
		{ NULL, NULL },
	};
	static const struct outcome fqdn[] = {
		{ "p.example.net", "p.example.net" },
		{ "p.example.net:0x1f90", "p.example.net:8080" },
		{ "p:05060", "p:5060" },
		{ "p:65536", NULL },
		{ "p:", NULL },
		{ "192.168.1.300", NULL },
		{ "[fe80::1]:514", "[fe80::1]:514" },
		{ "fe80::1", NULL },
		{ "a..b", NULL },
		{ "a b", NULL },
		{ "h/x", NULL },
		{ "", "" },
		{ HOST_63, HOST_63 },
		{ HOST_63 "x", NULL },
		{ NULL, NULL },
	};
	static const struct outcome port[] = {
		{ "5060", "5060" }, { "0x13c4", "5060" }, { "65536", NULL },
		{ "0", "0" },       { "", NULL },         { NULL, NULL },
	};

	check_all(param("I", PEAL_T_IP, ""), ip);
	check_all(param("F", PEAL_T_FQDN, NULL), fqdn);
	check_all(param("P", PEAL_T_PORT, "3128"), port);
}

static void schedules(void)
{
	static const struct outcome list[] = {
		{ "600,1200,300", "600,1200,300" },
		{ "600 , 1200 , 300", "600,1200,300" },
		{ "2400+30", "2400+30" },
		{ "1800 + 300, 3600+600", "1800+300,3600+600" },
		{ "0", "0" },
		{ "", "" },
		{ "060", "60" },
		{ "4294967295", "4294967295" },
		{ "4294967296", NULL },
		{ "1000000000000000000", NULL },
		{ "-1", NULL },
		{ "600,", NULL },
		{ ",600", NULL },
		{ "600+1+2", NULL },
		{ "600 1200", NULL },
		{ "600+", NULL },
		{ "abc", NULL },
		{ NULL, NULL },
	};
	static const struct outcome hhmm[] = {
		{ "0959", "0959" }, { "2400", "2400" }, { "0000", "0000" },
		{ "2401", NULL },   { "0960", NULL },   { "2561", NULL },
		{ "99", NULL },     { "24:00", NULL },  { "", "" },
		{ NULL, NULL },
	};

	check_all(param("S", PEAL_T_SCHEDULE, "60,120"), list);
	check_all(param("H", PEAL_T_HHMM, NULL), hhmm);
}

static void lists(void)
{
	static const struct outcome dhcp[] = {
		{ "66, 160 ,125", "66,160,125" },
		{ "66", "66" },
		{ "67", NULL },
		{ "66,,160", NULL },
		{ "66,", NULL },
		{ "", "" },
		{ NULL, NULL },
	};
	static const struct outcome free_list[] = {
		{ "a.example, b.example", "a.example,b.example" },
		{ NULL, NULL },
	};
	struct peal_param p = param("L", PEAL_T_LIST, "66,160");

	p.choices = options;
	check_all(p, dhcp);
	check_all(param("L", PEAL_T_LIST, NULL), free_list);
}

static void texts(void)
{
	static const struct outcome list[] = {
		{ "abcde", "abcde" },
		{ "abcdef", NULL },
		{ "", "" },
		{ "\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9" },
		{ NULL, NULL },
	};
	struct peal_param p = param("T", PEAL_T_STR, NULL);
	struct peal_schema *s;
	struct peal_buf out;
	static char big[PEAL_LIMIT_VALUE + 1];

	p.max = 5;
	check_all(p, list);

	p = param("R", PEAL_T_RULE, NULL);
	s = schema_of(&p);
	peal_buf_init(&out, PEAL_LIMIT_VALUE + 1);
	memset(big, 'x', sizeof(big));
	CHECK_ERR(peal_schema_check(s, 0, big, PEAL_LIMIT_RULE, &out, NULL),
		  PEAL_OK);
	CHECK_ERR(peal_schema_check(s, 0, big, PEAL_LIMIT_RULE + 1, &out, NULL),
		  PEAL_ETYPE);
	CHECK_ERR(peal_schema_check(s, 0, "a\0b", 3, &out, NULL), PEAL_ETYPE);
	peal_buf_fini(&out);
	peal_schema_unref(s);
}

static void empties(void)
{
	struct peal_param p = param("N", PEAL_T_UNS, NULL);
	struct peal_schema *s = empty_schema();
	struct peal_reason why;

	CHECK_ERR(peal_schema_add(s, &p, &why), PEAL_ETYPE);
	CHECK(strstr(why.text, "N"));
	p.flags = PEAL_PARAM_EMPTY_OK;
	CHECK_ERR(peal_schema_add(s, &p, &why), PEAL_OK);
	CHECK_ERR(peal_schema_seal(s), PEAL_OK);
	CHECK(peal_schema_empty_ok(s, 0));
	peal_schema_unref(s);
}

static int find(struct peal_schema *s, const char *name)
{
	return peal_schema_find(s, name, strlen(name));
}

static void families(void)
{
	struct peal_schema *s = empty_schema();
	struct peal_param p = param("Line_Enable_n_", PEAL_T_BOOL, "1");
	const struct peal_param *got;

	p.count = 16;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	p = param("GPP_A", PEAL_T_STR, NULL);
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	/* one member of its own */
	p = param("Line_Enable_3_", PEAL_T_BOOL, "No");
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	CHECK_INT(find(s, "GPP_A"), -1); /* not sealed yet */
	CHECK_ERR(peal_schema_seal(s), PEAL_OK);

	CHECK_INT(peal_schema_count(s), 17);
	CHECK_INT(find(s, "Line_Enable_1_"), 0);
	CHECK_INT(find(s, "Line_Enable_16_"), 15);
	CHECK_INT(find(s, "GPP_A"), 16);
	CHECK_INT(find(s, "Line_Enable_17_"), -1);
	CHECK_INT(find(s, "Line_Enable_0_"), -1);
	CHECK_INT(find(s, "Line_Enable_01_"), -1);
	CHECK_INT(find(s, "Line_Enable_n_"), -1);
	CHECK_INT(find(s, "gpp_a"), -1);
	CHECK_INT(find(s, ""), -1);
	CHECK_INT(peal_schema_find(s, "GPP_A\0x", 7), -1);
	got = peal_schema_param(s, 2);
	CHECK_STR(got->name, "Line_Enable_3_");
	CHECK_STR(got->deflt, "No");
	CHECK_STR(peal_schema_param(s, 3)->deflt, "Yes"); /* canonical */
	CHECK(!peal_schema_param(s, 17));
	p = param("X", PEAL_T_STR, NULL);
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_ESTATE);
	peal_schema_unref(s);
}

static void replaces(void)
{
	struct peal_schema *s = empty_schema();
	struct peal_param p = param("Privacy_n_", PEAL_T_STR, "a");

	p.count = 10;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	CHECK_ERR(peal_schema_alias(s, "Priv_n_", "Privacy_n_", NULL), PEAL_OK);
	p.count = 2;
	p.deflt = "b";
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	CHECK_ERR(peal_schema_seal(s), PEAL_OK);
	CHECK_INT(peal_schema_count(s), 2);
	CHECK_STR(peal_schema_param(s, 0)->deflt, "b");
	CHECK_INT(find(s, "Priv_2_"), 1);
	CHECK_INT(find(s, "Priv_3_"), -1); /* its parameter is gone */
	peal_schema_unref(s);
}

static void aliases(void)
{
	struct peal_schema *s = empty_schema();
	struct peal_param p = param("Resync_At__HHmm_", PEAL_T_HHMM, NULL);

	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	p = param("Line_Enable_n_", PEAL_T_BOOL, "Yes");
	p.count = 4;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	CHECK_ERR(peal_schema_alias(s, "Resync_At", "Resync_At__HHmm_", NULL),
		  PEAL_OK);
	CHECK_ERR(peal_schema_alias(s, "Second", "Line_Enable_2_", NULL),
		  PEAL_OK);
	CHECK_ERR(peal_schema_alias(s, "Fifth", "Line_Enable_5_", NULL),
		  PEAL_EUNKNOWN);
	CHECK_ERR(peal_schema_alias(s, "Nothing", "Nope", NULL), PEAL_EUNKNOWN);
	CHECK_ERR(peal_schema_alias(s, "Resync_At__HHmm_", "Line_Enable_1_",
				    NULL),
		  PEAL_EEXIST);
	CHECK_ERR(peal_schema_seal(s), PEAL_OK);
	CHECK_INT(find(s, "Resync_At"), 0);
	CHECK_INT(find(s, "Second"), 2);
	CHECK_INT(find(s, "resync_at"), -1);
	CHECK_INT(peal_schema_count(s), 5);
	peal_schema_unref(s);
}

static void refuses_definitions(void)
{
	struct peal_schema *s = empty_schema();
	struct peal_param p = param("Line_Enable", PEAL_T_BOOL, "Yes");

	p.count = 3;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_EINVAL);
	p.name = "A_n_n_";
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_EINVAL);
	p.name = "A_n_";
	p.count = PEAL_LIMIT_PARAMS + 1;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_ELIMIT);
	p.count = PEAL_LIMIT_PARAMS;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	p.name = "B_n_";
	p.count = 1;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_ELIMIT);
	p = param("bad name", PEAL_T_STR, NULL);
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_EINVAL);
	p = param("C", PEAL_T_CHOICE, "x");
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_EINVAL);
	p = param("U", PEAL_T_UNS, "x");
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_ETYPE);
	p.bits = 12;
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_EINVAL);
	peal_schema_unref(s);
}

static const char *suggestion(struct peal_schema *s, const char *name)
{
	return peal_schema_suggest(s, name, strlen(name));
}

static void suggests(void)
{
	struct peal_schema *s = empty_schema();
	struct peal_param p = param("Resync_Periodic", PEAL_T_STR, NULL);

	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	p.name = "Resync_On_Reset";
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	p.name = "GPP_A";
	CHECK_ERR(peal_schema_add(s, &p, NULL), PEAL_OK);
	CHECK_ERR(peal_schema_seal(s), PEAL_OK);
	CHECK_STR(suggestion(s, "resync_periodic"), "Resync_Periodic");
	CHECK_STR(suggestion(s, "Resync_Perodic"), "Resync_Periodic");
	CHECK_STR(suggestion(s, "Resync_Peroidic"), "Resync_Periodic");
	CHECK_STR(suggestion(s, "Resync_On_Rset_"), "Resync_On_Reset");
	CHECK_STR(suggestion(s, "GPP_B"), "GPP_A");
	CHECK_STR(suggestion(s, "Gpp_Bx"), "GPP_A");
	CHECK(!suggestion(s, "GPP_BCD"));
	CHECK(!suggestion(s, "Nope"));
	CHECK(!suggestion(s, ""));
	peal_schema_unref(s);
}

static int build(void *arg)
{
	struct peal_param p = param("Line_Enable_n_", PEAL_T_BOOL, "Yes");
	struct peal_schema *s = NULL;
	struct peal_buf out;
	int err = 1;

	(void)arg;
	peal_buf_init(&out, 100);
	if (peal_schema_new(&s))
		goto out;
	p.count = 30;
	if (peal_schema_add(s, &p, NULL))
		goto out;
	p = param("Privacy_Header", PEAL_T_CHOICE, "none");
	p.choices = privacy;
	if (peal_schema_add(s, &p, NULL) ||
	    peal_schema_alias(s, "Line_n_", "Line_Enable_n_", NULL) ||
	    peal_schema_seal(s))
		goto out;
	CHECK_INT(find(s, "Line_30_"), 29);
	/* without memory for its cache it looks without */
	CHECK_STR(suggestion(s, "Line_Enable_9"), "Line_Enable_9_");
	if (peal_schema_check(s, 30, "ID", 2, &out, NULL))
		goto out;
	err = 0;
out:
	peal_buf_fini(&out);
	peal_schema_unref(s);
	return err;
}

static void survives_no_memory(void)
{
	alloc_fail_each(build, NULL);
}

/* A value may be a secret: no reason shows it. */
static void keeps_quiet(void)
{
	static const char secret[] = "k3y-of-the-phone";
	unsigned type;

	for (type = 0; type < PEAL_T_COUNT; type++) {
		struct peal_param p = param("P", (enum peal_type)type, NULL);
		struct peal_reason why;
		struct peal_schema *s;
		struct peal_buf out;

		p.flags = PEAL_PARAM_SECRET | PEAL_PARAM_EMPTY_OK;
		p.choices = auth_types;
		p.max = 5;
		s = schema_of(&p);
		peal_buf_init(&out, 1000);
		if (peal_schema_check(s, 0, secret, sizeof(secret) - 1, &out,
				      &why))
			CHECK(why.text[0] && !strstr(why.text, "k3y"));
		peal_buf_fini(&out);
		peal_schema_unref(s);
	}
}

static void names_types(void)
{
	enum peal_type type;
	int i;

	for (i = 0; i < PEAL_T_COUNT; i++) {
		CHECK_ERR(peal_type_find(&type,
					 peal_type_name((enum peal_type)i)),
			  PEAL_OK);
		CHECK_INT(type, i);
	}
	CHECK_ERR(peal_type_find(&type, "str"), PEAL_ENOENT);
	CHECK(!peal_type_name(PEAL_T_COUNT));
	CHECK_STR(peal_ua_name(PEAL_UA_RW), "rw");
	CHECK(!peal_ua_name(PEAL_UA_NONE));
}

TEST_MAIN({ "bools", bools }, { "choices", choices }, { "numbers", numbers },
	  { "decimals", decimals }, { "hosts", hosts },
	  { "schedules", schedules }, { "lists", lists }, { "texts", texts },
	  { "empties", empties }, { "families", families },
	  { "replaces", replaces }, { "aliases", aliases },
	  { "refuses definitions", refuses_definitions },
	  { "suggests", suggests }, { "no memory", survives_no_memory },
	  { "keeps quiet", keeps_quiet }, { "names types", names_types })
